"""Our reader of PDF: values, tables, objects and streams, as the standard has them and as attackers do."""

from __future__ import annotations

import contextlib
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import plain_pdf
from world.pdf_paper import Paper, stream

from signing.pdf.dates import read_date
from signing.pdf.parsing import Budget, Document, Name, Ref, Stream
from signing.pdf.parsing.filters import decode
from signing.pdf.parsing.lexer import MAX_DEPTH, read_value
from signing.pdf.reading import Reading, text_of
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

QUICK = settings(deadline=None, max_examples=150)


def value(text: bytes) -> object:
    return read_value(text, 0, len(text), Budget())[0]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"null", None),
        (b" % a comment\r true", True),
        (b"-12", -12),
        (b"+.5", 0.5),
        (b"4.", 4.0),
        (b"/A#20b#2f", Name("A b/")),
        (b"/", Name("")),
        (b"7 0 R", Ref(7, 0)),
        (b"(a(b)\\)\\053\\n\\\n)", b"a(b))+\n"),
        (b"(a\r\nb\rc)", b"a\nb\nc"),
        (b"<48 65 6>", b"He`"),
        (b"[1 0 R 2 3]", [Ref(1, 0), 2, 3]),
        (b"<</A/B/C<</D[<<>>]>>>>", {"A": Name("B"), "C": {"D": [{}]}}),
        (b"<< /A null /B 1 >>", {"B": 1}),
    ],
)
def test_values(text: bytes, meant: object) -> None:
    found = value(text)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<<",
        b"[",
        b"]",
        b"(",
        b"<4",
        b"<4g>",
        b"<< 1 2 >>",
        b"<< /A >>",
        b"[ >>",
        b"obj",
        b"1e5",
        b"--1",
        b"{}",
    ],
)
def test_what_is_no_value(text: bytes) -> None:
    with pytest.raises(MalformedInput):
        value(text)


def test_a_name_said_twice_is_told() -> None:
    for text in (b"<< /A 1 /A 2 >>", b"<< /A 1 /#41 2 >>", b"[<< /A null /A 1 >>]"):
        assert read_value(text, 0, len(text), Budget())[2]
    assert not read_value(b"<< /A 1 /B << /A 1 >> >>", 0, 24, Budget())[2]


def test_values_are_bounded() -> None:
    value(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for text in (b"[" * (MAX_DEPTH + 1), b"9" * 2000):
        with pytest.raises(TooLarge):
            value(text)
    with pytest.raises(TooLarge):
        read_value(b"[" + b"1 " * 99 + b"]", 0, 200, Budget(50))


@QUICK
@given(st.binary(max_size=200))
def test_arbitrary_values(text: bytes) -> None:
    with contextlib.suppress(YinxinError):
        value(text)


pieces = st.sampled_from(
    [
        b"%PDF-1.7\n", b"1 0 obj\n", b"endobj\n", b"<< /Length 5 >>\nstream\n", b"endstream\n",
        b"xref\n0 2\n", b"0000000000 65535 f \n", b"0000000009 00000 n \n", b"trailer\n",
        b"<< /Root 1 0 R /Size 2 /Prev 9 >>\n", b"startxref\n", b"9\n", b"66\n", b"%%EOF\n", b"2 0 R ",
        b"<< /Type /XRef /W [1 1 1] /Size 3 /Root 1 0 R >>\n", b"/AcroForm ", b"/Fields ", b"/V 1 0 R ",
        b"<< /Type /ObjStm /N 1 /First 4 /Length 9 >>\nstream\n1 0 <<>>\nendstream\n", b"/FT /Sig ",
        b"[", b"]", b"<<", b">>", b"(a)", b"<00>",
    ]
)  # fmt: skip


@QUICK
@given(st.lists(pieces, max_size=40).map(b"".join), st.integers(0, 600))
def test_arbitrary_files_of_real_pieces(text: bytes, size: int) -> None:
    for pdf in (text, plain_pdf() + text):
        for rebuild in (False, True):
            with contextlib.suppress(YinxinError):
                document = Document(pdf, rebuild=rebuild)
                for number, _ in list(document.numbers()):
                    document.load(document.reference(number))
                document.as_of(min(size, len(pdf)))
        with contextlib.suppress(YinxinError):
            reading = Reading(pdf)
            found = reading.signatures()
            for one in found:
                reading.review(one, [item.covered for item in found])


LAYOUTS = ["table", "stream", "packed", "hybrid"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(layout: str) -> None:
    document = Document(Paper(layout=layout).pdf)
    assert document.root == {"Type": "Catalog", "Pages": Ref(2, 0)}
    page = document.load(Ref(10, 0))
    content = document.get(page, "Contents")
    assert isinstance(content, Stream)
    assert b"Licence 001" in document.decode(content, limit=1000)
    assert document.place_of(Ref(11, 0)) == document.source.index(b"11 0 obj")
    assert document.load(Ref(99, 0)) is None
    assert document.load(Ref(11, 1)) is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_as_it_was(layout: str) -> None:
    made = Paper(layout=layout)
    before = len(made.pdf)
    made.write({10: made.entry(10, Rotate=b"90")})
    document = Document(made.pdf)
    old = document.as_of(before)
    assert document.get(document.load(Ref(10, 0)), "Rotate") == 90
    assert old.get(old.load(Ref(10, 0)), "Rotate") is None
    assert document.identity(10) != old.identity(10)
    assert document.identity(11) == old.identity(11)
    for size in (before - 20, before + 3, 40):
        with pytest.raises(MalformedInput):
            document.as_of(size)


def test_an_object_is_not_read_beyond_its_revision() -> None:
    made = Paper()
    before = len(made.pdf)
    place = before + 40
    made.pdf = made.pdf.replace(b"startxref", b"startxref")
    made.write({90: b"(later)"}, moved={91: place})
    with pytest.raises(MalformedInput):
        Document(made.pdf).load(Ref(91, 0))


def test_tables_written_in_other_ways() -> None:
    plain = plain_pdf()
    for old, new in ((b" n \n", b" n\r\n"), (b" n \n", b" n \r"), (b" f \n", b" f\n")):
        assert Document(plain.replace(old, new)).root
    for old, new in ((b"0 1\n", b"1 1\n"), (b"65535 f", b"65535 g"), (b"trailer", b"trialer")):
        with pytest.raises(MalformedInput):
            Document(plain.replace(old, new))
    twice = plain.replace(b"0 1\n", b"0 1\n0000000000 65535 f \n0 1\n")
    assert "twice" in Document(twice).sections[0].oddity


def test_a_file_whose_table_is_lost_is_read_as_a_guess() -> None:
    broken = Paper().pdf.replace(b"startxref\n", b"startxref\n9")
    with pytest.raises(MalformedInput):
        Document(broken)
    guess = Document(broken, rebuild=True)
    assert guess.is_rebuilt
    assert guess.get(guess.root, "Pages")
    assert Reading(broken).lenient


def test_streams_are_unpacked_within_bounds() -> None:
    data = bytes(range(256)) * 40
    packed = zlib.compress(data)
    assert decode(packed, [Name("FlateDecode")], [], limit=len(data)) == data
    assert decode(packed.hex().encode() + b">", [Name("AHx"), Name("Fl")], [], limit=len(data)) == data
    assert decode(b"<~87cURDZ~>", [Name("A85")], [], limit=20) == b"Hello"
    with pytest.raises(TooLarge):
        decode(packed, [Name("FlateDecode")], [], limit=len(data) - 1)
    with pytest.raises(TooLarge):
        decode(b"", [Name("Fl")] * 9, [], limit=1)
    for name, text in (("Fl", b"no"), ("AHx", b"zz>"), ("A85", b"\xff"), ("DCTDecode", b"")):
        with pytest.raises(MalformedInput):
            decode(text, [Name(name)], [], limit=9)


def test_rows_of_predictors() -> None:
    rows = bytes([0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 2, 2, 2, 4, 1, 1, 1])
    told = {"Predictor": 12, "Columns": 3}
    found = decode(zlib.compress(rows), [Name("Fl")], [told], limit=99)
    assert found == bytes([1, 2, 3, 1, 2, 3, 2, 3, 4, 3, 5, 6, 4, 6, 7])
    for wrong in ({"Predictor": 2}, {"Predictor": 12, "Columns": 0}, {"Predictor": 12, "Colors": 99}):
        with pytest.raises(MalformedInput):
            decode(zlib.compress(rows), [Name("Fl")], [wrong], limit=99)
    with pytest.raises(MalformedInput):
        decode(zlib.compress(b"\x09abc"), [Name("Fl")], [told], limit=99)


@pytest.mark.parametrize(
    "body",
    [
        b"<< /Length 60 0 R >>\nstream\nxx\nendstream",
        b"60 0 R",
    ],
)
def test_objects_that_hang_on_themselves(body: bytes) -> None:
    made = Paper().write({60: body})
    with pytest.raises(MalformedInput):
        Document(made.pdf).resolve(Ref(60, 0))


def test_a_stream_of_another_length_is_told() -> None:
    made = Paper().write({60: b"<< /Length 2 >>\nstream\nlonger\nendstream", 61: stream(b"right")})
    document = Document(made.pdf)
    assert "length" in document.oddity(60)
    assert not document.oddity(61)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"D:20261120120000Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (b"D:20261120120000+08'00'", datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=8)))),
        (
            b"D:20261120120000-0330",
            datetime(2026, 11, 20, 12, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        ),
        (b"D:20261120120000+00'00", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (b"20261120Z", datetime(2026, 11, 20, tzinfo=UTC)),
        (b"\xfe\xff" + "D:2026Z".encode("utf-16-be"), datetime(2026, 1, 1, tzinfo=UTC)),
        (b"D:20261120120000", None),
        (b"D:20261320120000Z", None),
        (b"D:20261120120000+99'00'", None),
        (b"yesterday", None),
    ],
)
def test_dates(text: bytes, meant: datetime | None) -> None:
    assert read_date(text) == meant


@given(st.binary(max_size=30))
def test_arbitrary_dates_and_texts(text: bytes) -> None:
    read_date(text)
    read_date(b"D:" + text)
    assert isinstance(text_of(text), str)


def test_texts() -> None:
    assert text_of(b"\xfe\xff" + "准予".encode("utf-16-be")) == "准予"
    assert text_of(b"\xef\xbb\xbf" + "准予".encode()) == "准予"
    assert text_of(b"caf\xe9") == "café"
    assert text_of(7) is None


@given(
    st.lists(st.tuples(st.integers(0, 10**10 - 1), st.integers(0, 99_999))),
    st.sampled_from([b" ", b"\n", b"  ", b"\t", b"%c\n"]),
    st.sampled_from([b"", b" 5", b" /A", b" (x)", b" [1 0 R]"]),
)
def test_references_in_a_row_are_what_they_are_one_by_one(
    named: list[tuple[int, int]], between: bytes, behind: bytes
) -> None:
    """A list of references alone is read in one step, any other one value by value: by the same work."""
    row = b"[%b%b]" % (between.join(b"%d %d R" % one for one in named), behind)
    wide = row.replace(b" R", b"  R")  # the usual way is one space
    budgets = Budget(), Budget()
    values = [read_value(text, 0, len(text), one)[0] for text, one in zip((row, wide), budgets, strict=True)]
    assert values[0] == values[1]
    assert values[0][: len(named)] == [Ref(*one) for one in named]
    assert budgets[0].left == budgets[1].left

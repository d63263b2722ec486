"""Files that tell two stories: tables that lead elsewhere, names that are escaped, keys that stand twice.

Every row starts from a page with a sound signature. One reader follows the table and the other searches the
file; one takes the first of two entries and the other the last. What was signed must be what anybody sees.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Paper, encoded, last_table, one_page, place_of, stream

from signing.reasons import Reason
from signing.report import Indication

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

TEXT = b"BT /F1 24 Tf 72 700 Td (Licence 999) Tj ET"
EVIL = b"11 0 obj\n" + stream(TEXT) + b"\nendobj\n"
PAGE = b"10 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 60 0 R >>\nendobj\n"


@pytest.fixture(scope="module")
def paper(desk: Desk) -> Paper:
    return Paper().sign(desk.agency)


@pytest.fixture(scope="module")
def shadow(desk: Desk) -> Paper:
    """Before it is signed, the file holds objects that nothing leads to, and that look like others."""
    paper = Paper()
    hidden = (
        EVIL + b"60 0 obj\n" + stream(b"x\n" + EVIL + PAGE) + b"\nendobj\n% " + EVIL.replace(b"\n", b"\r")
    )
    paper.write(
        {
            61: stream(TEXT),
            62: {**one_page()[1], "Pages": b"63 0 R"},  # type: ignore[dict-item]
            63: b"<< /Type /Pages /Kids [64 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
            64: b"<< /Type /Page /Parent 63 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 61 0 R >>",
        },
        before=hidden,
    )
    return paper.sign(desk.agency)


def refused(desk: Desk, pdf: bytes) -> None:
    """Whatever it is refused for, it is neither the path nor the time."""
    report = desk.verify(pdf)
    assert Indication.PASSED not in {report.indication, report.then}
    assert report.reasons <= {
        Reason.DOCUMENT_CHANGED_AFTER_SIGNING,
        Reason.COVERAGE_INCOMPLETE,
        Reason.FORMAT_FAILURE,
        Reason.NO_SIGNATURE,
        Reason.ENCRYPTED_DOCUMENT,
        Reason.TOO_LARGE,
        Reason.HASH_FAILURE,
        Reason.UNSUPPORTED_SIGNATURE,
    }


def lines(pdf: bytes, rows: bytes, more: bytes = b"/Root 1 0 R", *, where: int | None = None) -> bytes:
    """A table of one's own behind the file."""
    previous = (last_table(pdf) or 0) if where is None else where
    table = b"xref\n" + rows + b"trailer\n<< /Size 99 %b /Prev %d >>\n" % (more, previous)
    return pdf + table + b"startxref\n%d\n%%%%EOF\n" % len(pdf)


def row(number: int, place: int, generation: int = 0, kind: bytes = b"n") -> bytes:
    return b"%d 1\n%010d %05d %b \n" % (number, place, generation, kind)


TABLES: dict[str, Callable[[Paper], bytes]] = {
    "an object that nothing led to takes the page's content": lambda p: lines(
        p.pdf, row(11, p.pdf.index(EVIL))
    ),
    "an object inside of a stream": lambda p: lines(p.pdf, row(11, p.pdf.index(b"x\n" + EVIL) + 2)),
    "an object inside of a comment": lambda p: lines(p.pdf, row(11, p.pdf.index(b"% 11 0 obj") + 2)),
    "an object of another number": lambda p: lines(p.pdf, row(11, place_of(p.pdf, 61))),
    "an entry into the middle of an object": lambda p: lines(p.pdf, row(11, place_of(p.pdf, 11) + 1)),
    "an entry at the start of the file": lambda p: lines(p.pdf, row(11, 0)),
    "an entry behind the end of the file": lambda p: lines(p.pdf, row(11, 10**9)),
    "an entry of another generation": lambda p: lines(p.pdf, row(11, p.pdf.index(EVIL), 1)),
    "an entry of a generation that is too high": lambda p: lines(p.pdf, row(11, p.pdf.index(EVIL), 65535)),
    "the page's content is freed": lambda p: lines(p.pdf, row(11, 0, 1, b"f")),
    "freed and taken again": lambda p: lines(
        lines(p.pdf, row(11, 0, 1, b"f")), row(11, p.pdf.index(EVIL), 1)
    ),
    "another catalogue that was there before": lambda p: lines(p.pdf, row(98, 15), b"/Root 62 0 R"),
    "another catalogue under the number of the first": lambda p: lines(p.pdf, row(1, place_of(p.pdf, 62))),
    "the table before the signature, once more": lambda p: (
        p.pdf + b"startxref\n%d\n%%%%EOF\n" % tables(p.pdf)[0]
    ),
    "the signature's own table, once more": lambda p: p.pdf + b"startxref\n%d\n%%%%EOF\n" % tables(p.pdf)[-1],
    "a table that comes before the signature's": lambda p: lines(
        p.pdf, row(11, p.pdf.index(EVIL)), where=tables(p.pdf)[0]
    ),
    "a table that comes before itself": lambda p: lines(p.pdf, row(98, 15), where=len(p.pdf)),
    "a table that comes before nothing": lambda p: lines(p.pdf, row(98, 15), where=0),
    "tables in a circle": lambda p: circle(p.pdf),
    "a table of a thousand million rows": lambda p: lines(p.pdf, b"0 1000000000\n"),
    "a table that begins at a negative number": lambda p: lines(p.pdf, b"-1 1\n%010d 00000 n \n" % 15),
    "rows of nineteen bytes": lambda p: lines(p.pdf, b"11 1\n%010d 00000 n\n" % p.pdf.index(EVIL)),
    "rows of an unknown kind": lambda p: lines(p.pdf, row(11, p.pdf.index(EVIL), 0, b"x")),
    "a number twice in one table": lambda p: lines(
        p.pdf, row(11, place_of(p.pdf, 11)) + row(11, p.pdf.index(EVIL))
    ),
    "two startxref, the first to the truth": lambda p: (
        lines(p.pdf, row(11, p.pdf.index(EVIL)))[: -len(b"%%EOF\n")]
        + b"startxref\n%d\n%%%%EOF\n" % (last_table(p.pdf) or 0)
    ),
    "startxref leads to nothing": lambda p: p.pdf + b"startxref\n0\n%%EOF\n",
    "startxref is negative": lambda p: p.pdf + b"startxref\n-1\n%%EOF\n",
    "startxref leads behind the end": lambda p: p.pdf + b"startxref\n99999999999\n%%EOF\n",
    "startxref is a word": lambda p: p.pdf + b"startxref\nhere\n%%EOF\n",
}


def tables(pdf: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"startxref\n(\d+)\n", pdf)]


def circle(pdf: bytes) -> bytes:
    """Two tables, each before the other."""
    one = b"xref\n0 0\ntrailer\n<< /Size 99 /Root 1 0 R /Prev %010d >>\n"
    first = len(pdf)
    second = first + len(one % 0)
    return pdf + one % second + one % first + b"startxref\n%d\n%%%%EOF\n" % second


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_lead_elsewhere(desk: Desk, shadow: Paper, name: str) -> None:
    refused(desk, TABLES[name](shadow))


def packed(paper: Paper, number: int, body: bytes, **how: object) -> bytes:
    return paper.copy().write({}, packed={number: body}, **{"layout": "stream", **how}).pdf


NEW_PAGE = b"<< /Type /Page /Parent 2 0 R /Resources << >> >>"
STREAMS: dict[str, Callable[[Paper], bytes]] = {
    "a packed page takes the page's place": lambda p: packed(p, 10, NEW_PAGE),
    "a packed catalogue takes its place": lambda p: packed(p, 1, encoded(p.entry(1, OpenAction=b"[10 0 R]"))),
    "a packed form without fields": lambda p: packed(p, 20, b"<< /Fields [] >>"),
    "a packed value of the signature": lambda p: packed(p, 41, b"<< /Type /Sig >>"),
    "a packed field without its value": lambda p: packed(p, 40, b"<< /FT /Sig /T (Signature1) >>"),
    "a hybrid's hidden page": lambda p: packed(p, 10, NEW_PAGE, layout="hybrid"),
    "a hybrid's hidden form": lambda p: packed(p, 20, b"<< /Fields [] >>", layout="hybrid"),
    "a hybrid's hidden annotations": lambda p: packed(
        p, 10, encoded(p.entry(10, Annots=b"[40 0 R 60 0 R]")), layout="hybrid"
    ),
    "a stream of references that lies about its widths": lambda p: (
        p.pdf
        + b"90 0 obj\n"
        + stream(
            b"\0" * 40,
            b"/Type /XRef /Size 99 /W [1 99999999 2] /Root 1 0 R /Prev %d" % (last_table(p.pdf) or 0),
        )
        + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(p.pdf)
    ),
    "a stream of references that bursts": lambda p: (
        p.pdf
        + b"90 0 obj\n"
        + stream(
            zlib.compress(bytes(30_000_000)),
            b"/Type /XRef /Size 4000000 /W [1 4 2] /Filter /FlateDecode /Root 1 0 R /Prev %d"
            % (last_table(p.pdf) or 0),
        )
        + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(p.pdf)
    ),
    "a stream of references with an unknown filter": lambda p: (
        p.pdf
        + b"90 0 obj\n"
        + stream(
            b"x",
            b"/Type /XRef /Size 99 /W [1 4 2] /Filter /None /Root 1 0 R /Prev %d" % (last_table(p.pdf) or 0),
        )
        + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(p.pdf)
    ),
    "an object stream in an object stream": lambda p: (
        p.copy().write({}, layout="stream", packed={90: b"<< /Type /ObjStm >>", 10: NEW_PAGE}).pdf
    ),
    "an object stream that names too many": lambda p: (
        p.copy()
        .write({90: stream(b"10 0 " + NEW_PAGE, b"/Type /ObjStm /N 1000000 /First 5")})
        .write({10: NEW_PAGE})
        .pdf
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_that_hide_objects(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, STREAMS[name](paper))


def doubled(paper: Paper, number: int, more: bytes) -> bytes:
    """The object as it is, with entries before and behind that a reader may prefer."""
    body = encoded(paper.objects[number])
    return paper.copy().write({number: body[:-2] + more + b" >>"}).pdf


def doubled_before(paper: Paper, number: int, more: bytes) -> bytes:
    body = encoded(paper.objects[number])
    return paper.copy().write({number: b"<< " + more + body[2:]}).pdf


WORDS: dict[str, Callable[[Paper], bytes]] = {
    "contents of a page twice": lambda p: doubled(p, 10, b"/Contents 60 0 R"),
    "contents of a page twice, the other way": lambda p: doubled_before(p, 10, b"/Contents 60 0 R"),
    "contents of a page escaped": lambda p: doubled(p, 10, b"/#43ontents 60 0 R"),
    "contents of a page escaped before": lambda p: doubled_before(p, 10, b"/Content#73 60 0 R"),
    "resources escaped": lambda p: doubled(p, 10, b"/Resource#73 << >>"),
    "kids twice": lambda p: doubled(p, 2, b"/Kids [60 0 R]"),
    "kids escaped": lambda p: doubled(p, 2, b"/#4bids [60 0 R]"),
    "pages twice": lambda p: doubled(p, 1, b"/Pages 60 0 R"),
    "pages twice, the other way": lambda p: doubled_before(p, 1, b"/Pages 60 0 R"),
    "pages escaped": lambda p: doubled(p, 1, b"/Page#73 60 0 R"),
    "form twice": lambda p: doubled(p, 1, b"/AcroForm << /Fields [] >>"),
    "form escaped": lambda p: doubled(p, 1, b"/Acro#46orm << /Fields [] >>"),
    "an action escaped": lambda p: doubled(p, 1, b"/Open#41ction << /S /JavaScript /JS (x) >>"),
    "fields twice": lambda p: doubled(p, 20, b"/Fields []"),
    "a trailer's root twice": lambda p: lines(p.pdf, row(98, 15), b"/Root 1 0 R /Root 60 0 R"),
    "a trailer's root escaped": lambda p: lines(p.pdf, row(98, 15), b"/Root 1 0 R /#52oot 60 0 R"),
    "a trailer's root as a dictionary": lambda p: lines(p.pdf, row(98, 15), b"/Root << /Pages 2 0 R >>"),
    "a trailer that says it is encrypted": lambda p: lines(
        p.pdf, row(98, 15), b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O () /U () /P -1 >>"
    ),
    "a trailer that says it is encrypted, escaped": lambda p: lines(
        p.pdf, row(98, 15), b"/Root 1 0 R /#45ncrypt << /Filter /Standard /V 1 /R 2 /O () /U () /P -1 >>"
    ),
    "encrypted by nothing": lambda p: lines(p.pdf, row(98, 15), b"/Root 1 0 R /Encrypt 77 0 R"),
    "another version": lambda p: doubled(p, 1, b"/Version /2.0 /Version /1.0"),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_that_two_readers_read_otherwise(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, WORDS[name](paper))


def test_what_all_these_start_from_is_good(desk: Desk, paper: Paper, shadow: Paper) -> None:
    for one in (paper, shadow):
        assert desk.verify(one.pdf).passed

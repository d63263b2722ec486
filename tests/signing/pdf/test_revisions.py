"""What came after a signature: how far it goes, also where something small is changed that leads to much.

The signatures hold in all of these files. In most of them the signed part was prepared for what comes: one
object plays two parts, and the update changes the one that may change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import RFC3161, Paper, last_table, one_page, stream

from signing.pdf.parsing import Document
from signing.pdf.reading import Reading
from signing.pdf.revisions.fields import Lock, Permissions
from signing.pdf.revisions.metadata import say_the_same
from signing.policy import Policy
from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

    from signing.pdf.revisions.history import Review

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<r:Description r:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    b' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"%b>%b</r:Description>'
    b'</r:RDF></x:xmpmeta><?xpacket end="w"?>'
)
TITLE = b"<dc:title><r:Alt><r:li>%b</r:li></r:Alt></dc:title>"


def paper(changes: dict[int, object] | None = None, **page: bytes) -> Paper:
    """A page with these objects besides."""
    objects = one_page()
    found = objects[10]
    assert isinstance(found, dict)
    objects[10] = {**found, **page}
    return Paper(objects | (changes or {}))  # type: ignore[arg-type, operator]


def after(made: Paper) -> Review:
    """What came after its first signature."""
    reading = Reading(made.pdf)
    assert not reading.lenient
    found = reading.signatures()
    return reading.review(found[0], [one.covered for one in found])


def signed(desk: Desk, made: Paper, **how: object) -> Paper:
    return made.sign(desk.agency, **how)  # type: ignore[arg-type]


DRAWN = stream(b"0 0 99 99 re f")
BOX = b"<< /Type /Annot /Subtype /Widget /F 4 /Rect [9 9 99 99] /P 10 0 R %b >>"


def value_of(made: Paper) -> bytes:
    """The dictionary of its first signature, as it stands there."""
    start = made.pdf.index(b"41 0 obj\n") + 9
    return made.pdf[start : made.pdf.index(b"\nendobj", start)]


def catalogue(**entries: bytes) -> dict[int, object]:
    return {1: {"Type": b"/Catalog", "Pages": b"2 0 R", **entries}}


def straddling(desk: Desk) -> Paper:
    """An object that begins before the end of what is signed, and ends behind it."""
    begun = b"90 0 obj\n<< /Length 4000 >>\nstream\n"
    made = paper(Contents=b"[11 0 R 90 0 R]")
    place = made.copy().slot(behind=begun, moved={90: 1}).pdf.index(begun)
    signed(desk, made, behind=begun, moved={90: place})
    made.pdf += b"endstream\nendobj\n"
    return made.write({95: b"null"})


# Each is signed as it stands, and then changed.
PREPARED: dict[str, tuple[Callable[[], Paper], Callable[[Paper], Paper]]] = {
    "a font with a name like that of what leads upwards": (
        lambda: paper(Resources=b"<< /Font << /P 3 0 R /Parent 3 0 R >> >>"),
        lambda p: p.write({3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}),
    ),
    "what is drawn is the metadata too": (
        lambda: paper(catalogue(Metadata=b"11 0 R")),
        lambda p: p.write({11: DRAWN}),
    ),
    "what is drawn is evidence too": (
        lambda: paper(catalogue(DSS=b"<< /Certs [11 0 R] >>")),
        lambda p: p.write({11: DRAWN}),
    ),
    "a picture is the value of a field": (
        lambda: paper(
            catalogue(AcroForm=b"<< /Fields [30 0 R] >>")
            | {30: BOX % b"/FT /Tx /T (a) /V 31 0 R", 31: DRAWN},
            Resources=b"<< /XObject << /X 30 0 R /Y 31 0 R >> >>",
        ),
        lambda p: p.write({31: stream(b"0 0 1 1 re f")}),
    ),
    "a picture's dictionary is a field": (
        lambda: paper(
            catalogue(AcroForm=b"<< /Fields [30 0 R] >>")
            | {30: BOX % b"/FT /Tx /T (a) /V 31 0 R", 31: DRAWN, 32: stream(b"0 0 1 1 re f")},
            Resources=b"<< /XObject 30 0 R >>",
        ),
        lambda p: p.write({30: BOX % b"/FT /Tx /T (a) /V 32 0 R"}),
    ),
    "the length of what is drawn stands in another object": (
        lambda: paper(
            {11: b"<< /Length 12 0 R >>\nstream\n0 0 9 9 re f 0 0 99 99 re f\nendstream", 12: b"28"}
        ),
        lambda p: p.write({12: b"12"}),
    ),
    "the page inherits from a node outside the tree": (
        lambda: paper({50: b"<< /Type /Pages /MediaBox [0 0 595 842] >>"}, Parent=b"50 0 R"),
        lambda p: p.write({50: b"<< /Type /Pages /MediaBox [0 0 99 99] >>"}),
    ),
    "the page names its content twice": (
        lambda: paper({80: DRAWN}, Contents=b"80 0 R /Contents 11 0 R"),
        lambda p: p.write({10: p.entry(10, Contents=b"11 0 R")}),
    ),
    "what is missing comes in": (
        lambda: paper(Contents=b"[11 0 R 90 0 R]"),
        lambda p: p.write({90: DRAWN}),
    ),
    "what is missing comes in through an object stream": (
        lambda: paper(Resources=b"<< /ExtGState << /G 90 0 R >> >>"),
        lambda p: p.write({90: b"<< /ca 0 >>"}, layout="packed"),
    ),
    "what is missing comes in under another generation": (
        lambda: paper(Contents=b"[11 0 R 90 1 R]"),
        lambda p: p.write({}, before=b"90 1 obj\n%b\nendobj\n" % DRAWN, moved={90: len(p.pdf)}),
    ),
    "an action is a field to sign in": (
        lambda: paper(catalogue(OpenAction=b"30 0 R")).form({30: BOX % b"/FT /Sig /T (a) /S /Launch"}),
        lambda p: p.write(
            {30: (BOX % b"/FT /Sig /T (a) /S /Launch /V 60 0 R").replace(b"/F 4", b"/F (x)"), 60: b"<< >>"}
        ),
    ),
    "a field to sign in is of another kind": (
        lambda: Paper().form({30: BOX % b"/FT /Sig /T (a)"}),
        lambda p: p.write({30: BOX % b"/FT /Tx /T (a) /V (b)"}),
    ),
    "a signature says something else": (
        Paper,
        lambda p: p.write(
            {41: re.sub(rb"/Filter /Adobe.PPKLite", b"/Filter /Other", value_of(p))}, plain=(41,)
        ),
    ),
    "the file says that it is older": (
        lambda: paper(catalogue(Version=b"/1.7")),
        lambda p: p.write({1: p.entry(1, Version=b"/1.0")}),
    ),
    "another document comes along in the trailer": (
        Paper,
        lambda p: p.write({90: DRAWN}, trailer=b" /AdditionalStreams [/application#2Fodt 90 0 R]"),
    ),
    "an update with a second table for itself": (
        Paper,
        lambda p: p.write({90: b"null"}, trailer=b" /XRefStm %d" % last_table(p.pdf), layout="stream"),
    ),
    "bytes that no table knows": (
        Paper,
        lambda p: p.write({90: b"null"}, before=b"11 0 obj\nnull\nendobj\n"),
    ),
    "bytes behind the table": (Paper, lambda p: p.write({90: b"null"}, behind=b"11 0 obj\nnull\nendobj\n")),
    "a header in the middle": (Paper, lambda p: p.write({90: b"null"}, before=b"%PDF-1.4\n")),
    "an object under another number": (
        Paper,
        lambda p: p.write({}, before=b"91 0 obj\nnull\nendobj\n", moved={90: len(p.pdf)}),
    ),
    "the new object names something twice": (Paper, lambda p: p.write({90: b"<< /A 1 /A 2 >>"})),
    "the new stream is longer than it says": (
        Paper,
        lambda p: p.write({90: b"<< /Length 3 >>\nstream\nlonger\nendstream"}),
    ),
}


@pytest.mark.parametrize("name", PREPARED)
def test_a_change_that_hides(desk: Desk, name: str) -> None:
    make, change = PREPARED[name]
    made = signed(desk, make())
    assert desk.verify(made.pdf).passed
    review = after(change(made))
    assert review.level == "other", review
    assert review.detail


def test_an_object_that_ends_behind_what_is_signed(desk: Desk) -> None:
    assert after(straddling(desk)).level == "other"


def test_a_revision_that_another_one_takes_back(desk: Desk) -> None:
    made = signed(desk, Paper())
    before = made.objects[11]
    made.write({11: DRAWN}).write({11: before})
    assert after(made).level == "other"


def metadata(desk: Desk, old: bytes, new: bytes) -> str:
    made = signed(desk, paper(catalogue(Metadata=b"70 0 R") | {70: stream(old, b"/Type /Metadata")}))
    return after(made.write({70: stream(new, b"/Type /Metadata")})).level


def test_metadata_written_by_another_program(desk: Desk) -> None:
    old = XMP % (b' xmp:ModifyDate="2026-11-20"', TITLE % b"One" + b"<pdf:Keywords>a</pdf:Keywords>")
    same = XMP % (b' pdf:Keywords="a"', b"<xmp:ModifyDate>2027-01-01</xmp:ModifyDate>" + TITLE % b"One")
    assert metadata(desk, old, same) == "archive"
    assert metadata(desk, old, same.replace(b"One", b"Two")) == "form"
    assert metadata(desk, old, same.replace(b'="a"', b'="b"')) == "form"
    assert (
        metadata(desk, old, same.replace(b"<x:xmpmeta", b"<!DOCTYPE a [<!ENTITY b 'c'>]><x:xmpmeta"))
        == "form"
    )
    assert metadata(desk, old, b"no packet") == "form"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"<a>" * 5000 + b"</a>" * 5000,
        b"\xff\xfe<",
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + (XMP % (b"", b"")).decode("ascii")).encode("utf-16"),
        XMP % (b"", b"<r:li>" * 90 + b"</r:li>" * 90),
    ],
)
def test_packets_that_cannot_be_read_say_nothing(packet: bytes) -> None:
    assert say_the_same(packet, packet)
    assert not say_the_same(packet, XMP % (b"", b""))


LEVELS: dict[str, tuple[str, Callable[[Paper], Paper]]] = {
    "an object that nothing leads to": ("archive", lambda p: p.write({90: DRAWN})),
    "a packed object that nothing leads to": ("archive", lambda p: p.write({90: b"<< >>"}, layout="packed")),
    "a mark of the maker": ("archive", lambda p: p.write({90: b"null"}, behind=b"%Maker-1.0\n")),
    "the same page, written again": ("archive", lambda p: p.write({10: p.objects[10], 11: p.objects[11]})),
    "the content under another number": (
        "archive",
        lambda p: p.write({10: p.entry(10, Contents=b"90 0 R"), 90: p.objects[11]}),
    ),
    "evidence": ("archive", lambda p: p.write({1: p.entry(1, DSS=b"90 0 R"), 90: b"<< /Certs [] >>"})),
    "a later version": ("archive", lambda p: p.write({1: p.entry(1, Version=b"/2.0")})),
    "an object that nothing leads to is freed": ("archive", lambda p: p.write({90: b"null"}, freed=(91,))),
    "a title": ("form", lambda p: p.write({90: b"<< /Title (a) >>"}, trailer=b" /Info 90 0 R")),
    "a maker": ("archive", lambda p: p.write({90: b"<< /Producer (a) >>"}, trailer=b" /Info 90 0 R")),
    "a comment": (
        "annotation",
        lambda p: p.write(
            {
                10: p.entry(10, Annots=b"[40 0 R 90 0 R]"),
                90: b"<< /Type /Annot /Subtype /Text /Rect [9 9 20 20] >>",
            }
        ),
    ),
    "a field to sign in": (
        "form",
        lambda p: p.write(
            {
                10: p.entry(10, Annots=b"[40 0 R 90 0 R]"),
                20: p.entry(20, Fields=b"[40 0 R 90 0 R]"),
                90: BOX % b"/FT /Sig /T (b)",
            }
        ),
    ),
    "letters for the form": ("archive", lambda p: p.write({20: p.entry(20, DA=b"(/F1 9 Tf)")})),
    "pictures for the form": (
        "archive",
        lambda p: p.write({20: p.entry(20, DR=b"<< /XObject << /FRM 90 0 R >> >>"), 90: DRAWN}),
    ),
    "fields are to be drawn anew": ("other", lambda p: p.write({20: p.entry(20, NeedAppearances=b"true")})),
    "the form says less": ("other", lambda p: p.write({20: p.entry(20, SigFlags=b"0")})),
}


@pytest.mark.parametrize("name", LEVELS)
def test_how_far_a_change_goes(desk: Desk, name: str) -> None:
    level, change = LEVELS[name]
    made = change(signed(desk, Paper()))
    assert after(made).level == level, after(made)
    assert desk.verify(made.pdf).passed == (level == "archive")


@pytest.mark.parametrize(
    ("widget", "level"),
    [
        (b"/Rect [0 0 0 0] /F 132", "archive"),
        (b"/F 132", "archive"),
        (b"/Rect [9 9 99 99] /F 2", "archive"),
        (b"/Rect [9 9 99 99] /F 132", "form"),
        (b"/Rect [9 9 99 99] /F 36", "form"),  # on paper it is seen
        (b"/Rect [9 9 99 99 1] /F 132", "form"),
    ],
)
def test_a_time_stamp_that_is_seen_is_no_archive(desk: Desk, widget: bytes, level: str) -> None:
    made = signed(desk, Paper()).sign(desk.agency, "Stamp", kind=RFC3161, widget=widget)
    assert after(made).level == level


def test_widgets_below_a_time_stamp_are_looked_at(desk: Desk) -> None:
    """A field for the stamp that shows nothing itself, and what hangs below it does."""
    below = (
        b"<< /Type /Annot /Subtype /Widget /Parent %d 0 R /Rect [9 9 99 99] /F 4 /P 10 0 R"
        b" /AP << /N 90 0 R >> %b >>"
    )
    value = b"<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 /ByteRange [0 1 999999 9] /Contents <00> >>"

    def stamped(kids: dict[int, bytes], top: bytes) -> Paper:
        made = signed(desk, Paper())
        notes = b"[40 0 R " + b" ".join(b"%d 0 R" % number for number in kids) + b"]"
        return made.write(
            {
                10: made.entry(10, Annots=notes),
                20: made.entry(20, Fields=b"[40 0 R 60 0 R]"),
                60: b"<< /FT /Sig /T (b) /V 61 0 R /Kids [%b] >>" % top,
                61: value,
                90: DRAWN,
                **kids,
            }
        )

    one = after(stamped({62: below % (60, b"")}, b"62 0 R"))
    assert one.level == "form", one
    deeper = {62: below % (60, b"/Kids [63 0 R]"), 63: below % (62, b"/A << /S /Launch >>")}
    assert after(stamped(deeper, b"62 0 R")).level == "other"


def test_a_prepared_field_with_a_widget_of_its_own(desk: Desk) -> None:
    widget = b"<< /Type /Annot /Subtype /Widget /Parent 30 0 R /Rect [9 9 99 99] /F 4 /P 10 0 R %b >>"
    field = b"<< /FT /Sig /T (b) /Kids [31 0 R] %b >>"
    made = Paper().form({30: field % b""}, {31: widget % b""})
    made.notes[:] = [31]
    made = signed(desk, made.write({10: made.entry(10, Annots=b"[31 0 R]")}))
    value = b"<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 /ByteRange [0 1 999999 9] /Contents <00> >>"
    made.write({30: field % b"/V 61 0 R", 31: widget % b"/AP << /N 90 0 R >>", 61: value, 90: DRAWN})
    assert after(made).level == "form", after(made)


def test_a_field_does_not_become_a_group(desk: Desk) -> None:
    made = signed(desk, Paper().form({30: BOX % b"/FT /Tx /T (a) /V (b)"}))
    made.write(
        {30: BOX % b"/FT /Tx /T (a) /V (b) /Kids [60 0 R]", 60: BOX % b"/FT /Sig /T (c) /Parent 30 0 R"}
    )
    assert after(made).level == "other"


COMMENT = b"<< /Type /Annot /Subtype /FreeText /P 10 0 R /Rect [50 50 90 90] /Contents (a) >>"


@pytest.mark.parametrize(
    ("box", "level"), [(b"[40 40 99 99]", "other"), (b"[80 80 200 200]", "form"), (b"[300 9 400 99]", "form")]
)
def test_a_signature_over_something_that_is_seen(desk: Desk, box: bytes, level: str) -> None:
    made = paper({30: COMMENT}, Annots=b"[30 0 R]")
    made.notes.append(30)
    signed(desk, made).sign(desk.citizen, "Second", widget=b"/F 132 /Rect " + box)
    assert after(made).level == level


@pytest.mark.parametrize(("permission", "passes"), [(None, True), (2, False)])
def test_signatures_share_a_place_where_none_certifies(
    desk: Desk, permission: int | None, *, passes: bool
) -> None:
    seen = b"/F 132 /Rect [40 40 99 99]"
    made = signed(desk, Paper(), widget=seen, permission=permission).sign(desk.citizen, "Second", widget=seen)
    assert desk.verify(made.pdf).passed == passes


def test_a_policy_may_let_fillings_and_comments_follow(desk: Desk) -> None:
    form = catalogue(AcroForm=b"20 0 R") | {20: {"Fields": b"[30 0 R]"}, 30: BOX % b"/FT /Tx /T (a)"}
    filled = {30: BOX % b"/FT /Tx /T (a) /V (b)"}
    noted = LEVELS["a comment"][1]
    for permission, change, allowed, passes in (
        (2, filled, "form", False),
        (2, filled, "filled", True),
        (1, filled, "annotation", False),
        (None, filled, "filled", True),
        (3, noted, "form", False),
        (3, noted, "permitted", True),
        (3, noted, "annotation", True),
        (2, noted, "annotation", False),
    ):
        start = paper(form) if change is filled else Paper()
        if change is filled:
            start.fields.append(30)
        made = signed(desk, start, permission=permission)
        changed = made.write(filled) if change is filled else noted(made)
        report = desk.verify(changed.pdf, policy=Policy(allowed_changes=allowed))  # type: ignore[arg-type]
        assert report.passed == passes, (permission, allowed, report.reasons)


def test_ends_of_lines_behind_a_signed_file_are_no_change(desk: Desk) -> None:
    made = signed(desk, Paper()).pdf
    for more in (b"\n", b"\r\n", b"\r\n\r\n\r\n"):
        assert desk.verify(made + more).passed
    for more in (b"\n" * 17, b"\n%", b" ", b"\n\0"):
        assert not desk.verify(made + more).passed


def test_a_signature_that_is_cleared_is_missed(desk: Desk) -> None:
    made = signed(desk, Paper(), permission=2)
    made.write({40: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /P 10 0 R >>"})
    assert not desk.verify(made.pdf).passed
    both = signed(desk, Paper(), permission=2).sign(desk.citizen, "Second")
    both.write({40: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /P 10 0 R >>"})
    assert not desk.verify(both.pdf).passed


def test_a_signature_that_the_form_does_not_show_is_reported(desk: Desk) -> None:
    made = signed(desk, Paper())
    made.fields.clear()  # the second signer's program takes the first one out of the form
    both = made.sign(desk.citizen, "Second")
    report = desk.verify(both.pdf)
    assert Reason.UNSUPPORTED_SIGNATURE in report.reasons
    assert [check.detail for check in report.checks if check.name == "Signature1/coverage"] == [
        "no form field shows it"
    ]


def test_fields_that_are_locked() -> None:
    assert Lock("All").holds("a")
    assert Lock("Include", frozenset({"a"})).holds("a.b")
    assert not Lock("Include", frozenset({"a"})).holds("ab")
    assert not Lock("Exclude", frozenset({"a"})).holds("a.b")
    assert Lock("Exclude", frozenset({"a"})).holds("b")
    assert Lock("Whatever").holds("a")
    assert not Permissions().locked("a")


def test_objects_beyond_the_size_are_seen() -> None:
    made = Paper().pdf
    assert not Document(made).beyond_size()
    assert Document(made.replace(b"/Size 12", b"/Size 11")).beyond_size()

"""Files that readers understand differently, or that a reader understands differently after an update.

Most were prepared before they were signed. Each of these changes is one that poppler shows.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import (
    PADES,
    ROOM,
    SLOT,
    Paper,
    _reference_stream,
    filled,
    last_table,
    place_of,
    revised,
    stream,
)
from world.pdf_rich import ANNOTATION, drawn, rich

from signing.pdf.revisions.fields import MAX_NAME_CHARACTERS, Lock
from signing.pdf.revisions.metadata import say_the_same
from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

GOOD, EVIL = (stream(b"BT /F1 24 Tf 72 700 Td (%b) Tj ET" % word) for word in (b"GOOD", b"EVIL"))
STORE = b"<< /Certs [201 0 R] >>"
LAYER = b"/OC /P BDC BT /F1 24 Tf 72 700 Td (SHOWN) Tj ET EMC"


def lacking() -> Paper:
    """A page that refers to a font which is not there: some readers repair the file then."""
    paper = Paper()
    fonts = b"<< /Font << /F1 3 0 R /F2 99 0 R >> >>"
    return paper.write({10: paper.entry(10, Resources=fonts), 11: GOOD})


def stored(desk: Desk, data: bytes, **how: bytes) -> Paper:
    """Evidence behind a signature."""
    paper = lacking().sign(desk.agency)
    return paper.write({200: STORE, 201: data, 1: paper.entry(1, DSS=b"200 0 R")}, **how)


def pack_on_another(desk: Desk) -> Paper:
    """Where the objects of a stream begin stands in an object that is written anew."""
    values = b"    [13 0 R]  [11 0 R] "
    first, second = (5 + values.index(one) for one in (b"[11", b"[13"))
    paper = Paper()
    paper.write({13: EVIL, 10: paper.entry(10, Contents=b"12 0 R"), 60: b"%d" % first})
    place, previous = len(paper.pdf), last_table(paper.pdf)
    pack = stream(b"12 0 " + values, b"/Type /ObjStm /N 1 /First 60 0 R")
    pdf = paper.pdf + b"50 0 obj\n%b\nendobj\n" % pack
    rows = {12: (2, 50, 0), 50: (1, place, 0), 61: (1, len(pdf), 0)}
    table = _reference_stream(rows, 62, b"/Root 1 0 R /Prev %d" % previous)
    paper.pdf = pdf + b"61 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(pdf))
    return paper.sign(desk.agency).write({60: b"%d" % second})


def twice_in_one_update(desk: Desk) -> Paper:
    """The content is written anew, and a second table of the update leads back to the old one."""
    paper = lacking().sign(desk.agency)
    old = place_of(paper.pdf, 11)
    pdf = revised(paper.pdf, {11: EVIL})
    previous = last_table(pdf)
    pdf = pdf[: pdf.rindex(b"startxref")]
    paper.pdf = pdf + (
        b"xref\n11 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (old, previous, len(pdf))
    )
    return paper


def repaired_by_the_update(desk: Desk) -> Paper:
    """An object in no table lies in the signed part, and the update makes readers look for it."""
    paper = Paper()
    paper.write({5: b"<< >>"}, before=b"11 0 obj\n%b\nendobj\n" % EVIL)
    look = b"/Rect [9 9 99 99] /F 4 /AP << /N 999 0 R >>"
    return paper.sign(desk.agency).sign(desk.citizen, "Second", widget=look)


def table_beside_a_stream(desk: Desk) -> Paper:
    paper = Paper().write({13: EVIL})
    place, beside = place_of(paper.pdf, 13), len(paper.pdf)
    paper.pdf += b"70 0 obj\n%b\nendobj\n" % _reference_stream({11: (1, place, 0)}, 71, b"")
    paper.write({5: b"<< >>"}).sign(desk.agency)
    return paper.write({6: b"<< >>"}, layout="stream", trailer=b" /XRefStm %d" % beside)


def drawn_anew_no_more(desk: Desk) -> Paper:
    """Readers drew the field from its value; now they show a look that was prepared."""
    paper = rich()
    paper.write({20: paper.entry(20, NeedAppearances=b"true"), 31: drawn(b"EVIL")}).sign(desk.agency)
    form = paper.entry(20)
    del form["NeedAppearances"]
    return paper.write({20: form})


def letters_of_a_free_text(desk: Desk) -> Paper:
    paper = Paper()
    paper.notes.append(92)
    note = b"/Subtype /FreeText /Rect [72 300 400 400] /DA (0 g /F9 24 Tf) /Contents (checked)"
    paper.write(
        {
            20: {"Fields": b"[]", "DR": b"<< /Font << /F9 3 0 R >> >>"},
            92: b"<< %b %b >>" % (ANNOTATION, note),
        }
    ).sign(desk.agency)
    return paper.write(
        {
            6: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>",
            20: paper.entry(20, DR=b"<< /Font << /F9 6 0 R >> >>"),
        }
    )


def layers_in_a_field(desk: Desk) -> Paper:
    """What says which layers are shown is a field, too, and is filled in."""
    paper = Paper()
    field = (
        b"<< %b /Subtype /Widget /FT /Tx /T (Name) /V (%b) /Rect [72 600 272 620] /ON [80 0 R] /AS [%b] >>"
    )
    paper.form({30: field % (ANNOTATION, b"a", b"")})
    paper.write(
        {
            80: b"<< /Type /OCG /Name (L) /Usage << /View << /ViewState /OFF >> >> >>",
            1: paper.entry(1, OCProperties=b"<< /OCGs [80 0 R] /D 30 0 R >>"),
            10: paper.entry(10, Resources=b"<< /Font << /F1 3 0 R >> /Properties << /P 80 0 R >> >>"),
            11: stream(LAYER),
        }
    ).sign(desk.agency, permission=2)
    hidden = b"<< /Event /View /Category [/View] /OCGs [80 0 R] >>"
    return paper.write({30: field % (ANNOTATION, b"b", hidden)}).sign(desk.citizen, "Second")


def membership_in_a_field(desk: Desk) -> Paper:
    """When a layer is shown stands in a field to sign in, named as what leads upwards is."""
    field = b"<< /Type /OCMD /OCGs [80 0 R] /Subtype /Widget /FT /Sig /T (B) /Rect [0 0 0 0] /F 132 %b >>"
    paper = Paper()
    paper.form({30: field % b""})
    paper.write(
        {
            80: b"<< /Type /OCG /Name (L) >>",
            1: paper.entry(1, OCProperties=b"<< /OCGs [80 0 R] /D << /ON [80 0 R] >> >>"),
            10: paper.entry(10, Resources=b"12 0 R"),
            11: stream(LAYER),
            12: b"<< /Font << /F1 3 0 R >> /Properties << /P 30 0 R >> >>",
        }
    ).sign(desk.agency, permission=2)
    value = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter %b %b /Contents <%b> >>"
    paper.write(
        {
            30: field % b"/P /AllOff /V 200 0 R",
            200: value % (PADES, SLOT, b"00" * ROOM),
        }
    )
    paper.pdf = filled(paper.pdf, desk.citizen)
    return paper


def seal_on_two_pages(desk: Desk) -> Paper:
    """A new field lies over a note on one page, and over nothing on the other, which is looked at last."""
    paper = Paper()
    note = b"/Subtype /FreeText /Rect [72 300 400 400] /Contents (void) /AP << /N 93 0 R >>"
    paper.write(
        {
            2: paper.entry(2, Kids=b"[14 0 R 10 0 R]", Count=b"2"),
            14: paper.entry(10),
            10: paper.entry(10, Annots=b"[92 0 R]"),
            92: b"<< %b %b >>" % (ANNOTATION, note),
            93: drawn(b"void"),
        }
    )
    paper.notes.append(92)
    paper.sign(desk.agency)
    number = max(*map(int, re.findall(rb"/Size (\d+)", paper.pdf)), *(one + 1 for one in paper.objects))
    other = {14: paper.entry(14, Annots=b"[%d 0 R]" % number), 201: drawn(b"good")}
    look = b"/Rect [60 290 410 410] /F 4 /AP << /N 201 0 R >>"
    return paper.sign(desk.citizen, "Second", widget=look, more=other)


def smaller(desk: Desk) -> Paper:
    """The trailer states so few objects that the page's content is beyond them."""
    paper = Paper().sign(desk.agency).write({90: b"<< >>"})
    place = paper.pdf.rindex(b"/Size ")
    paper.pdf = paper.pdf[:place] + re.sub(rb"/Size \d\d", b"/Size 11", paper.pdf[place:], count=1)
    return paper


def pointed(desk: Desk) -> Paper:
    """The table before is named by a number with a point; there are readers that repair the file then."""
    paper = Paper().sign(desk.agency).write({90: b"<< >>"})
    place, start = paper.pdf.rindex(b"/Prev "), last_table(paper.pdf)
    paper.pdf = paper.pdf[:place] + re.sub(rb"/Prev (\d+)", rb"/Prev \1.0", paper.pdf[place:], count=1)
    assert last_table(paper.pdf) == start
    return paper


CASES: dict[str, Callable[[Desk], Paper]] = {
    "an object stream that hangs on an object": pack_on_another,
    "an object in the evidence": lambda d: stored(d, stream(b"\n11 0 obj\n%b\nendobj\n" % EVIL)),
    "an object in a string": lambda d: stored(d, b"(\n11 0 obj\n<< /Length 0 >>\n)"),
    "a trailer in the evidence": lambda d: stored(d, stream(b"\ntrailer\n<< /Root 300 0 R >>\n")),
    "a trailer in the trailer": lambda d: stored(
        d, stream(b"a"), trailer=b" /ID [(\ntrailer\n<< /Root 3 0 R >>) (a)]"
    ),
    "an object in a comment": lambda d: stored(d, stream(b"a"), before=b"%\x0c11 0 obj << /Length 0 >>\n"),
    "an object twice in one update": twice_in_one_update,
    "an update that leads nowhere": repaired_by_the_update,
    "a table beside a stream": table_beside_a_stream,
    "fields are not drawn anew any more": drawn_anew_no_more,
    "other letters for a free text": letters_of_a_free_text,
    "layers in a field": layers_in_a_field,
    "a layer's membership in a field": membership_in_a_field,
    "fewer objects than there are": smaller,
    "a number with a point": pointed,
    "a seal on two pages": seal_on_two_pages,
}


@pytest.mark.parametrize("name", CASES)
def test_readers_would_not_agree(desk: Desk, name: str) -> None:
    report = desk.verify(CASES[name](desk).pdf)
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}, report.reasons


def many_objects(number: int, *, widths: bytes = b"1 1 1") -> Paper:
    """A page behind which a stream says that so many objects are free."""
    paper, rows = Paper(), zlib.compress(b"\0" * sum(map(int, widths.split())) * number)
    start = len(paper.pdf)
    entries = b"/Type /XRef /Size %d /W [%b] /Index [1000 %d] /Filter /FlateDecode /Root 1 0 R /Prev %d" % (
        number + 2000, widths, number, last_table(paper.pdf) or 0,
    )  # fmt: skip
    table = b"%d 0 obj\n%b\nendobj\n" % (number + 1500, stream(rows, entries))
    paper.pdf += table + b"startxref\n%d\n%%%%EOF\n" % start
    return paper


@pytest.mark.parametrize(
    ("widths", "row", "number"),
    [
        (b"8 8 8", b"\0" * 24, 55),
        (b"1 1 1", b"\7\0\0", 55),
        (b"1 1 1", b"\0\0\0", 1 << 23),
        (b"1 1 1", b"\0\0\0", 4_000_000_000),
    ],
    ids=["wide columns", "a kind that is not known", "a large number", "a huge number"],
)
def test_a_table_that_readers_repair(desk: Desk, widths: bytes, row: bytes, number: int) -> None:
    """They take the last object of each number then, and there may be one in no table."""
    paper = Paper().sign(desk.agency)
    start, previous = len(paper.pdf), last_table(paper.pdf) or 0
    entries = b"/Type /XRef /Size %d /W [%b] /Index [%d 1] /Root 1 0 R /Prev %d" % (
        max(number, 99) + 1, widths, number, previous,
    )  # fmt: skip
    table = b"98 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(row, entries), start)
    assert desk.verify(paper.pdf + table).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_many_revisions_of_many_objects_are_too_much(desk: Desk) -> None:
    """Each state of a file has its table: a small file could fill the memory."""
    paper = many_objects(100_000).sign(desk.agency)
    for _ in range(60):
        paper.write({})
    assert desk.verify(paper.pdf).reasons == {Reason.TOO_LARGE}
    few = many_objects(1000).sign(desk.agency)
    for _ in range(60):
        few.write({})
    assert desk.verify(few.pdf).passed


def test_a_table_with_a_fourth_column(desk: Desk) -> None:
    """Some readers take three numbers for each object, whatever the table says."""
    assert desk.verify(many_objects(10).sign(desk.agency).write({}).pdf).passed
    assert not desk.verify(many_objects(10, widths=b"1 1 1 1").sign(desk.agency).write({}).pdf).passed


def test_evidence_itself_is_good(desk: Desk) -> None:
    assert desk.verify(stored(desk, stream(b"a trailer, 11 0 objects")).pdf).reasons == {
        Reason.DOCUMENT_CHANGED_AFTER_SIGNING
    }
    assert desk.verify(stored(desk, stream(b"a trailer, 0 objects")).pdf).passed


def test_a_name_that_was_cut_is_locked() -> None:
    assert Lock("Include", frozenset({"x" * 2000})).holds("x" * MAX_NAME_CHARACTERS)
    assert not Lock("Include", frozenset({"y"})).holds("x")


def test_a_packet_with_more_than_its_properties() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        b"%b</x:xmpmeta>"
    )
    assert say_the_same(packet % b"", packet % b" ")
    assert not say_the_same(packet % b"", packet % b"<x:more/>")

"""What was signed waits for an update: actions, layers and scripts that show another thing once it is there.

Whoever prepares a document for somebody's signature knows what names and numbers an update will have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from world.pdf_forms import KIND, NAME, fill_name, kind, name, signed, waiting, written
from world.pdf_paper import RFC3161, ROOM, SLOT, Paper, filled, stream
from world.pdf_pictures_attacks import stamp_of
from world.pdf_rich import ANNOTATION

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk
    from world.pdf_paper import Body

CHANGED = {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
COVER = stream(
    b"1 g 0 0 500 200 re f 0 g BT /F1 24 Tf 10 100 Td (EVIL) Tj ET",
    b"/Subtype /Form /BBox [0 0 500 200] /Resources << /Font << /F1 3 0 R >> >>",
)
TAGGED = stream(b"/P << /MCID 0 >> BDC BT /F1 24 Tf 72 700 Td (GOOD) Tj ET EMC")
SCRIPT = b"<< /S /JavaScript /JS (this.getField('Other').display = display.visible) >>"
STAMPED = b"<< /Type /OCMD /OCGs 50 0 R /FT /Sig /T (Stamp) /V 95 0 R /P 97 0 R %b >>"


def stamped(desk: Desk, paper: Paper, widget: bytes = b"", more: dict[int, Body] | None = None) -> Paper:
    """A time-stamp in a field that has no place, or has this one; nobody signs for it."""
    widget = b"/Rect [0 0 0 0] /F 132" + widget if b"/Rect" not in widget else widget
    return paper.sign(stamp_of(desk), "Stamp", kind=RFC3161, widget=widget, more=more)


def shown_by_an_action(desk: Desk) -> Paper:
    """A hidden field is shown by its name when the file is opened."""
    paper = Paper()
    paper.write({1: paper.entry(1, OpenAction=b"<< /S /Hide /T (Stamp) /H false >>")})
    paper.sign(desk.agency, permission=1)
    widget = b"/Rect [50 600 550 800] /F 2 /AP << /N 90 0 R >>"
    return stamped(desk, paper, widget, {90: COVER})


def layered(desk: Desk, note: bytes, own: bytes = b"") -> Paper:
    """What tells whether something is shown is a field to sign in as well, and is signed (MuPDF, pdf.js)."""
    paper = Paper()
    layers = b"<< /OCGs [50 0 R] /D << /OFF [50 0 R] >> >>"
    paper.fields += [60, 62] if b"/FT" in note else [60]
    paper.notes.append(62)
    paper.write(
        {
            **paper._home(),
            50: b"<< /Type /OCG /Name (L) >>",
            60: b"<< /Type /OCMD /OCGs 50 0 R /FT /Sig /T (Stamp) %b >>" % own,
            62: b"<< %b %b /Rect [50 600 550 800] /AP << /N 90 0 R >> /OC 60 0 R >>" % (ANNOTATION, note),
            90: COVER,
        }
    )
    paper.write({1: paper.entry(1, OCProperties=layers)}).sign(desk.agency, permission=1)
    value = b"<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 %b /Contents <%b> >>"
    changes: dict[int, Body] = {60: STAMPED % own, 97: b"/AllOff", 95: value % (SLOT, b"00" * ROOM)}
    paper.write(changes, plain=(95,))
    paper.pdf = filled(paper.pdf, stamp_of(desk))
    return paper


def tagged(desk: Desk, page: bytes | None = b"0", listed: bytes = b"") -> Paper:
    """A tagged page; without a number its words have no way up into the structure."""
    paper = Paper()
    listed = listed or (b"[0 [31 0 R]]" if page else b"[]")
    part = b"/Pg 10 0 R /K 0" if page else b""
    paper.write(
        {
            30: {"Type": b"/StructTreeRoot", "K": b"[31 0 R]", "ParentTree": b"<< /Nums %b >>" % listed},
            31: b"<< /Type /StructElem /S /P /P 30 0 R %b >>" % part,
            32: b"<< /Type /StructElem /S /Span /P 31 0 R /Pg 10 0 R /K 0 /ActualText (EVIL) >>",
            11: TAGGED,
            10: paper.entry(10, **({"StructParents": page} if page else {})),
            1: paper.entry(1, StructTreeRoot=b"30 0 R", MarkInfo=b"<< /Marked true >>"),
        }
    )
    return paper.sign(desk.agency, permission=1)


def spoken_beside(desk: Desk) -> Paper:
    """Readers that speak say what an element says that stands for nothing."""
    paper = tagged(desk)
    spoken = b"<< /Type /StructElem /S /P /P 30 0 R /Pg 10 0 R /Alt (This document is void) >>"
    return stamped(desk, paper, more={30: paper.entry(30, K=b"[92 0 R 31 0 R]"), 92: spoken})


def spoken_for_a_stamp(desk: Desk) -> Paper:
    """Readers that speak say what the element of an unseen field says."""
    paper = tagged(desk)
    number = max(paper.objects) + 1
    spoken = (
        b"<< /Type /StructElem /S /Form /P 30 0 R /Pg 10 0 R /Alt (This document is void)"
        b" /K << /Type /OBJR /Obj %d 0 R >> >>" % number
    )
    nums = b"<< /Nums [0 [31 0 R] 1 92 0 R] >>"
    root = paper.entry(30, K=b"[92 0 R 31 0 R]", ParentTree=nums)
    return stamped(desk, paper, b" /StructParent 1", {30: root, 92: spoken})


def other_words(desk: Desk) -> Paper:
    """Other words for those of the page, by the way from the page up into the structure (MuPDF)."""
    paper = tagged(desk, None)
    notes = b"[%d 0 R %d 0 R]" % (paper.notes[-1], max(paper.objects) + 1)
    said = b"<< /Type /StructElem /S /Span /P 31 0 R /Pg 10 0 R /K 0 /ActualText (EVIL) >>"
    return stamped(
        desk,
        paper,
        more={
            10: paper.entry(10, StructParents=b"0", Annots=notes),
            30: paper.entry(30, ParentTree=b"<< /Nums [0 [92 0 R]] >>"),
            92: said,
        },
    )


def prepared_words(desk: Desk) -> Paper:
    """As `other_words`, and the words wait in the signed part for the page's number."""
    paper = tagged(desk, None, listed=b"[3 [32 0 R]]")
    return paper.write({10: paper.entry(10, StructParents=b"3")})


PREPARED: dict[str, Callable[[Desk], Paper]] = {
    "a hidden field is shown by an action": shown_by_an_action,
    "a comment's layer is a field": lambda d: layered(d, b"/Subtype /Stamp"),
    "a field's layer is a field": lambda d: layered(d, b"/Subtype /Widget /FT /Tx /T (Other)"),
    "words that are spoken": spoken_beside,
    "words that are spoken for an unseen field": spoken_for_a_stamp,
    "other words for those of the page": other_words,
    "other words that wait for it": prepared_words,
}


@pytest.mark.parametrize("case", PREPARED)
def test_a_stamp_sets_off_what_was_prepared(desk: Desk, case: str) -> None:
    assert desk.verify(PREPARED[case](desk).pdf).reasons == CHANGED


RUN: dict[str, dict[int, Body]] = {
    "when it is opened": {1: b"OpenAction"},
    "when something happens": {1: b"AA"},
    "by another field": {KIND: kind(b"/AA << /C %b >>" % SCRIPT)},
    "by itself": {NAME: name(b"/AA << /V << /S /ResetForm /Next [%b] >> >>" % SCRIPT)},
    "from a stream of its own": {NAME: name(b"/AA << /K 70 0 R >>"), 70: b"<< /S /JavaScript /JS 71 0 R >>"},
}


@pytest.mark.parametrize("case", RUN)
def test_a_script_waits_for_a_value(desk: Desk, case: str) -> None:
    """It may show a hidden field, or calculate another one, once a field is filled in."""
    more = dict(RUN[case])
    key = more.pop(1, None)
    paper = waiting(more | ({71: stream(b"0")} if 70 in more else {}))
    if isinstance(key, bytes):
        paper.write({1: paper.entry(1, **{key.decode(): b"<< /WC %b >>" % SCRIPT})})
    extra = re.search(rb"/AA .*(?= >>)", more[NAME]) if isinstance(more.get(NAME), bytes) else None
    paper = signed(desk, paper)
    assert desk.verify(paper.pdf).passed
    said = b"/V (Li) " + (extra[0] if extra else b"")
    paper.write({NAME: name(said, shown=131), 131: written(b"Li")})
    assert desk.verify(paper.pdf).reasons == CHANGED


def test_without_a_script_it_passes(desk: Desk) -> None:
    assert desk.verify(fill_name(signed(desk), b"Li").pdf).passed


def test_the_catalogue_names_an_approval_as_certification(desk: Desk) -> None:
    """Who prepares a document cannot make a certification of the signature that comes next."""
    value = int(re.findall(rb"/V (\d+) 0 R", Paper().slot().pdf)[-1])
    paper = Paper()
    home = {**paper.entry(1), "AcroForm": b"20 0 R", "Perms": b"<< /DocMDP %d 0 R >>" % value}
    report = desk.verify(paper.sign(desk.agency, more={1: home}).pdf)
    assert report.findings["signatures"][0]["certifies"] is False
    assert not report.require().signatures[0].certifies


@pytest.mark.parametrize("fields", [b"(Name)", b"[/Name]", b"[(Other) 1]", b"<< >>"])
def test_a_lock_that_is_not_understood_locks_all(desk: Desk, fields: bytes) -> None:
    lock = b"<< /Type /SigFieldLock /Action /Include /Fields %b >>" % fields
    assert desk.verify(fill_name(signed(desk, lock=lock), b"Li").pdf).reasons == CHANGED

"""Values that stand in objects of their own: each is changed, and who names it stays the same to the byte.

A length, a filter, a flag or the order of objects in a stream are as good as content: what is read through a
reference is compared as what it comes to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Body, Paper, encoded, object_stream, one_page
from world.pdf_rich import ANNOTATION, drawn

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

CHANGED = Reason.DOCUMENT_CHANGED_AFTER_SIGNING
TEXT = b"BT /F1 24 Tf 72 700 Td (Licence 001) Tj ET BT (999) Tj ET"
# What each object is, and what an attacker makes of it.
PAGE: dict[int, tuple[bytes, bytes]] = {
    60: (b"[10 0 R]", b"[10 0 R 10 0 R]"),
    61: (b"1", b"2"),
    62: (b"[0 0 595 842]", b"[0 0 9 9]"),
    63: (b"0", b"90"),
    64: (b"<< /Font 65 0 R >>", b"<< >>"),
    65: (b"<< /F1 3 0 R >>", b"<< >>"),
    66: (b"[11 0 R]", b"[]"),
    67: (b"/Helvetica", b"/Symbol"),
    68: (b"%d" % len(TEXT), b"42"),
    69: (b"[0 0 500 700]", b"[0 0 9 9]"),
    70: (b"[]", b"/ASCIIHexDecode"),
}
FORM: dict[int, tuple[bytes, bytes]] = {
    30: (
        b"<< %b /Subtype /Widget /FT 80 0 R /T 81 0 R /V (Zhang) /DA 83 0 R" % ANNOTATION
        + b" /Rect 84 0 R /Ff 85 0 R /AP 86 0 R >>",
        b"<< >>",
    ),
    31: (drawn(b"Zhang"), drawn(b"Li")),
    80: (b"/Tx", b"/Btn"),
    81: (b"(Name)", b"(Other)"),
    83: (b"(/F1 12 Tf)", b"(/F9 12 Tf)"),
    84: (b"[72 600 272 620]", b"[0 0 595 842]"),
    85: (b"0", b"4096"),
    86: (b"<< /N 31 0 R >>", b"<< >>"),
    87: (b"<< /Font << /F1 3 0 R >> >>", b"<< /Font << /F1 31 0 R >> >>"),
    88: (b"(/F1 1 Tf)", b"(/F9 1 Tf)"),
}
VALUE: dict[str, tuple[bytes, bytes, bytes]] = {
    "why": (b"/Reason 60 0 R", b"(Approved)", b"(Rejected)"),
    "where": (b"/Location 60 0 R", b"(Jin)", b"(Hai)"),
    "when": (b"/M 60 0 R", b"(D:20261120120000Z)", b"(D:20201120120000Z)"),
    "what is permitted": (
        b"/Reference 60 0 R",
        b"[<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >>]",
        b"null",
    ),
}


def by_references() -> Paper:
    objects = one_page() | {number: good for number, (good, _) in PAGE.items()}
    page = objects[10]
    assert isinstance(page, dict)
    objects |= {
        2: b"<< /Type /Pages /Kids 60 0 R /Count 61 0 R /MediaBox 62 0 R /Rotate 63 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont 67 0 R >>",
        10: {**page, "Resources": b"64 0 R", "Contents": b"66 0 R", "CropBox": b"69 0 R"},
        11: b"<< /Length 68 0 R /Filter 70 0 R >>\nstream\n" + TEXT + b"\nendstream",
    }
    paper = Paper(objects)
    more: dict[int, Body] = {number: good for number, (good, _) in FORM.items()}
    return paper.form({30: more.pop(30)}, more, DR=b"87 0 R", DA=b"88 0 R")


@pytest.fixture(scope="module")
def paper(desk: Desk) -> Paper:
    return by_references().sign(desk.agency)


def refused(desk: Desk, paper: Paper) -> None:
    """Neither alone nor with somebody's signature behind it."""
    assert desk.verify(paper.pdf).reasons == {CHANGED}
    assert desk.verify(paper.sign(desk.citizen, "Second").pdf).reasons == {CHANGED}


@pytest.mark.parametrize("number", [*PAGE, *FORM])
def test_what_a_reference_leads_to_is_changed(desk: Desk, paper: Paper, number: int) -> None:
    evil = {**PAGE, **FORM}[number][1]
    refused(desk, paper.copy().write({number: evil}))


@pytest.mark.parametrize("number", PAGE)
def test_what_a_reference_leads_to_is_freed(desk: Desk, paper: Paper, number: int) -> None:
    assert not desk.verify(paper.copy().write({}, freed=(number,)).pdf).passed


@pytest.mark.parametrize("name", VALUE)
def test_what_a_signature_says_of_itself_elsewhere(desk: Desk, name: str) -> None:
    entry, good, evil = VALUE[name]
    signed = Paper().sign(desk.agency, entries=entry, more={60: good})
    assert desk.verify(signed.pdf).passed
    refused(desk, signed.write({60: evil}))


PACKED = {number: encoded(body) for number, body in one_page().items() if number in {2, 3, 10}}
HOLDERS: dict[str, Callable[[], bytes]] = {
    "the font in it": lambda: object_stream({**PACKED, 3: b"<< /Type /Font /BaseFont /Symbol >>"}),
    "the size of all pages in it": lambda: object_stream({**PACKED, 2: PACKED[2].replace(b"842", b"9")}),
    "the order in it": lambda: object_stream(dict(reversed(PACKED.items()))),
    "nothing in it": lambda: object_stream({}),
}


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize("layout", ["table", "stream"])
def test_an_object_stream_is_written_anew(desk: Desk, name: str, layout: str) -> None:
    """The entries of what it holds stay as they are."""
    paper = Paper(layout="packed").sign(desk.agency)
    assert b"100 0 obj\n<< /Type /ObjStm" in paper.pdf
    assert desk.verify(paper.pdf).passed
    assert not desk.verify(paper.write({100: HOLDERS[name]()}, layout=layout).pdf).passed


def test_what_all_these_start_from_is_good(desk: Desk, paper: Paper) -> None:
    assert desk.verify(paper.pdf).passed
    assert desk.verify(paper.copy().sign(desk.citizen, "Second").pdf).passed

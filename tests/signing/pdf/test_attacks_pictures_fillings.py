"""Fillings that would be told as one thing and are drawn as another: readers of other makers drew each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Paper, stream
from world.pdf_rich import ANNOTATION

if TYPE_CHECKING:
    from world.desk import Desk

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica %b >>"
DIGITS = HELVETICA % b"/FirstChar 48 /LastChar 57 /Widths [%b]"
PLACE, WIDE, LARGE = b"72 600 272 620", b"60 690 400 730", b"0 600 595 842"


def field(place: bytes, letters: bytes, more: bytes = b"") -> bytes:
    entries = b"/Subtype /Widget /FT /Tx /T (Name) /DA (%b) /Rect [%b] %b"
    return b"<< %b %b >>" % (ANNOTATION, entries % (letters, place, more))


def signed(desk: Desk, empty: bytes, font: bytes, **form: bytes) -> Paper:
    paper = Paper().write({4: font})
    fonts = b"<< /Font << /F1 3 0 R /F2 4 0 R >> >>"
    return paper.form({30: empty}, DR=fonts, DA=b"(/F1 12 Tf 0 g)", **form).sign(desk.agency, permission=2)


def without_look(
    desk: Desk, value: bytes, letters: bytes, *, place: bytes = PLACE, font: bytes = HELVETICA % b""
) -> Paper:
    """Readers draw it by its letters."""
    paper = signed(desk, field(place, letters), font)
    return paper.write({30: field(place, letters, b"/V (%b)" % value)})


def with_look(desk: Desk, value: bytes, drawing: bytes, font: bytes = HELVETICA % b"") -> Paper:
    letters = b"/F1 12 Tf 0 g"
    paper = signed(desk, field(PLACE, letters), HELVETICA % b"")
    entries = b"/Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R /F2 %b >> >>" % font
    filled = field(PLACE, letters, b"/V (%b) /AP << /N 131 0 R >>" % value)
    return paper.write({30: filled, 131: stream(drawing, entries)})


def text(value: bytes, font: bytes = b"F2 12", place: bytes = b"2 5", before: bytes = b"") -> bytes:
    return b"%b BT /%b Tf 0 g %b Td (%b) Tj ET" % (before, font, place, value)


DINGBATS = b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"
OTHER_NAME = HELVETICA % b"/FontDescriptor << /Type /FontDescriptor /FontName /ZapfDingbats /Flags 4 >>"
WITHOUT = {
    "letters over the page": (b"VOID", b"/F1 200 Tf 0 g", LARGE, HELVETICA % b""),
    "letters as large as their place": (b"VOID", b"/F1 0 Tf 0 g", LARGE, HELVETICA % b""),
    "white blocks": (b"nnnnnnnn", b"/F2 40 Tf 1 g", WIDE, DINGBATS),
    "white letters": (b"MMMMMMMM", b"/F1 60 Tf 1 g", WIDE, HELVETICA % b""),
    "letters that are moved": (b"100", b"/F1 12 Tf 0 g 1 0 0 1 0 90 Tm", PLACE, HELVETICA % b""),
    "letters of two sizes": (b"100", b"/F1 12 Tf 0 g /F1 120 Tf", PLACE, HELVETICA % b""),
    "letters that are not seen": (b"100", b"/F1 12 Tf 3 Tr 0 g", PLACE, HELVETICA % b""),
    "other letters": (
        b"100", b"/F2 12 Tf 0 g", PLACE, HELVETICA % b"/Encoding << /Differences [48 /nine 49 /nine] >>",
    ),
}  # fmt: skip
DRAWN = {
    "letters that go back": (b"100", text(b"100", place=b"150 5"), DIGITS % (b"-556 " * 10)),
    "letters over each other": (b"100", text(b"100"), DIGITS % (b"0 " * 10)),
    "letters far away": (b"1001", text(b"1001"), DIGITS % (b"556 19000 " + b"556 " * 8)),
    "another letter above ASCII": (
        b"1\xe9", text(b"1\xe9"), HELVETICA % b"/Encoding << /Differences [233 /nine] >>",
    ),
    "a font by two names": (b"100", text(b"100"), OTHER_NAME),
    "letters before the box": (b"NOT VALID", text(b"NOT VALID", place=b"-30 5"), HELVETICA % b""),
    "letters above the box": (
        b"NOT VALID", text(b"NOT", place=b"2 500") + text(b"VALID"), HELVETICA % b"",
    ),
    "letters that are cut off": (
        b"NOT VALID", text(b"NOT VALID", before=b"32 0 200 20 re W n"), HELVETICA % b"",
    ),
    "letters in no place": (b"NOT VALID", text(b"NOT VALID", before=b"0 0 0 0 re W n"), HELVETICA % b""),
    "far words": (b"VALID NOT", text(b"VALID NOT", before=b"900 Tw"), HELVETICA % b""),
    "far letters": (b"1000", text(b"1000", before=b"900 Tc"), HELVETICA % b""),
    "letters put far away": (
        b"1000", b"BT /F1 12 Tf 0 g 2 5 Td [(1) -99000 (000)] TJ ET", HELVETICA % b"",
    ),
    "a letter too small": (
        b"1000", b"BT /F1 0.1 Tf 0 g 2 5 Td (1) Tj /F1 12 Tf (000) Tj ET", HELVETICA % b"",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT)
def test_a_value_is_drawn_otherwise(desk: Desk, name: str) -> None:
    value, letters, place, font = WITHOUT[name]
    paper = without_look(desk, value, letters, place=place, font=font)
    assert not desk.verify(paper.pdf).passed


@pytest.mark.parametrize("name", DRAWN)
def test_a_look_says_another_thing(desk: Desk, name: str) -> None:
    assert not desk.verify(with_look(desk, *DRAWN[name]).pdf).passed


def test_ordinary_fillings_pass(desk: Desk) -> None:
    plain = without_look(desk, b"100", b"/F2 12 Tf 0 g"), with_look(desk, b"100", text(b"100"))
    assert all(desk.verify(paper.pdf).passed for paper in plain)

"""Fillings behind the last signature that are more than that: what was shown is exchanged, hidden, covered.

Each field was empty when the form was signed, unless the row says otherwise; the signature permits fillings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_forms import (
    BOX,
    FONTS,
    FRAME,
    KIND,
    LOOK,
    NAME,
    box,
    fill_name,
    kind,
    look,
    name,
    signed,
    ticked,
    waiting,
    written,
)
from world.pdf_paper import references, stream

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk
    from world.pdf_paper import Paper

TEXT = b" /Tx BMC BT /F1 12 Tf 0 g 2 5 Td (Li) Tj ET EMC"
EVIL = b"<< /Type /Font /Subtype /%b /BaseFont /Helvetica %b >>"
TYPE3 = b"<< /Font << /T3 << /Type /Font /Subtype /Type3 /BaseFont /Helvetica >> >> >>"
ALL = b"<< /Type /SigFieldLock /Action /All >>"
NAMED = b"<< /Type /SigFieldLock /Action /Include /Fields [(Name)] >>"


def drawn(content: bytes, more: bytes = FONTS) -> Callable[[Desk], Paper]:
    """The name is filled in, and its look is this one."""
    return lambda desk: fill_name(signed(desk), b"Li", look(content, more=more))


def lettered(font: bytes) -> Callable[[Desk], Paper]:
    """The name is written in a font that comes with it."""
    more = b"/Resources << /Font << /New 132 0 R >> >>"
    content = look(FRAME + b" BT /New 12 Tf 0 g 2 5 Td (Li) Tj ET", more=more)
    return lambda desk: fill_name(signed(desk), b"Li", content).write({132: font})


def entry(more: bytes) -> Callable[[Desk], Paper]:
    """The name is filled in, and its dictionary says this as well."""
    return lambda desk: signed(desk).write({NAME: name(b"/V (Li) " + more, shown=131), 131: written(b"Li")})


def before(
    more: dict[int, bytes], fill: Callable[[Paper], Paper] = fill_name, **form: bytes
) -> Callable[[Desk], Paper]:
    """The form was prepared so before it was signed, and then filled in."""
    return lambda desk: fill(signed(desk, waiting(dict(more), **form)))


def tick(mark: bytes, off: bytes = look(b"", b"20 20")) -> Callable[[Desk], Paper]:
    """A box whose mark was prepared so before it was signed, and is ticked."""
    return before({33: mark, 34: off}, lambda paper: paper.write({BOX: box(b"Yes")}))


VALUES: dict[str, Callable[[Desk], Paper]] = {
    "it had a value": before({NAME: name(b"/V (Zhang)"), LOOK: written(b"Zhang")}),
    "it had a value that was not drawn": before({NAME: name(b"/V (Zhang)")}),
    "it had no value, and a look that said one": before({LOOK: written(b"Zhang")}),
    "it had a look in rich text": before({NAME: name(b"/RV (<p>Zhang</p>)")}),
    "its group had a value": before(
        {
            NAME: name(b"/Parent 60 0 R"),
            60: b"<< /T (Group) /FT /Tx /V (Zhang) /Kids [30 0 R] >>",
        },
        lambda p: p.write({NAME: name(b"/Parent 60 0 R /V (Li)", shown=131), 131: written(b"Li")}),
    ),
    "another text is drawn than the value": lambda d: fill_name(signed(d), b"Li", written(b"Wang")),
    "more text is drawn than the value": lambda d: fill_name(signed(d), b"Li", written(b"Li, and void")),
    "it is a password": before(
        {NAME: name(b"/Ff 8192")}, lambda p: p.write({NAME: name(b"/Ff 8192 /V (Li)")})
    ),
    "rich text comes with it": entry(b"/RV (<p>Wang</p>)"),
    "it is drawn with other letters from now on": lambda d: signed(d).write(
        {NAME: name(b"/V (Li)").replace(b"/F1 12 Tf", b"/F1 99 Tf")}
    ),
    "it gets a background": entry(b"/MK << /BG [1] >>"),
    "it gets an action": entry(b"/A << /S /JavaScript /JS (app.alert(1)) >>"),
    "it runs something": entry(b"/AA << /F << /S /JavaScript /JS (0) >> >>"),
    "it goes to a layer": entry(b"/OC << /Type /OCG /Name (x) >>"),
    "it grows": lambda d: signed(d).write(
        {NAME: name(b"/V (Li)", rect=b"0 0 595 842", shown=131), 131: written(b"Li")}
    ),
    "it has a look for the mouse": lambda d: signed(d).write(
        {NAME: name(b"/V (Li)").replace(b"/N 31 0 R", b"/N 31 0 R /R 131 0 R"), 131: written(b"Wang")}
    ),
    "it has looks by state": lambda d: signed(d).write(
        {NAME: name(b"/V (Li) /AS /a").replace(b"/N 31 0 R", b"/N << /a 131 0 R >>"), 131: written(b"Li")}
    ),
    "its value is a stream": lambda d: signed(d).write({NAME: name(b"/V 131 0 R"), 131: stream(b"Li")}),
    "the form is shown by another one": before({}, XFA=b"[(template) 61 0 R]"),
    "the choice is another one in the list": lambda d: signed(d).write({KIND: kind(b"/V (2) /I [0]")}),
    "the choice shows another text": lambda d: signed(d).write(
        {KIND: kind(b"/V (2) /I [1]", shown=131), 131: written(b"food")}
    ),
}

LOOKS: dict[str, Callable[[Desk], Paper]] = {
    "the frame is white now": drawn(FRAME.replace(b"0.9 0.95 1 rg", b"1 g") + TEXT),
    "a white ground where none was": before({LOOK: look(b"")}, lambda p: fill_name(p, b"Li", written(b"Li"))),
    "its frame is gone": drawn(TEXT),
    "a picture is drawn": drawn(FRAME + TEXT + b" /Im1 Do"),
    "a picture lies within": drawn(FRAME + TEXT + b" BI /W 1 /H 1 /BPC 8 /CS /G ID \0 EI"),
    "a shading is drawn": drawn(FRAME + TEXT + b" /Sh1 sh"),
    "a pattern is drawn": drawn(FRAME + TEXT + b" /Pattern cs /P1 scn 0 0 9 9 re f"),
    "a state of drawing is set": drawn(b"/GS1 gs " + FRAME + TEXT),
    "a line is drawn through": drawn(FRAME + TEXT + b" 0 10 m 200 10 l S"),
    "letters as ways": drawn(FRAME + TEXT + b" 50 2 m 60 18 l 70 2 l S"),
    "the frame is drawn over its letters with another line": drawn(FRAME.replace(b" 1 w", b" 40 w") + TEXT),
    "the frame's cut is taken away": before(
        {LOOK: look(b"q 0 0 1 1 re W n 1 g 0 0 200 20 re f Q")},
        lambda p: fill_name(p, b"Li", look(b"1 g 0 0 200 20 re f" + TEXT)),
    ),
    "white letters": drawn(FRAME + TEXT.replace(b"0 g", b"1 g")),
    "letters that are not painted": drawn(FRAME + TEXT.replace(b"0 g", b"3 Tr")),
    "huge letters": drawn(FRAME + TEXT.replace(b"12 Tf", b"900 Tf")),
    "letters made huge by a matrix": drawn(FRAME + TEXT.replace(b"2 5 Td", b"90 0 0 90 2 5 Tm")),
    "letters stretched": drawn(FRAME + TEXT.replace(b"0 g", b"900 Tz")),
    "letters turned": drawn(FRAME + TEXT.replace(b"2 5 Td", b"0 1 -1 0 9 5 Tm")),
    "the second letter before the first": drawn(
        FRAME + b" BT /F1 9 Tf 0 g 50 5 Td (L) Tj -40 0 Td (i) Tj ET"
    ),
    "the second letter above the first": drawn(FRAME + b" BT /F1 9 Tf 0 g 5 5 Td (L) Tj 0 9 Td (i) Tj ET"),
    "letters that begin outside": drawn(FRAME + TEXT.replace(b"2 5", b"-30 5")),
    "letters that end outside": drawn(FRAME + TEXT.replace(b"2 5", b"197 5").replace(b"12 Tf", b"20 Tf")),
    "letters that are cut off": drawn(FRAME + b" 99 0 9 20 re W n" + TEXT),
    "letters that are cut by a curve": drawn(FRAME + b" 0 0 m 9 9 9 9 0 9 c W n" + TEXT),
    "letters far apart": drawn(FRAME + TEXT.replace(b"0 g", b"0 g 900 Tc")),
    "letters pushed away": drawn(FRAME + b" BT /F1 9 Tf 0 g 5 5 Td [(L) -9000 (i)] TJ ET"),
    "letters that nobody can read": drawn(FRAME + TEXT.replace(b"12 Tf", b"0.1 Tf")),
    "letters over each other": lettered(EVIL % (b"Type1", b"/FirstChar 0 /Widths [%b]" % (b"0 " * 255))),
    "letters without a width": lettered(EVIL % (b"Type1", b"/FirstChar 99 /Widths [500]")),
    "a font that is described as another": lettered(
        EVIL % (b"Type1", b"/FontDescriptor << /FontName /ZapfDingbats >>")
    ),
    "letters that go backwards": drawn(FRAME + TEXT.replace(b"0 g", b"-20 Tc")),
    "letters pulled back": drawn(FRAME + b" BT /F1 9 Tf 0 g 50 5 Td [(L) 2000 (i)] TJ ET"),
    "a scale for all": drawn(b"9 0 0 9 0 0 cm " + FRAME + TEXT),
    "a layer for all": drawn(FRAME + b" /OC /Layer BDC" + TEXT + b" EMC"),
    "letters in a layer that is not shown": drawn(FRAME + TEXT, FONTS + b" /OC << /Type /OCG /Name (x) >>"),
    "transparency": drawn(FRAME + TEXT, FONTS + b" /Group << /S /Transparency >>"),
    "a matrix of its own": drawn(FRAME + TEXT, FONTS + b" /Matrix [9 0 0 9 0 0]"),
    "a smaller box, which is stretched": lambda d: fill_name(
        signed(d, waiting({LOOK: look(b"", b"20 2")})),
        b"Li",
        look(b"BT /F1 1 Tf 0 g 1 1 Td (Li) Tj ET", b"20 2"),
    ),
    "the data lie in another file": drawn(FRAME + TEXT, FONTS + b" /F (a.bin)"),
    "an operator that is none": drawn(FRAME + TEXT + b" 1 2 3 zz"),
    "a string without end": drawn(FRAME + TEXT + b" (("),
    "very many operations": drawn(FRAME + TEXT + b" q Q" * 4000),
    "a font with letters of its own": lettered(
        EVIL % (b"Type1", b"/FontDescriptor << /FontFile3 133 0 R >>")
    ),
    "a font that draws its letters": lettered(
        b"<< /Type /Font /Subtype /Type3 /BaseFont /Helvetica /FontMatrix [1 0 0 1 0 0] /CharProcs << >> >>"
    ),
    "a font with other codes": lettered(EVIL % (b"Type1", b"/Encoding << /Differences [76 /W] >>")),
    "a font with codes of glyphs": lettered(EVIL % (b"Type0", b"/Encoding /Identity-H")),
    "a font of signs": lettered(b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"),
    "a font that nobody has": lettered(b"<< /Type /Font /Subtype /TrueType /BaseFont /Mallory >>"),
    "a font of the form that draws its letters": before(
        {}, lambda p: fill_name(p, b"Li", look(FRAME + TEXT.replace(b"F1", b"T3"), more=b"")), DR=TYPE3
    ),
    "a font of another kind": lettered(b"<< /Type /Font /Subtype [/Type1] /BaseFont [/Helvetica] >>"),
}

# Readers draw these values themselves.
DRAWN: dict[str, tuple[bytes, bytes]] = {
    "huge letters": (b"/F1 200 Tf", b"0 600 595 842"),
    "letters that fill a large box": (b"/F1 0 Tf", b"0 600 595 842"),
    "white letters": (b"/F1 12 Tf 1 g", b"72 600 272 620"),
    "signs": (b"/Zd 12 Tf 0 g", b"72 600 272 620"),
    "tiny letters": (b"/F1 0.1 Tf 0 g", b"72 600 272 620"),
    "letters of an odd colour": (b"/F1 12 Tf /P1 scn", b"72 600 272 620"),
    "letters over each other": (b"/Odd 12 Tf 0 g", b"72 600 272 620"),
    "letters with something else": (b"/F1 12 Tf 0 0 99 99 re f", b"72 600 272 620"),
    "letters that cannot be read": (b"/F1 12 Tf \\(", b"72 600 272 620"),
}


@pytest.mark.parametrize("case", DRAWN)
@pytest.mark.parametrize("anew", [False, True])
def test_letters_by_which_readers_draw_a_value(desk: Desk, case: str, *, anew: bool) -> None:
    letters, rect = DRAWN[case]
    bare = name(rect=rect).replace(b"/F1 12 Tf", letters)
    if not anew:
        bare = bare.replace(b"/AP << /N 31 0 R >>", b"")
    odd = EVIL % (b"Type1", b"/FirstChar 0 /Widths [%b]" % (b"-500 " * 255))
    fonts = b"<< /Font << /F1 3 0 R /Zd 38 0 R /Odd %b >> >>" % odd
    form = {"NeedAppearances": b"true"} if anew else {}
    paper = signed(desk, waiting({NAME: bare}, DR=fonts, **form))
    refused(desk, paper.write({NAME: bare.replace(b"/T (Name)", b"/T (Name) /V (nn)")}))


BOXES: dict[str, Callable[[Desk], Paper]] = {
    "a mark that says something": tick(ticked(b"BT /F1 9 Tf 0 g 1 5 Td (9) Tj ET")),
    "a mark of many letters": tick(ticked(b"BT /Zd 9 Tf 0 g 1 5 Td (4444) Tj ET")),
    "a white mark": tick(ticked(b"1 g 0 0 20 20 re f")),
    "a mark of a picture": tick(ticked(b"/Im1 Do")),
    "a mark of many lines": tick(ticked(b"0 0 m" + b" 1 1 l" * 20 + b" S")),
    "a mark without the ground that was there": tick(ticked(), look(b"1 g 0 0 20 20 re f", b"20 20")),
    "a box as large as the page": before(
        {BOX: box().replace(b"72 570 92 590", b"0 0 595 842")},
        lambda p: p.write({BOX: box(b"Yes").replace(b"72 570 92 590", b"0 0 595 842")}),
    ),
    "it shows another state than its value": lambda d: signed(d).write(
        {BOX: box(b"Yes").replace(b"/AS /Yes", b"/AS /Off")}
    ),
    "it had a mark already": before(
        {BOX: box().replace(b"/AS /Off", b"/AS /Yes")}, lambda p: p.write({BOX: box(b"Yes")})
    ),
    "it was ticked and is not any more": before({BOX: box(b"Yes")}, lambda p: p.write({BOX: box()})),
    "the mark changes with it": lambda d: signed(d).write(
        {BOX: box(b"Yes", shown=131), 131: ticked(b"BT /Zd 12 Tf 0 g 3 5 Td (8) Tj ET")}
    ),
    "readers draw it anew": before({}, lambda p: p.write({BOX: box(b"Yes")}), NeedAppearances=b"true"),
    "it is a button": before(
        {BOX: box(more=b"/Ff 65536")}, lambda p: p.write({BOX: box(b"Yes", b"/Ff 65536")})
    ),
}


def refused(desk: Desk, paper: Paper) -> None:
    assert desk.verify(paper.pdf).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


@pytest.mark.parametrize("attack", VALUES)
def test_a_value_that_is_more_than_filled_in(desk: Desk, attack: str) -> None:
    refused(desk, VALUES[attack](desk))


@pytest.mark.parametrize("attack", LOOKS)
def test_a_look_that_is_more_than_the_value(desk: Desk, attack: str) -> None:
    refused(desk, LOOKS[attack](desk))


@pytest.mark.parametrize("attack", BOXES)
def test_a_box_that_is_more_than_ticked(desk: Desk, attack: str) -> None:
    refused(desk, BOXES[attack](desk))


@pytest.mark.parametrize("lock", [ALL, NAMED])
def test_a_field_that_is_locked(desk: Desk, lock: bytes) -> None:
    refused(desk, fill_name(signed(desk, lock=lock)))


def test_a_certification_that_permits_nothing(desk: Desk) -> None:
    refused(desk, fill_name(signed(desk, permission=1)))


def test_a_value_written_over_one_that_was_filled_in(desk: Desk) -> None:
    refused(desk, fill_name(fill_name(signed(desk)), b"Wang"))


def test_a_field_that_came_behind_the_signature(desk: Desk) -> None:
    paper = signed(desk)
    refused(desk, paper.form({50: name(b"/V (Li)").replace(b"(Name)", b"(New)")}))


def test_a_filling_and_something_else(desk: Desk) -> None:
    paper = fill_name(signed(desk))
    refused(desk, paper.write({1: paper.entry(1, PageMode=b"/UseThumbs")}))


def test_a_widget_elsewhere_that_inherits_the_value(desk: Desk) -> None:
    """It is in no form and among nobody's widgets, but some readers draw what it inherits."""
    stray = b"<< /Type /Annot /Subtype /Widget /Parent 30 0 R /Rect [0 0 595 842] /DA (/F1 99 Tf) >>"
    paper = waiting({50: stray})
    paper.notes.append(50)
    paper.write({10: paper.entry(10, Annots=references(paper.notes))})
    assert desk.verify(signed(desk, paper.copy()).pdf).passed
    refused(desk, fill_name(signed(desk, paper)))

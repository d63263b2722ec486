"""A form that waits to be filled in: a name, a kind, a box to tick, all empty, drawn as makers draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world.pdf_paper import Body, Paper, one_page, stream
from world.pdf_rich import ANNOTATION

if TYPE_CHECKING:
    from world.desk import Desk

FONTS = b"/Resources << /Font << /F1 3 0 R /Zd 38 0 R >> >>"
FRAME = b"q 0.9 0.95 1 rg 0 0 200 20 re f Q q 0 0 1 RG 1 w 0.5 0.5 199 19 re S Q"
TICKS: Body = b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"
NAME, KIND, BOX, LOOK, OTHER_LOOK = 30, 35, 32, 31, 36


def look(content: bytes, size: bytes = b"200 20", more: bytes = FONTS) -> bytes:
    return stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 %b] %b" % (size, more))


def written(text: bytes, frame: bytes = FRAME, how: bytes = b"/F1 12 Tf 0 g 2 5 Td") -> bytes:
    """The look of a field with a text in it, as most makers write it."""
    return look(b"%b /Tx BMC q 1 1 198 18 re W n BT %b (%b) Tj ET Q EMC" % (frame, how, text))


def ticked(mark: bytes = b"BT /Zd 12 Tf 0 g 3 5 Td (4) Tj ET") -> bytes:
    return look(mark, b"20 20")


def name(more: bytes = b"", rect: bytes = b"72 600 272 620", shown: int = LOOK) -> bytes:
    return (
        b"<< %b /Subtype /Widget /FT /Tx /T (Name) /DA (/F1 12 Tf) /Rect [%b] /AP << /N %d 0 R >> %b >>"
        % (ANNOTATION, rect, shown, more)
    )


def kind(more: bytes = b"", shown: int = OTHER_LOOK) -> bytes:
    return (
        b"<< %b /Subtype /Widget /FT /Ch /Ff 131072 /T (Kind) /Opt [[(1) (food)] [(2) (wine)]]"
        b" /DA (/F1 12 Tf) /Rect [72 540 272 560] /AP << /N %d 0 R >> %b >>" % (ANNOTATION, shown, more)
    )


def box(state: bytes = b"Off", more: bytes = b"", shown: int = 33) -> bytes:
    value = b"/V /%b" % state if state != b"Off" else b""
    return (
        b"<< %b /Subtype /Widget /FT /Btn /T (Agreed) %b /AS /%b /Rect [72 570 92 590]"
        b" /AP << /N << /Yes %d 0 R /Off 34 0 R >> >> %b >>" % (ANNOTATION, value, state, shown, more)
    )


def waiting(more: dict[int, Body] | None = None, **form: bytes) -> Paper:
    """The form, not signed yet; `more` takes the place of objects, `form` are entries of the form itself."""
    looks: dict[int, Body] = {
        LOOK: look(FRAME + b" /Tx BMC EMC"),
        33: ticked(),
        34: look(b"", b"20 20"),
        OTHER_LOOK: look(FRAME + b" /Tx BMC EMC"),
        38: TICKS,
    }
    fields: dict[int, Body] = {NAME: name(), KIND: kind(), BOX: box()}
    paper = Paper(one_page())
    return paper.form(fields, looks | (more or {}), DA=b"(/F1 12 Tf)", **form)


def signed(desk: Desk, paper: Paper | None = None, permission: int | None = None, **how: bytes) -> Paper:
    return (paper or waiting()).sign(desk.agency, permission=permission, **how)


def fill_name(paper: Paper, text: bytes = b"Li Hua", shown: bytes | None = None) -> Paper:
    """The name is written in, with a look of its own."""
    return paper.write({NAME: name(b"/V (%b)" % text, shown=131), 131: shown or written(text)})

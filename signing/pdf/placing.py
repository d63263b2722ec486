"""Where things stand on a page as it is shown, and in the page's own coordinates.

A page may be turned, cropped and have a unit of its own (ISO 32000-2, 7.7.3.3 and 14.11.2). Whoever asks for
a place means the page as it lies before them: from its lower left corner, to the right and upwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signing.pdf.frame import PageBox

POINTS_PER_MM = 72 / 25.4


def shown_size(box: PageBox) -> tuple[float, float]:
    """Width and height of a page as it is shown, in its own units."""
    across, along = box.right - box.left, box.top - box.bottom
    return (along, across) if box.rotate in {90, 270} else (across, along)


def in_units(box: PageBox, millimetres: float) -> float:
    """A length on paper, in the page's own units."""
    return millimetres * POINTS_PER_MM / box.unit


def on_page(box: PageBox, u: float, v: float) -> tuple[float, float]:
    """A point of the page as it is shown, in the page's own coordinates."""
    if box.rotate == 90:
        return box.right - v, box.bottom + u
    if box.rotate == 180:
        return box.right - u, box.top - v
    if box.rotate == 270:
        return box.left + v, box.top - u
    return box.left + u, box.bottom + v


def rectangle(
    box: PageBox, u: float, v: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """An upright rectangle of the page as it is shown, in the page's own coordinates."""
    (x0, y0), (x1, y1) = on_page(box, u, v), on_page(box, u + width, v + height)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

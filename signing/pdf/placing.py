"""Where things stand on a page as it is shown, and in the page's own coordinates.

A page may be turned, cropped and have a unit of its own (ISO 32000-2, 7.7.3.3 and 14.11.2). Whoever asks for
a place means the page as it lies before them: from its lower left corner, to the right and upwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signing.pdf.frame import PageBox

Rectangle = tuple[float, float, float, float]  # left, bottom, right, top
POINTS_PER_MM = 72 / 25.4
MARGIN, GAP = 36.0, 6.0  # points between a face and the page's edges, and between two faces
MOST_PLACES = 256  # that are tried


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


def free_place(box: PageBox, size: tuple[float, float], taken: Sequence[Rectangle]) -> tuple[float, float]:
    """Where a face of this size stands when nobody says where: at the lower right, or left of what is there.

    From right to left and then upwards; on a full page it stays at the lower right.
    """
    (across, along), (width, height) = shown_size(box), size
    right, lower = max(across - width - MARGIN, 0), min(MARGIN, max(along - height, 0))
    columns, rows = int(right // (width + GAP)) + 1, int((along - height - lower) // (height + GAP)) + 1
    for number in range(min(columns * rows, MOST_PLACES)):
        x, y = right - number % columns * (width + GAP), lower + number // columns * (height + GAP)
        if not any(covers(rectangle(box, x, y, width, height), other) for other in taken):
            return x, y
    return right, lower


def covers(upper: Rectangle, lower: Rectangle) -> float:
    """How much of a rectangle lies under another one, from 0 to 1."""
    across = min(upper[2], lower[2]) - max(upper[0], lower[0])
    along = min(upper[3], lower[3]) - max(upper[1], lower[1])
    area = (lower[2] - lower[0]) * (lower[3] - lower[1])
    return across * along / area if across > 0 and along > 0 and area > 0 else 0.0


def rectangle(box: PageBox, u: float, v: float, width: float, height: float) -> Rectangle:
    """An upright rectangle of the page as it is shown, in the page's own coordinates."""
    (x0, y0), (x1, y1) = on_page(box, u, v), on_page(box, u + width, v + height)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

"""The straddle seal (骑缝章): one seal face across the right edges of all pages, a slice on each.

Laid one upon the other and shifted a little, the pages show the face whole; a page that was exchanged, added
or left out breaks it. On paper that is the proof; in the file it is the signature, which covers all slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.frame import Stamp
from signing.pdf.placing import in_units, rectangle, shown_size
from yinxin.base.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from signing.pdf.face import SealFace
    from signing.pdf.frame import PageBox

MAX_SLICES = 20  # of one face: more would be too narrow to be compared
MAX_PAGES = 2_000
TEXT = "骑缝章 Straddle seal"


def straddle(face: SealFace, pages: Sequence[PageBox]) -> tuple[Stamp, ...]:
    """The slices of one seal face for these pages, in their order; none for a single page.

    All stand at the same height above the lower edge, in the middle of the lowest page, so that they meet
    when pages of several sizes lie edge to edge. More than `MAX_SLICES` pages share several faces, as evenly
    as can be. `TooLarge` for more than `MAX_PAGES`, `UsageError` for a page that is lower than the face.
    """
    if len(pages) > MAX_PAGES:
        raise TooLarge("pdf", f"a straddle seal over more than {MAX_PAGES} pages")
    if len(pages) < 2:
        return ()
    lowest = min(shown_size(box)[1] * box.unit for box in pages)
    above_edge = (lowest - face.height_mm * 72 / 25.4) / 2  # points on paper
    if above_edge < 0:
        raise UsageError("a page is lower than the straddle seal")
    return tuple(
        _slice(face, page, pages[page], above_edge, part, parts)
        for first, parts in _groups(len(pages))
        for part, page in enumerate(range(first, first + parts))
    )


def _groups(pages: int) -> Iterator[tuple[int, int]]:
    """Which pages share a face: the first one, and how many."""
    faces = -(-pages // MAX_SLICES)
    first = 0
    for face in range(faces):
        count = pages // faces + (face < pages % faces)
        yield first, count
        first += count


def _slice(  # noqa: PLR0913, PLR0917 - one slice: of what, where, which
    face: SealFace, page: int, box: PageBox, above_edge: float, part: int, parts: int
) -> Stamp:
    width, height = in_units(box, face.width_mm), in_units(box, face.height_mm)
    across, _ = shown_size(box)
    share = width / parts
    if share > across:
        raise UsageError("a page is narrower than its part of the straddle seal")
    place = rectangle(box, across - share, above_edge / box.unit, share, height)
    return Stamp(
        page=page,
        picture=face.picture,
        rectangle=place,
        width=width,
        height=height,
        rotate=box.rotate,
        text=f"{TEXT} {part + 1}/{parts}",
        part=part,
        parts=parts,
    )

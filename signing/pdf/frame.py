"""What goes round a signature, in values that every writer takes: page boxes, appearances, frames.

Two writers put a frame into a file: `signing.pdf.update` where the file's structure is plain, and
`signing.pdf._pyhanko` everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from signing.pdf.face import Picture

MAX_WAITING = 256  # fields that lock others
# ISO 32000-2, 12.5.5: the matrix that makes an appearance stand upright on a page that is turned.
MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


@dataclass(frozen=True, slots=True)
class PageBox:
    """The visible part of a page in its own coordinates, and how it is turned (clockwise degrees)."""

    left: float
    bottom: float
    right: float
    top: float
    rotate: int
    unit: float

    @classmethod
    def of(cls, media: Sequence[float], crop: Sequence[float], *, rotate: int, unit: float) -> PageBox:
        """The box of a page; corners in any order. `MalformedInput` for a page without a usable size."""
        (x0, y0, x1, y1), (u0, v0, u1, v1) = _ordered(media), _ordered(crop)
        left, bottom, right, top = max(x0, u0), max(y0, v0), min(x1, u1), min(y1, v1)
        if right <= left or top <= bottom or rotate % 90 or not unit > 0:
            raise MalformedInput("pdf", "the page has no usable size")
        return cls(left, bottom, right, top, rotate % 360, unit)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A picture, where it stands on the page (own coordinates) and its upright size in points."""

    picture: Picture
    rectangle: tuple[float, float, float, float]
    width: float
    height: float
    rotate: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """A picture that a page bears beside the signature's own, or one upright slice of it.

    `rectangle` is that of the slice in the page's own coordinates, `width` and `height` are those of the
    whole picture; of `parts` slices of one width this is number `part`, from 0 at the left. `text` says in
    words what it is.
    """

    page: int
    picture: Picture
    rectangle: tuple[float, float, float, float]
    width: float
    height: float
    rotate: int
    text: str
    part: int = 0
    parts: int = 1


class Frame(NamedTuple):
    """What goes round a signature: its field, page, texts, time, and whether it certifies.

    `permission` is the level of DocMDP when it does; `stamps` are put on pages in the same update.
    """

    field: str
    page: int
    certify: bool
    appearance: Appearance | None
    time: datetime | None = None
    reason: str | None = None
    location: str | None = None
    permission: int = 2
    stamps: tuple[Stamp, ...] = ()


@dataclass(frozen=True, slots=True)
class NewField:
    """A field to be made: its name, page, rectangle there (None for none), and the fields it leaves open."""

    name: str
    page: int
    rectangle: tuple[float, float, float, float] | None
    leaves_open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LockingField:
    """A signature field that locks others when it is signed: all but those that it leaves open."""

    name: str
    leaves_open: frozenset[str]
    is_signed: bool


def face_content(shown: Appearance | Stamp, left: float, room: tuple[float, float] | None) -> str:
    """What draws a face: the picture under the name Face, `left` of it cut off by the edge.

    In a `room` of another width and height it stands in the middle, as large as can be.
    """
    width, height, below = shown.width, shown.height, 0.0
    if room is not None:
        scale = min(room[0] / width, room[1] / height)
        width, height = width * scale, height * scale
        left, below = (width - room[0]) / 2, (room[1] - height) / 2
    x, y = (f"{one:.4f}" if abs(one) >= 0.0001 else "0" for one in (-left, below))
    return f"q {width:.4f} 0 0 {height:.4f} {x} {y} cm /Face Do Q"


class Prepared(Protocol):
    """An update that waits for its signature: the hash to sign, and room for `reserve` octets of CMS."""

    @property
    def digest(self) -> bytes:
        """The hash over everything but the hole."""

    @property
    def reserve(self) -> int:
        """How many octets of CMS there is room for."""

    def fill(self, signature: bytes) -> bytes:
        """The finished file. Raises `Conflict` when the signature is larger than its room."""

    def fill_into(self, file: IO[bytes], signature: bytes) -> None:
        """Finish an open file that begins with what was prepared; raises as `fill` does."""


def _ordered(box: Sequence[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

"""What one update draws, whoever writes it: each picture, and each form of it, goes into the file once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from signing.pdf.frame import face_content

if TYPE_CHECKING:
    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Stamp

# ISO 32000-2, table 167: what a stamp is: printed, read only, locked, and its contents locked.
LOCKED = 4 | 64 | 128 | 512

R = TypeVar("R")


class Drawn(ABC, Generic[R]):
    """The forms and images of one update; `R` is how its writer refers to an object."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self._images: dict[int, R] = {}
        self._forms: dict[tuple[float, ...], R] = {}

    def form(
        self,
        shown: Appearance | Stamp,
        *,
        part: int = 0,
        parts: int = 1,
        room: tuple[float, float] | None = None,
    ) -> R:
        """An appearance: the picture, or an upright slice of it, so turned that it stands upright.

        `room` is another width and height to fill: the picture stands in the middle, as large as can be.
        """
        width, height = room or (shown.width / parts, shown.height)
        key = (id(shown.picture), shown.width, shown.height, shown.rotate, part, parts, width, height)
        if key not in self._forms:
            content = face_content(shown, part * shown.width / parts, room).encode()
            self._forms[key] = self._draw(shown, (width, height), content, self._image(shown.picture))
        return self._forms[key]

    def _image(self, picture: Picture) -> R:
        if id(picture) not in self._images:
            self._images[id(picture)] = self._put(picture)
        return self._images[id(picture)]

    @abstractmethod
    def _draw(self, shown: Appearance | Stamp, size: tuple[float, float], content: bytes, image: R) -> R:
        """Write a form of this size with what it draws, in which the image is called Face."""

    @abstractmethod
    def _put(self, picture: Picture) -> R:
        """Write an image."""

"""The looks that one update brings, as our own writer writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.drawn import LOCKED, Drawn
from signing.pdf.frame import MATRICES
from signing.pdf.parsing import Ref
from signing.pdf.update.values import written
from signing.pdf.update.writing import raster, text

if TYPE_CHECKING:
    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Stamp
    from signing.pdf.update.draft import Draft


class Pictures(Drawn[Ref]):
    """What is drawn in one update."""

    def __init__(self, draft: Draft) -> None:
        """Keep the update."""
        super().__init__()
        self._draft = draft

    def empty(self, width: float, height: float) -> Ref:
        """An appearance that shows nothing yet."""
        number = self._draft.number()
        self._draft.add(
            number,
            b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 %.4f %.4f]/Resources<<>>/Length 0>>\nstream\n"
            b"\nendstream\nendobj\n" % (number, width, height),
        )
        return Ref(number, 0)

    def stamp(self, stamp: Stamp, *, page: Ref, name: str) -> Ref:
        """One stamp as an annotation (ISO 32000-2, 12.5.6.12), not yet on its page."""
        look = self.form(stamp, part=stamp.part, parts=stamp.parts)
        number = self._draft.number()
        self._draft.add(
            number,
            b"%d 0 obj\n<</Type/Annot/Subtype/Stamp/Rect[%.4f %.4f %.4f %.4f]/F %d/NM %b/Contents %b"
            b"/P %b/AP<</N %b>>>>\nendobj\n"
            % (number, *stamp.rectangle, LOCKED, text(name), text(stamp.text), written(page), written(look)),
        )
        return Ref(number, 0)

    def _draw(self, shown: Appearance | Stamp, size: tuple[float, float], content: bytes, image: Ref) -> Ref:
        number = self._draft.number()
        self._draft.add(
            number,
            b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 %.4f %.4f]/Matrix[%d %d %d %d 0 0]"
            b"/Resources<</XObject<</Face %d 0 R>>>>/Length %d>>\nstream\n%b\nendstream\nendobj\n"
            % (number, *size, *MATRICES[shown.rotate], image.number, len(content), content),
        )
        return Ref(number, 0)

    def _put(self, picture: Picture) -> Ref:
        image, more = self._draft.number(), b""
        if picture.alpha:
            mask = self._draft.number()
            self._draft.add(mask, raster(mask, picture, picture.alpha.data, b"", colors=1))
            more = b"/SMask %d 0 R" % mask
        self._draft.add(image, raster(image, picture, picture.color.data, more))
        return Ref(image, 0)

"""Draw pictures into a file: appearance streams, the images in them, and stamps that pages bear."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from signing.pdf.drawn import LOCKED, Drawn
from signing.pdf.frame import MATRICES

if TYPE_CHECKING:
    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Frame, Stamp


class Drawing(Drawn[Any]):
    """What is drawn in one update."""

    def __init__(self, writer: Any) -> None:
        """Keep the writer of the update."""
        super().__init__()
        self._writer = writer

    def _draw(self, shown: Appearance | Stamp, size: tuple[float, float], content: bytes, image: Any) -> Any:
        number = generic.FloatObject
        form = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): generic.ArrayObject(map(number, (0, 0, *size))),
                pdf_name("/Matrix"): generic.ArrayObject(map(number, (*MATRICES[shown.rotate], 0, 0))),
                pdf_name("/Resources"): generic.DictionaryObject(
                    {pdf_name("/XObject"): generic.DictionaryObject({pdf_name("/Face"): image})}
                ),
            },
            stream_data=content,
        )
        return self._writer.add_object(form)

    def _put(self, picture: Picture) -> Any:
        color = _raster(picture, picture.color.data, picture.color.colors)
        if picture.alpha:
            color[pdf_name("/SMask")] = self._writer.add_object(_raster(picture, picture.alpha.data, 1))
        return self._writer.add_object(color)


def put_stamps(writer: Any, frame: Frame, drawing: Drawing) -> None:
    """Give pages their stamps; each is an annotation of its own and locked."""
    for number, stamp in enumerate(frame.stamps, start=1):
        page, _ = writer.find_page_for_modification(stamp.page)
        annotation = stamp_annotation(stamp, drawing, name=f"{frame.field}-{number}")
        annotation[pdf_name("/P")] = page
        writer.register_annotation(page, writer.add_object(annotation))


def stamp_annotation(stamp: Stamp, drawing: Drawing, *, name: str) -> generic.DictionaryObject:
    """One stamp as an annotation (ISO 32000-2, 12.5.6.12), not yet on a page."""
    look = drawing.form(stamp, part=stamp.part, parts=stamp.parts)
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Stamp"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.FloatObject, stamp.rectangle)),
            pdf_name("/F"): generic.NumberObject(LOCKED),
            pdf_name("/NM"): in_hex(name),
            pdf_name("/Contents"): in_hex(stamp.text),
            pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): look}),
        }
    )


def in_hex(text: str) -> generic.ByteStringObject:
    """A text in hex: a reader that looks for words in the bytes must not take a text for structure."""
    return generic.ByteStringObject(codecs.BOM_UTF16_BE + text.encode("utf-16-be"))


def _raster(picture: Picture, data: bytes, colors: int) -> generic.StreamObject:
    number = generic.NumberObject
    # ISO 32000-2, table 8: predictor 15 means PNG filters, each row names its own.
    parameters = {"/Predictor": 15, "/Colors": colors, "/BitsPerComponent": 8, "/Columns": picture.width}
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Image"),
            pdf_name("/Width"): number(picture.width),
            pdf_name("/Height"): number(picture.height),
            pdf_name("/ColorSpace"): pdf_name("/DeviceRGB" if colors == 3 else "/DeviceGray"),
            pdf_name("/BitsPerComponent"): number(8),
            pdf_name("/Filter"): pdf_name("/FlateDecode"),
            pdf_name("/DecodeParms"): generic.DictionaryObject(
                {pdf_name(key): number(value) for key, value in parameters.items()}
            ),
        },
        encoded_data=data,
    )

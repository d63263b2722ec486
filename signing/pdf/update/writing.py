"""The objects of a signature's update, in bytes; they say the same as those that pyHanko's writer makes."""

from __future__ import annotations

import codecs
import re
from binascii import hexlify
from functools import lru_cache
from typing import TYPE_CHECKING

from signing.pdf.frame import MATRICES
from signing.pdf.update.forms import NO_FORM
from signing.pdf.update.syntax import NotPlain
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Frame
    from signing.pdf.update.forms import Form
    from signing.pdf.update.syntax import Dictionary

_SIMPLE = re.compile(r"[A-Z][a-z]{0,40}\d{1,9}")
# EN 319 142-1, 5.6: files before PDF 2.0 say which extension they use, and extensions came with 1.7.
_ESIC = b"/Extensions<</ESIC<</Type/DeveloperExtensions/BaseVersion/1.7/ExtensionLevel 1>>>>"
_OF_VERSION = {b"2.0": b"", b"1.7": _ESIC}
_CERTIFIES = b"<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/V/1.2/P %d>>>>"
# 132: printed, as PDF/A wants it, and locked.
_WIDGET = b"%d 0 obj\n<</Type/Annot/Subtype/Widget/FT/Sig/T %b/F 132/Rect[%b]/P %d 0 R/V %d 0 R%b>>\nendobj\n"


def catalogue(entries: Dictionary, frame: Frame, version: bytes, *, form: int, signature: int) -> bytes:
    """The catalogue with a form, and with the certification where this signature is one."""
    certified = b"/Perms<</DocMDP %d 0 R>>" % signature if frame.certify else b""
    more = _OF_VERSION.get(version, b"/Version/1.7" + _ESIC)
    return entries.changed(b"AcroForm", b"/AcroForm %d 0 R%b%b" % (form, certified, more))


def form(there: Form, widget: int) -> bytes:
    """The form with one more field, and flags for: it is signed, append only (ISO 32000-2, table 225)."""
    if there is NO_FORM:
        return b"/Fields[%d 0 R]/SigFlags 3" % widget
    fields = b"".join([b"%d 0 R " % field for field in there.fields])
    kept = {key: value for key, value in there.entries.items() if key not in {b"Fields", b"SigFlags"}}
    written = b"".join([b"/%b %b\n" % entry for entry in kept.items()])
    return b"%b/Fields[%b%d 0 R]/SigFlags 3" % (written, fields, widget)


def page(entries: Dictionary, widget: int) -> bytes:
    """The page with one more annotation."""
    there = entries.get(b"Annots", b"[]")
    if not there.startswith(b"["):
        raise NotPlain
    return entries.changed(b"Annots", b"/Annots%b %d 0 R]" % (there[:-1], widget))


def widget(number: int, frame: Frame, page_number: int, signature: int, form: int | None) -> bytes:
    """The signature's field and its place on the page, one object; `form` is its appearance."""
    shown = frame.appearance
    rectangle = b"%.4f %.4f %.4f %.4f" % shown.rectangle if shown else b"0 0 0 0"
    picture = b"/AP<</N %d 0 R>>" % form if form is not None else b""
    return _WIDGET % (number, text(frame.field), rectangle, page_number, signature, picture)


def hidden_widget(number: int, field: str, page_number: int, signature: int) -> bytes:
    """A field that shows nothing, and its place on the page."""
    return _WIDGET % (number, text(field), b"0 0 0 0", page_number, signature, b"")


def signature(number: int, frame: Frame, references: bytes | None = None) -> bytes:
    """The signature's dictionary up to its byte range; `references` say what may follow, written already."""
    reason = b"\n/Reason " + text(frame.reason) if frame.reason is not None else b""
    location = b"\n/Location " + text(frame.location) if frame.location is not None else b""
    if references is None:
        references = b"\n/Reference[%b]" % certification(frame.permission) if frame.certify else b""
    return b"%d 0 obj\n<<\n/Type/Sig\n/Filter/Adobe.PPKLite\n/SubFilter/ETSI.CAdES.detached%b%b%b%b" % (
        number,
        b"\n/M(%b)" % date(frame.time) if frame.time is not None else b"",
        reason,
        location,
        references,
    )


def certification(permission: int) -> bytes:
    """The reference of a signature that certifies: what may follow it (ISO 32000-2, 12.8.2.2)."""
    return _CERTIFIES % permission


def document_stamp(number: int) -> bytes:
    """The dictionary of a time-stamp of the document up to its byte range (ISO 32000-2, 12.8.5)."""
    return b"%d 0 obj\n<<\n/Type/DocTimeStamp\n/Filter/Adobe.PPKLite\n/SubFilter/ETSI.RFC3161" % number


def table_stream(rows: list[tuple[int, int]]) -> tuple[bytes, bytes]:
    """The entries and the stream of a table with these objects and their places (ISO 32000-2, 7.5.8)."""
    if rows[-1][1] >= 1 << 32:
        raise NotPlain
    index = b"".join([b"%d 1 " % number for number, _ in rows])
    data = b"".join([b"\1%b\0" % place.to_bytes(4, "big") for _, place in rows])
    entries = b"/W[1 4 1]/Index[%b]/Length %d" % (index, len(data))
    return entries, b"stream\n%b\nendstream\nendobj\n" % data


@lru_cache(maxsize=64)
def text(value: str) -> bytes:
    """A text string: all but a plain field name in hex, so that no text looks like structure."""
    if _SIMPLE.fullmatch(value):
        return b"(%b)" % value.encode()
    try:
        return b"<%b>" % hexlify(codecs.BOM_UTF16_BE + value.encode("utf-16-be"))
    except UnicodeEncodeError as exc:
        raise MalformedInput("pdf", "a text that is not Unicode") from exc


def date(time: datetime) -> bytes:
    """ISO 32000-2, 7.9.4."""
    when = b"D:%04d%02d%02d%02d%02d%02d" % (
        time.year, time.month, time.day, time.hour, time.minute, time.second,
    )  # fmt: skip
    offset = time.utcoffset()
    if not offset:
        return when if offset is None else when + b"Z"
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return b"%b%b%02d'%02d'" % (when, b"-" if minutes < 0 else b"+", hours, rest) if minutes else when + b"Z"


@lru_cache(maxsize=4)  # an office seals page after page with one face
def drawing(shown: Appearance, numbers: tuple[int, int, int]) -> tuple[tuple[int, bytes], ...]:
    """The appearance: the picture, turned so that it stands upright on a turned page.

    Up to three objects with these numbers, the appearance first.
    """
    picture, (form, image, mask) = shown.picture, numbers
    content = b"q %.4f 0 0 %.4f 0 0 cm /Face Do Q" % (shown.width, shown.height)
    head = b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 %.4f %.4f]/Matrix[%d %d %d %d 0 0]" % (
        form, shown.width, shown.height, *MATRICES[shown.rotate],
    )  # fmt: skip
    drawn = b"/Resources<</XObject<</Face %d 0 R>>>>/Length %d>>\nstream\n%b\nendstream\nendobj\n" % (
        image, len(content), content,
    )  # fmt: skip
    if picture.alpha is None:
        return (form, head + drawn), (image, raster(image, picture, picture.color.data, b""))
    return (
        (form, head + drawn),
        (image, raster(image, picture, picture.color.data, b"/SMask %d 0 R" % mask)),
        (mask, raster(mask, picture, picture.alpha.data, b"", colors=1)),
    )


def raster(number: int, picture: Picture, data: bytes, more: bytes, *, colors: int | None = None) -> bytes:
    """An image with these filtered rows; `colors` is 1 for a mask."""
    colors = colors or picture.color.colors
    # ISO 32000-2, table 8: predictor 15 means PNG filters, each row names its own.
    return (
        b"%d 0 obj\n<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/%b/BitsPerComponent 8"
        b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent 8/Columns %d>>"
        b"%b/Length %d>>\nstream\n%b\nendstream\nendobj\n"
    ) % (
        number, picture.width, picture.height, b"DeviceRGB" if colors == 3 else b"DeviceGray",
        colors, picture.width, more, len(data), data,
    )  # fmt: skip

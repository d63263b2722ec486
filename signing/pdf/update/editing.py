"""Write a signature's frame behind a plain file.

The signature's own dictionary comes last and its hole stands last in it, so that every offset is known
before anything is written; the objects say the same as those that pyHanko's writer makes.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from binascii import hexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.pdf.frame import MATRICES
from signing.pdf.update.layout import Layout
from signing.pdf.update.syntax import NotPlain, two_texts
from yinxin.base.errors import Conflict, MalformedInput

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Frame, PageBox

_SIMPLE = re.compile(r"[A-Z][a-z]{0,40}\d{1,9}")
_ESIC = b"<</ESIC<</Type/DeveloperExtensions/BaseVersion/1.7/ExtensionLevel 1>>>>"  # EN 319 142-1, 5.6
_CERTIFIES = (
    b"\n/Reference[<</Type/SigRef/TransformMethod/DocMDP"
    b"/TransformParams<</Type/TransformParams/V/1.2/P 2>>>>]"
)
_RANGE_WIDTH = 44  # of four numbers, brackets and spaces


class PlainEditing:
    """A plain PDF opened for one incremental update. Raises `NotPlain`, `UsageError` and `MalformedInput`."""

    signatures = ()  # a file with signatures is not plain
    is_certified = False

    def __init__(self, pdf: bytes) -> None:
        """Read the file's structure; it stays as it is, the update comes behind it."""
        self._pdf = pdf
        self._layout = Layout(pdf)

    def field_names(self) -> frozenset[str]:
        """The names of the form fields: there is no form yet."""
        return frozenset()

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        return self._layout.page(index).box

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> PlainPrepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        layout, page = self._layout, self._layout.page(frame.page)
        update = _Update(self._pdf, layout.size)
        form, widget, *_ = update.numbers(2)
        picture = _draw(update, frame.appearance) if frame.appearance else b""
        signature = update.numbers(1)[0]
        catalogue = {**layout.catalogue, b"AcroForm": b"%d 0 R" % form}
        if not layout.is_version_2:
            catalogue[b"Extensions"] = _ESIC
        if frame.certify:
            catalogue[b"Perms"] = b"<</DocMDP %d 0 R>>" % signature
        update.add(layout.root, _dictionary(catalogue))
        update.add(page.number, _dictionary(_with_annotation(page.entries, widget)))
        update.add(form, b"<</Fields[%d 0 R]/SigFlags 3>>" % widget)
        update.add(widget, _widget(frame, page.number, signature, picture))
        update.open(signature, _signature(frame))
        return update.close(layout, digest_algorithm=digest_algorithm, reserve=reserve)


@dataclass(frozen=True, slots=True)
class PlainPrepared:
    """An update that waits for its signature: the file, what stands before the hole, and what follows."""

    digest: bytes
    reserve: int
    _pdf: bytes
    _head: bytes
    _tail: bytes

    def fill(self, signature: bytes) -> bytes:
        """The finished file."""
        if len(signature) > self.reserve:
            raise Conflict("the signature is larger than the room kept for it")
        digits = hexlify(signature).ljust(2 * self.reserve, b"0")
        return b"".join((self._pdf, self._head, b"<", digits, b">", self._tail))


class _Update:
    """The objects of an update in the making, and where they stand in the file."""

    def __init__(self, pdf: bytes, free: int) -> None:
        self._pdf, self._free = pdf, free
        # An update that starts right behind "%%EOF" would be a part of that comment.
        self._parts = [b"" if pdf.endswith((b"\n", b"\r")) else b"\n"]
        self._place = len(pdf) + len(self._parts[0])
        self._places: dict[int, int] = {}

    def numbers(self, count: int) -> range:
        """So many new object numbers."""
        self._free += count
        return range(self._free - count, self._free)

    def add(self, number: int, *body: bytes) -> None:
        """An object."""
        self._write(number, b"%d 0 obj\n" % number, *body, b"\nendobj\n")

    def open(self, number: int, body: bytes) -> None:
        """The last object, whose dictionary stays open for the byte range and the contents."""
        self._write(number, b"%d 0 obj\n" % number, body)

    def close(self, layout: Layout, *, digest_algorithm: str, reserve: int) -> PlainPrepared:
        """Write the table and the trailer, state the byte range, and hash."""
        start = self._place + len(b"\n/ByteRange \n/Contents ") + _RANGE_WIDTH
        end = start + 2 * reserve + 2
        closing = b"\n>>\nendobj\n"
        tail = closing + self._table(layout, end + len(closing))
        byte_range = (b"[0 %d %d %d]" % (start, end, len(tail))).ljust(_RANGE_WIDTH)
        head = b"".join((*self._parts, b"\n/ByteRange ", byte_range, b"\n/Contents "))
        digest = hashlib.new(digest_algorithm, self._pdf)
        digest.update(head)
        digest.update(tail)
        return PlainPrepared(digest.digest(), reserve, self._pdf, head, tail)

    def _write(self, number: int, *parts: bytes) -> None:
        self._places[number] = self._place
        self._place += sum(map(len, parts))
        self._parts += parts

    def _table(self, layout: Layout, start: int) -> bytes:
        rows = [b"xref\n0 1\n0000000000 65535 f \n"]
        for number, place in sorted(self._places.items()):
            rows.append(b"%d 1\n%010d 00000 n \n" % (number, place))
        identity = self._identity(layout.trailer.get(b"ID"))
        more = {b"Size": b"%d" % self._free, b"Prev": b"%d" % layout.start, b"ID": identity}
        trailer = _dictionary({**layout.trailer, **more})
        return b"%btrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (b"".join(rows), trailer, start)

    def _identity(self, before: bytes | None) -> bytes:
        """ISO 32000-2, 14.4: the first half stays, the second one is of this version."""
        own = b"<%b>" % hashlib.sha256(b"".join(self._parts)).hexdigest()[:32].encode()
        return b"[%b%b]" % (two_texts(before)[0] if before is not None else own, own)


def _dictionary(entries: dict[bytes, bytes]) -> bytes:
    return b"<<\n%b>>" % b"".join([b"/%b %b\n" % entry for entry in entries.items()])


def _with_annotation(page: dict[bytes, bytes], widget: int) -> dict[bytes, bytes]:
    there = page.get(b"Annots", b"[]")
    if not there.startswith(b"["):
        raise NotPlain
    return {**page, b"Annots": b"%b %d 0 R]" % (there[:-1], widget)}


def _widget(frame: Frame, page: int, signature: int, picture: bytes) -> bytes:
    shown = frame.appearance
    rectangle = b"%.4f %.4f %.4f %.4f" % shown.rectangle if shown else b"0 0 0 0"
    # 132: printed, as PDF/A wants it, and locked.
    return b"<</Type/Annot/Subtype/Widget/FT/Sig/T %b/F 132/Rect[%b]/P %d 0 R/V %d 0 R%b>>" % (
        _text(frame.field), rectangle, page, signature, picture,
    )  # fmt: skip


def _signature(frame: Frame) -> bytes:
    """The signature's dictionary up to its byte range."""
    parts = [b"<<\n/Type/Sig\n/Filter/Adobe.PPKLite\n/SubFilter/ETSI.CAdES.detached"]
    if frame.time is not None:
        parts.append(b"\n/M(%b)" % _date(frame.time))
    if frame.reason is not None:
        parts.append(b"\n/Reason " + _text(frame.reason))
    if frame.location is not None:
        parts.append(b"\n/Location " + _text(frame.location))
    if frame.certify:
        parts.append(_CERTIFIES)
    return b"".join(parts)


def _text(text: str) -> bytes:
    """A text string: all but a plain field name in hex, so that no text looks like structure."""
    if _SIMPLE.fullmatch(text):
        return b"(%b)" % text.encode()
    try:
        return b"<%b>" % hexlify(codecs.BOM_UTF16_BE + text.encode("utf-16-be"))
    except UnicodeEncodeError as exc:
        raise MalformedInput("pdf", "a text that is not Unicode") from exc


def _date(time: datetime) -> bytes:
    """ISO 32000-2, 7.9.4."""
    offset = time.utcoffset()
    zone = ""
    if offset is not None:
        minutes = round(offset.total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        zone = f"{'-' if minutes < 0 else '+'}{hours:02}'{rest:02}'" if minutes else "Z"
    return b"D:%04d%02d%02d%02d%02d%02d" % time.timetuple()[:6] + zone.encode()


def _draw(update: _Update, shown: Appearance) -> bytes:
    """The appearance: the picture, turned so that it stands upright on a turned page."""
    picture, alpha = shown.picture, shown.picture.alpha
    form, image, *masks = update.numbers(3 if alpha else 2)
    content = b"q %.4f 0 0 %.4f 0 0 cm /Face Do Q" % (shown.width, shown.height)
    update.add(
        form,
        b"<</Type/XObject/Subtype/Form/BBox[0 0 %.4f %.4f]" % (shown.width, shown.height),
        b"/Matrix[%d %d %d %d 0 0]" % MATRICES[shown.rotate],
        b"/Resources<</XObject<</Face %d 0 R>>>>/Length %d>>" % (image, len(content)),
        b"\nstream\n%b\nendstream" % content,
    )
    more = b"".join(b"/SMask %d 0 R" % mask for mask in masks)
    update.add(image, *_raster(picture, picture.color.data, picture.color.colors, more))
    if alpha:
        update.add(masks[0], *_raster(picture, alpha.data, 1, b""))
    return b"/AP<</N %d 0 R>>" % form


def _raster(picture: Picture, data: bytes, colors: int, more: bytes) -> tuple[bytes, ...]:
    # ISO 32000-2, table 8: predictor 15 means PNG filters, each row names its own.
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/%b/BitsPerComponent 8" % (
        picture.width, picture.height, b"DeviceRGB" if colors == 3 else b"DeviceGray",
    )  # fmt: skip
    filters = b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent 8/Columns %d>>" % (
        colors, picture.width,
    )  # fmt: skip
    return head, filters, more, b"/Length %d>>\nstream\n" % len(data), data, b"\nendstream"

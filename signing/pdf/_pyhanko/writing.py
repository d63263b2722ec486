"""Write the frame of a signature: field, appearance, placeholder and an incremental update."""

from __future__ import annotations

import codecs
import io
import itertools
from dataclasses import replace
from os import SEEK_END
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from signing.held import HeldFile
from signing.pdf._pyhanko.drawing import Drawing, put_stamps
from signing.pdf._pyhanko.finishing import Prepared
from signing.pdf._pyhanko.forms import add_fields, is_locked, lock_of, locking_fields
from signing.pdf._pyhanko.keeping import keep, prepare_archive
from signing.pdf._pyhanko.parser import get, items, open_reader, text_of, translated
from signing.pdf.frame import MATRICES, PageBox
from signing.pdf.reading import Reading
from yinxin.base.errors import Conflict, MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyhanko.sign.fields import FieldMDPSpec

    from signing.pdf.frame import Appearance, Frame, LockingField, NewField
    from signing.pdf.store import Store

MAX_PAGES, MAX_ANNOTATIONS, MAX_DEPTH = 2_000, 1_000, 32
HIDDEN = 2  # ISO 32000-2, table 167
_LETTER = generic.ArrayObject(map(generic.NumberObject, (0, 0, 612, 792)))


class Editing:
    """A PDF opened for one incremental update. Raises `MalformedInput`, `UsageError` and `Conflict`."""

    def __init__(self, pdf: bytes | HeldFile) -> None:
        """Open the file; it stays as it is, the update comes behind it (of a held file: in its place)."""
        whole, self._size = _ended(pdf), len(pdf)
        self._reading = Reading(whole)
        if self._reading.encrypted:
            raise MalformedInput("pdf", "it is encrypted; remove the password first")
        self._in_place = isinstance(whole, HeldFile)
        with translated():
            reader = open_reader(whole)
            stream = reader.stream if isinstance(whole, HeldFile) else io.BytesIO(whole)
            self._writer = _Writer(stream, prev=reader)
        self.signatures = self._reading.signatures()

    @property
    def writer(self) -> Any:
        """The writer of the update (of pyHanko), for other modules of this package."""
        return self._writer

    @property
    def is_certified(self) -> bool:
        """Whether the file has a certification signature."""
        return self._reading.certified_by() is not None

    def field_names(self) -> frozenset[str]:
        """The names of the top form fields."""
        with translated():
            fields = get(get(self._writer.root, "/AcroForm"), "/Fields")
            return frozenset(text_of(get(node, "/T")) or "" for node in items(fields))

    def page_boxes(self) -> list[PageBox]:
        """The visible parts of all pages. `TooLarge` for more than `MAX_PAGES`."""
        with translated():
            count = self._writer.root["/Pages"]["/Count"]
            if not isinstance(count, int) or count > MAX_PAGES:
                raise TooLarge("pdf", f"more than {MAX_PAGES} pages")
        return [self.page_box(index) for index in range(count)]

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        with translated():
            count = self._writer.root["/Pages"]["/Count"]
            if not -count <= index < count:
                raise UsageError(f"there is no page {index}; the document has {count}")
            reference, _ = self._writer.find_page_for_modification(index)
            return _page_box(reference.get_object())

    def page_taken(self, index: int) -> tuple[tuple[float, float, float, float], ...]:
        """Where annotations are seen on a page, in its own coordinates; links and pop-ups are not."""
        with translated():
            reference, _ = self._writer.find_page_for_modification(index)
            return tuple(_seen(get(reference.get_object(), "/Annots")))

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> Prepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        if is_locked(self._writer.root, frame.field):
            raise Conflict(f"an earlier signature locks the field {frame.field!r}")
        with translated():
            writer = self._writer
            if writer.output_version < (2, 0):
                writer.register_extension(ESIC_EXTENSION_1)  # EN 319 142-1, 5.6
            shown = frame.appearance
            rectangle: Any = shown.rectangle if shown else None
            place = SigFieldSpec(frame.field, frame.page, rectangle)
            steps = PdfCMSEmbedder(new_field_spec=place).write_cms(frame.field, writer)
            sig_field, drawing = next(steps).get_object(), Drawing(writer)
            if shown:
                widget = get_single_field_annot(sig_field)
                widget["/AP"] = generic.DictionaryObject({pdf_name("/N"): _look(drawing, shown, widget)})
                writer.update_container(widget)
            put_stamps(writer, frame, drawing)
            rules = _rules(frame, digest_algorithm, lock_of(sig_field))
            steps.send(SigObjSetup(_placeholder(frame, reserve), rules))
            way_out = SigIOSetup(md_algorithm=digest_algorithm, in_place=self._in_place)
            prepared, output = steps.send(way_out)
            return Prepared(prepared.document_digest, reserve, prepared, output)

    def prepare_archive(self, store: Store, *, reserve: int) -> Prepared:
        """Evidence and room for `reserve` octets of a time-stamp of the document: see `keeping`."""
        names = self.field_names()
        return prepare_archive(self._writer, names, store, reserve=reserve, in_place=self._in_place)

    def keep(self, store: Store) -> bytes:
        """The update that puts this evidence, what of it is new, into the store; empty for nothing new."""
        return keep(self._writer, store, size=self._size)

    def locking_fields(self) -> list[LockingField]:
        """The top signature fields that lock others, in the order of the form; at most `MAX_WAITING`."""
        return locking_fields(self._writer.root)

    def add_fields(self, fields: Iterable[NewField]) -> bytes:
        """The file with empty signature fields; each locks all fields but the ones it leaves open."""
        return add_fields(self._writer, fields)


class _Writer(IncrementalPdfFileWriter):
    """Writes the signature and nothing else: no producer, no modification date, no clock."""

    def _update_meta(self) -> None:
        pass


def _ended(pdf: bytes | HeldFile) -> bytes | HeldFile:
    """The file with an end of line: an update right behind "%%EOF" would be a part of that comment."""
    is_ended = pdf.endswith((b"\n", b"\r"))
    if isinstance(pdf, HeldFile):
        pdf.file.truncate(len(pdf))  # an update that turned out too small may be there
        pdf.file.seek(0, SEEK_END)
        pdf.file.write(b"" if is_ended else b"\n")
        pdf.file.flush()
        return pdf
    return pdf if is_ended else pdf + b"\n"


def _look(drawing: Drawing, shown: Appearance, widget: Any) -> Any:
    """The appearance of a field; one that waited has a place of its own, perhaps on a page that is turned."""
    x0, y0, x1, y1 = (float(item) for item in items(widget["/Rect"]))
    page = get(widget, "/P")
    rotate = int(inherited(page, "/Rotate") or 0) % 360 if page is not None else shown.rotate
    across, along = abs(x1 - x0), abs(y1 - y0)
    room = (along, across) if rotate in {90, 270} else (across, along)
    fits = abs(room[0] - shown.width) + abs(room[1] - shown.height) < 0.01
    if rotate not in MATRICES or not all(room) or (fits and rotate == shown.rotate):
        return drawing.form(shown)
    return drawing.form(replace(shown, rotate=rotate), room=room)


def _seen(annotations: Any) -> Iterator[tuple[float, float, float, float]]:
    """The rectangles of the first annotations of a page that are seen."""
    for one in itertools.islice(items(annotations), MAX_ANNOTATIONS):
        sides = [float(side) for side in items(get(one, "/Rect"))]
        if len(sides) != 4 or int(get(one, "/F", 0)) & HIDDEN or get(one, "/Subtype") in {"/Link", "/Popup"}:
            continue
        x0, y0, x1, y1 = sides
        if x0 != x1 and y0 != y1:
            yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _page_box(page: Any) -> PageBox:
    media = inherited(page, "/MediaBox") or _LETTER
    crop = inherited(page, "/CropBox") or media
    sides = [[float(item) for item in items(box)] for box in (media, crop)]
    rotate, unit = int(inherited(page, "/Rotate") or 0), float(get(page, "/UserUnit", 1))
    return PageBox.of(*sides, rotate=rotate, unit=unit)


def inherited(page: Any, key: str) -> Any:
    for _ in range(MAX_DEPTH):
        if key in page:
            return page[key]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    raise MalformedInput("pdf", "the page tree is too deep")


def _placeholder(frame: Frame, reserve: int) -> SignatureObject:
    signature = SignatureObject(
        timestamp=frame.time, subfilter=SigSeedSubFilter.PADES, bytes_reserved=2 * reserve
    )
    for key, text in (("/Reason", frame.reason), ("/Location", frame.location)):
        if text is not None:
            # In hex: a reader that looks for words in the bytes must not take a text for structure.
            signature[pdf_name(key)] = generic.ByteStringObject(
                codecs.BOM_UTF16_BE + text.encode("utf-16-be")
            )
    return signature


def _rules(frame: Frame, digest_algorithm: str, lock: FieldMDPSpec | None) -> SigMDPSetup | None:
    """What may follow: what a certification allows, and what the field says that its signature locks."""
    if not frame.certify:
        return SigMDPSetup(md_algorithm=digest_algorithm, field_lock=lock) if lock else None
    permission = MDPPerm(frame.permission)
    return SigMDPSetup(md_algorithm=digest_algorithm, certify=True, docmdp_perms=permission, field_lock=lock)

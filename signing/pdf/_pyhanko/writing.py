"""Write the frame of a signature: field, appearance, placeholder and an incremental update."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from signing.pdf._pyhanko.parser import get, items, text_of, translated
from signing.pdf._pyhanko.reading import MAX_DEPTH, Reading
from signing.pdf.frame import MATRICES, PageBox
from yinxin.base.errors import Conflict, MalformedInput, UsageError

if TYPE_CHECKING:
    from signing.pdf.face import Picture
    from signing.pdf.frame import Appearance, Frame

_LETTER = generic.ArrayObject(map(generic.NumberObject, (0, 0, 612, 792)))


class Editing:
    """A PDF opened for one incremental update. Raises `MalformedInput`, `UsageError` and `Conflict`."""

    def __init__(self, pdf: bytes) -> None:
        """Open the file; it stays as it is, the update comes behind it."""
        # An update that starts right behind "%%EOF" would be a part of that comment.
        whole = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
        self._reading = Reading(whole)
        if self._reading.encrypted:
            raise MalformedInput("pdf", "it is encrypted; remove the password first")
        with translated():
            self._writer = _Writer(io.BytesIO(whole), prev=self._reading.reader)

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

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        with translated():
            count = self._writer.root["/Pages"]["/Count"]
            if not -count <= index < count:
                raise UsageError(f"there is no page {index}; the document has {count}")
            reference, _ = self._writer.find_page_for_modification(index)
            return _page_box(reference.get_object())

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> Prepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        with translated():
            writer = self._writer
            if writer.output_version < (2, 0):
                writer.register_extension(ESIC_EXTENSION_1)  # EN 319 142-1, 5.6
            shown = frame.appearance
            rectangle: Any = shown.rectangle if shown else None
            place = SigFieldSpec(frame.field, frame.page, rectangle)
            steps = PdfCMSEmbedder(new_field_spec=place).write_cms(frame.field, writer)
            sig_field = next(steps).get_object()
            if shown:
                widget = get_single_field_annot(sig_field)
                widget["/AP"] = generic.DictionaryObject({pdf_name("/N"): _draw(writer, shown)})
                writer.update_container(widget)
            steps.send(SigObjSetup(_placeholder(frame, reserve), _certification(frame, digest_algorithm)))
            prepared, output = steps.send(SigIOSetup(md_algorithm=digest_algorithm))
            return Prepared(prepared.document_digest, reserve, prepared, output)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An update that waits for its signature."""

    digest: bytes
    reserve: int
    _gap: Any
    _output: io.BytesIO

    def fill(self, signature: bytes) -> bytes:
        """The finished file."""
        if len(signature) > self.reserve:
            raise Conflict("the signature is larger than the room kept for it")
        with translated():
            self._gap.fill_with_cms(self._output, signature)
            return self._output.getvalue()


class _Writer(IncrementalPdfFileWriter):
    """Writes the signature and nothing else: no producer, no modification date, no clock."""

    def _update_meta(self) -> None:
        pass


def _page_box(page: Any) -> PageBox:
    media = _inherited(page, "/MediaBox") or _LETTER
    crop = _inherited(page, "/CropBox") or media
    sides = [[float(item) for item in items(box)] for box in (media, crop)]
    rotate, unit = int(_inherited(page, "/Rotate") or 0), float(get(page, "/UserUnit", 1))
    return PageBox.of(*sides, rotate=rotate, unit=unit)


def _inherited(page: Any, key: str) -> Any:
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


def _certification(frame: Frame, digest_algorithm: str) -> SigMDPSetup | None:
    if not frame.certify:
        return None
    return SigMDPSetup(md_algorithm=digest_algorithm, certify=True, docmdp_perms=MDPPerm.FILL_FORMS)


def _draw(writer: Any, shown: Appearance) -> Any:
    """The appearance stream: the picture, turned so that it stands upright on a turned page."""
    width, height = shown.width, shown.height
    image = _image(writer, shown.picture)
    number = generic.FloatObject
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(map(number, (0, 0, width, height))),
            pdf_name("/Matrix"): generic.ArrayObject(map(number, (*MATRICES[shown.rotate], 0, 0))),
            pdf_name("/Resources"): generic.DictionaryObject(
                {pdf_name("/XObject"): generic.DictionaryObject({pdf_name("/Face"): image})}
            ),
        },
        stream_data=f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Face Do Q".encode(),
    )
    return writer.add_object(form)


def _image(writer: Any, picture: Picture) -> Any:
    color = _raster(picture, picture.color.data, picture.color.colors)
    if picture.alpha:
        color[pdf_name("/SMask")] = writer.add_object(_raster(picture, picture.alpha.data, 1))
    return writer.add_object(color)


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

"""The only file that imports pyHanko: reading PDF structure, and writing a signature's frame.

pyHanko 0.38 parses objects and revisions, compares revisions, and writes incremental updates. It is never
asked whether a signature is good: CMS, trust and time are ours, it gets no validation context, and nothing
here can reach a network or a trust store of the operating system. Whatever it raises for a file leaves
here as `MalformedInput` or `TooLarge`; reading is metered, so that a file cannot keep it busy for long.
"""

from __future__ import annotations

import binascii
import io
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import (
    DecodeLimits,
    DecodePurpose,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    DiffResult,
    FormUpdatingRule,
    GenericFieldModificationRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from yinxin.base.errors import Conflict, MalformedInput, TooLarge, UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.pdf.face import Picture

# Without a handler its warnings about a bad file would be printed on our users' terminals.
logging.getLogger("pyhanko").addHandler(logging.NullHandler())

MAX_WORK = 30_000_000  # reads from the file and object look-ups, some ten seconds of one core
MAX_FIELDS, MAX_DEPTH, MAX_REVISIONS = 5_000, 32, 256
MAX_TEXT_CHARACTERS = 1000
_WHITESPACE = b"\0\t\n\x0c\r "
_MIB = 1 << 20
_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=64 * _MIB),
    per_purpose={
        DecodePurpose.OBJECT_STREAM: StreamDecodeLimits(max_ratio=200, max_output_size=16 * _MIB),
        DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_ratio=200, max_output_size=16 * _MIB),
        DecodePurpose.XMP_METADATA: StreamDecodeLimits(max_ratio=200, max_output_size=4 * _MIB),
    },
    document_budget=DocumentDecodeBudget(base_allowance=128 * _MIB, max_ratio=4),
)
# pyHanko refuses new visible signature fields after a certification (Acrobat does not). Here a later
# signature has to stand for every such change (`judge_changes`), so that several offices can seal one page.
_DIFF_POLICY = StandardDiffPolicy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(allow_new_visible_after_certify=True),
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
        ]
    ),
)
PADES, PKCS7_DETACHED, RFC3161 = "/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"
SUPPORTED = frozenset({PADES, PKCS7_DETACHED, RFC3161})


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """One filled signature field as the parser sees it. `problem` says why it cannot be looked at further."""

    field: str
    kind: str  # the SubFilter, or ""
    problem: str | None = None
    reference: tuple[int, int] | None = None
    offset: int | None = None
    byte_range: tuple[Any, ...] = ()
    contents: bytes = b""
    revision: int = -1
    claimed_time: datetime | None = None
    reason: str | None = None
    location: str | None = None
    permission: int | None = None
    embedded: Any = dataclass_field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Review:
    """What happened to the file after one signature: `level` is none, archive, form or other."""

    level: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PageBox:
    """The visible part of a page in its own coordinates, and how it is turned (clockwise degrees)."""

    left: float
    bottom: float
    right: float
    top: float
    rotate: int
    unit: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """A picture, where it stands on the page (own coordinates) and its upright size in points."""

    picture: Picture
    rectangle: tuple[float, float, float, float]
    width: float
    height: float
    rotate: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What goes round a signature: its field, page, texts, time, and whether it certifies (DocMDP 2)."""

    field: str
    page: int
    certify: bool
    appearance: Appearance | None
    time: datetime | None = None
    reason: str | None = None
    location: str | None = None


class Reading:
    """A PDF opened for reading. Every method raises only `MalformedInput` and its kind."""

    def __init__(self, pdf: bytes) -> None:
        """Open the file; `lenient` says that a strict parser refused it."""
        self.lenient = False
        pdf = _mended(pdf)
        with _translated():
            try:
                self._reader = _Reader(_Metered(pdf), strict=True, decode_limits=_LIMITS)
                self.hybrid = bool(self._reader.xrefs.hybrid_xrefs_present)
            except YinxinError:
                raise
            except Exception:  # noqa: BLE001 - whatever the strict parser dislikes, the lenient one may take
                self.hybrid = True
            if self.hybrid:
                self.lenient = True
                self._reader = _Reader(_Metered(pdf), strict=False, decode_limits=_LIMITS)
        if self.revisions > MAX_REVISIONS:
            raise TooLarge("pdf", f"more than {MAX_REVISIONS} revisions")

    @property
    def encrypted(self) -> bool:
        """Whether the file is encrypted, also with an empty password."""
        with _translated():
            return bool(self._reader.encrypted) or "/Encrypt" in self._reader.trailer

    @property
    def revisions(self) -> int:
        """How many revisions the file has."""
        with _translated():
            return int(self._reader.xrefs.total_revisions)

    def signatures(self) -> tuple[FoundSignature, ...]:
        """Every filled signature field, in the order of their revisions, none left out."""
        with _translated():
            found = [self._found(name, node) for name, node in self._signature_fields()]
            return tuple(sorted(found, key=lambda item: (item.revision, item.field)))

    def certified_by(self) -> tuple[int, int] | None:
        """The object that the catalogue names as certification signature, if any."""
        with _translated():
            permissions = _get(self._reader.root, "/Perms")
            if _get(permissions, "/DocMDP") is None:
                return None
            return _reference(permissions.raw_get("/DocMDP")) or (0, 0)

    def review(self, found: FoundSignature) -> Review:
        """Compare the revision that was signed with all that came after it."""
        with _translated():
            embedded = found.embedded
            embedded.coverage = embedded.evaluate_signature_coverage()
            if embedded.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
                return Review("other", "the revision is not wholly covered")
            result = embedded.evaluate_modifications(_DIFF_POLICY)
            if not isinstance(result, DiffResult):
                return Review("other", str(result)[:300])
            return Review(_LEVELS[result.modification_level])

    def attachments(self, revision: int, *, limit: int, max_bytes: int) -> dict[str, bytes]:
        """The embedded files of one revision, by name."""
        with _translated():
            root = self._reader.get_historical_resolver(revision).root
            tree = _get(_get(root, "/Names"), "/EmbeddedFiles")
            answer: dict[str, bytes] = {}
            for specification in _tree_values(tree, limit):
                name, data = _embedded_file(specification)
                if name in answer:
                    raise MalformedInput("pdf", "two embedded files have one name")
                answer[name] = data
                if sum(map(len, answer.values())) > max_bytes:
                    raise TooLarge("pdf", f"embedded files over {max_bytes} bytes")
            return answer

    def _signature_fields(self) -> Iterator[tuple[str, generic.DictionaryObject]]:
        seen = 0
        waiting = [(_get(_get(self._reader.root, "/AcroForm"), "/Fields"), "", None, 0)]
        while waiting:
            group, parent, kind, depth = waiting.pop()
            if depth > MAX_DEPTH:
                raise TooLarge("pdf", "form fields are nested too deep")
            for node in _items(group):
                seen += 1
                if seen > MAX_FIELDS:
                    raise TooLarge("pdf", f"more than {MAX_FIELDS} form fields")
                if not isinstance(node, generic.DictionaryObject):
                    continue
                name = ".".join(part for part in (parent, _text(_get(node, "/T")) or "") if part)
                own = _get(node, "/FT", kind)
                if own == "/Sig" and not isinstance(_get(node, "/V"), (generic.NullObject, type(None))):
                    yield name, node
                waiting.append((_get(node, "/Kids"), name, own, depth + 1))

    def _found(self, name: str, node: generic.DictionaryObject) -> FoundSignature:
        raw = node.raw_get("/V")
        reference = _reference(raw)
        value = raw.get_object()
        if reference is None or not isinstance(value, generic.DictionaryObject):
            return FoundSignature(name, "", "the signature is not an object of its own")
        kind = str(_get(value, "/SubFilter", ""))[:64]
        if kind not in SUPPORTED:
            return FoundSignature(name, kind, f"SubFilter {kind or 'is missing'}", reference)
        return self._supported(name, node, value, kind, reference)

    def _supported(
        self,
        name: str,
        node: generic.DictionaryObject,
        value: generic.DictionaryObject,
        kind: str,
        reference: tuple[int, int],
    ) -> FoundSignature:
        place = self._reader.xrefs[generic.Reference(*reference, self._reader)]
        embedded = EmbeddedPdfSignature(self._reader, node, name)
        contents = value.raw_get("/Contents")
        permission = embedded.docmdp_level
        return FoundSignature(
            field=name,
            kind=kind,
            reference=reference,
            offset=place if isinstance(place, int) else None,
            byte_range=tuple(embedded.byte_range),
            contents=bytes(contents.original_bytes),
            revision=int(embedded.signed_revision),
            claimed_time=_date(_get(value, "/M")),
            reason=_text(_get(value, "/Reason")),
            location=_text(_get(value, "/Location")),
            permission=permission.value if permission else None,
            embedded=embedded,
        )


class Editing:
    """A PDF opened for one incremental update. Raises `MalformedInput`, `UsageError` and `Conflict`."""

    def __init__(self, pdf: bytes) -> None:
        """Open the file; it stays as it is, the update comes behind it."""
        # An update that starts right behind "%%EOF" would be a part of that comment.
        whole = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
        self._reading = Reading(whole)
        if self._reading.encrypted:
            raise MalformedInput("pdf", "it is encrypted; remove the password first")
        with _translated():
            self._writer = _Writer(io.BytesIO(whole), prev=self._reading._reader)  # noqa: SLF001 - its other half

        self.signatures = self._reading.signatures()

    @property
    def is_certified(self) -> bool:
        """Whether the file has a certification signature."""
        return self._reading.certified_by() is not None

    def field_names(self) -> frozenset[str]:
        """The names of the top form fields."""
        with _translated():
            fields = _get(_get(self._writer.root, "/AcroForm"), "/Fields")
            return frozenset(_text(_get(node, "/T")) or "" for node in _items(fields))

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        with _translated():
            count = self._writer.root["/Pages"]["/Count"]
            if not -count <= index < count:
                raise UsageError(f"there is no page {index}; the document has {count}")
            reference, _ = self._writer.find_page_for_modification(index)
            return _page_box(reference.get_object())

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> Prepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        with _translated():
            writer = self._writer
            if writer.output_version < (2, 0):
                writer.register_extension(ESIC_EXTENSION_1)  # EN 319 142-1, 5.6
            shown = frame.appearance
            rectangle: Any = shown.rectangle if shown else None
            place = SigFieldSpec(frame.field, frame.page, rectangle)
            steps = PdfCMSEmbedder(new_field_spec=place).write_cms(frame.field, writer)
            sig_field = next(steps).get_object()
            if shown:
                sig_field["/AP"] = generic.DictionaryObject({pdf_name("/N"): _draw(writer, shown)})
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
        with _translated():
            self._gap.fill_with_cms(self._output, signature)
            return self._output.getvalue()


_LEVELS = {
    ModificationLevel.NONE: "none",
    ModificationLevel.LTA_UPDATES: "archive",
    ModificationLevel.FORM_FILLING: "form",
    ModificationLevel.ANNOTATIONS: "other",
    ModificationLevel.OTHER: "other",
}


class _Metered(io.BytesIO):
    """A file in memory that counts its reads.

    The same file takes the same number of steps everywhere; a limit in seconds would not be repeatable.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MAX_WORK

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooLarge("pdf", "reading it takes too much work")
        return super().read(size)

    def spend(self, steps: int) -> None:
        self._left -= steps


_SLOW_HEX = generic.read_hex_string_from_stream


def _read_hex(stream: Any) -> Any:
    """PyHanko's reader of hex strings with the same results, in blocks instead of single characters.

    A signature is one hex string of many thousand digits, and reading it took 80 % of a verification.
    """
    start = stream.tell()
    stream.seek(1, os.SEEK_CUR)
    text = bytearray()
    while (end := text.find(b">")) < 0 and (block := stream.read(4096)):
        text += block
    digits = text[: max(end, 0)].translate(None, _WHITESPACE)
    try:
        value = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    except binascii.Error:
        end = -1
    if end < 0:  # unfinished, a comment inside, not hex: let pyHanko say what it makes of it
        stream.seek(start)
        return _SLOW_HEX(stream)
    stream.seek(start + 1 + end + 1)
    return generic.pdf_string(value)


generic.read_hex_string_from_stream = _read_hex


class _Reader(PdfFileReader):
    """pyHanko's reader, with object look-ups counted too."""

    def get_object(self, ref: Any, *args: Any, **options: Any) -> Any:
        self.stream.spend(20)
        return super().get_object(ref, *args, **options)


class _Writer(IncrementalPdfFileWriter):
    """Writes the signature and nothing else: no producer, no modification date, no clock."""

    def _update_meta(self) -> None:
        pass


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever pyHanko raises for a file, even an assertion or a recursion, is a malformed file."""
    try:
        yield
    except YinxinError:
        raise
    except Exception as exc:
        raise MalformedInput("pdf", f"{type(exc).__name__}: {exc}"[:300]) from exc


def _mended(pdf: bytes) -> bytes:
    """What is parsed, same length: a popular maker of scans writes one impossible number in its tables.

    The entry is that of object 0, which no reader uses. Signatures are over the file as it is.
    """
    return pdf.replace(b"0000000000 65536 f", b"0000000000 65535 f")


def _get(node: Any, key: str, default: Any = None) -> Any:
    """A dictionary's value, its reference followed; the default for what is no dictionary."""
    return node[key] if isinstance(node, generic.DictionaryObject) and key in node else default


def _reference(value: Any) -> tuple[int, int] | None:
    return (value.idnum, value.generation) if isinstance(value, generic.IndirectObject) else None


def _text(value: Any) -> str | None:
    if isinstance(value, generic.ByteStringObject):
        value = value.decode("latin-1")
    return str(value)[:MAX_TEXT_CHARACTERS] if isinstance(value, str) else None


def _date(value: Any) -> datetime | None:
    try:
        found = generic.parse_pdf_date(str(value), strict=False) if isinstance(value, str) else None
    except Exception:  # noqa: BLE001 - a claimed time that cannot be read is no claim
        return None
    return found if found is not None and found.tzinfo is not None else None


def _tree_values(tree: Any, limit: int) -> Iterator[generic.DictionaryObject]:
    """The values of a name tree (ISO 32000-2, 7.9.6), bounded in nodes, depth and values."""
    waiting, nodes, values = [(tree, 0)], 0, 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > 16 * limit:
            raise TooLarge("pdf", "the list of embedded files is too deep or too long")
        if not isinstance(node, generic.DictionaryObject):
            continue
        waiting += [(kid, depth + 1) for kid in _array(_get(node, "/Kids"), 16 * limit)]
        pairs = _array(_get(node, "/Names"), 2 * limit)
        for value in pairs[1::2]:
            values += 1
            if values > limit:
                raise TooLarge("pdf", f"more than {limit} embedded files")
            if isinstance(value, generic.DictionaryObject):
                yield value


def _array(value: Any, limit: int) -> list[Any]:
    if not isinstance(value, generic.ArrayObject):
        return []
    if len(value) > limit:
        raise TooLarge("pdf", "the list of embedded files is too long")
    return list(_items(value))


def _items(array: Any) -> Iterator[Any]:
    """The items of an array, references followed; nothing for what is no array."""
    if isinstance(array, generic.ArrayObject):
        yield from (array[index] for index in range(len(array)))


def _embedded_file(specification: generic.DictionaryObject) -> tuple[str, bytes]:
    name = _text(_get(specification, "/UF")) or _text(_get(specification, "/F"))
    files = _get(specification, "/EF")
    stream = _get(files, "/UF", _get(files, "/F"))
    if name is None or not isinstance(stream, generic.StreamObject):
        raise MalformedInput("pdf", "an embedded file has no name or no content")
    return name, bytes(stream.data)


def _page_box(page: Any) -> PageBox:
    media = _inherited(page, "/MediaBox") or _LETTER
    crop = _inherited(page, "/CropBox") or media
    sides = [_ordered([float(item) for item in _items(box)]) for box in (media, crop)]
    left, bottom = (max(box[index] for box in sides) for index in (0, 1))
    right, top = (min(box[index] for box in sides) for index in (2, 3))
    rotate = int(_inherited(page, "/Rotate") or 0) % 360
    unit = float(_get(page, "/UserUnit", 1))
    if right <= left or top <= bottom or rotate % 90 or unit <= 0:
        raise MalformedInput("pdf", "the page has no usable size")
    return PageBox(left, bottom, right, top, rotate, unit)


def _ordered(box: list[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _inherited(page: Any, key: str) -> Any:
    for _ in range(MAX_DEPTH):
        if key in page:
            return page[key]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    raise MalformedInput("pdf", "the page tree is too deep")


def _placeholder(frame: Frame, reserve: int) -> SignatureObject:
    return SignatureObject(
        timestamp=frame.time,
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * reserve,
        reason=frame.reason,
        location=frame.location,
    )


def _certification(frame: Frame, digest_algorithm: str) -> SigMDPSetup | None:
    if not frame.certify:
        return None
    return SigMDPSetup(md_algorithm=digest_algorithm, certify=True, docmdp_perms=MDPPerm.FILL_FORMS)


_LETTER = generic.ArrayObject(map(generic.NumberObject, (0, 0, 612, 792)))
_MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


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
            pdf_name("/Matrix"): generic.ArrayObject(map(number, (*_MATRICES[shown.rotate], 0, 0))),
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

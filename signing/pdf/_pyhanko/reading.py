"""Read a PDF's signatures, revisions and embedded files as pyHanko's parser sees them."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    GenericFieldModificationRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    QualifiedWhitelistRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing.pdf._pyhanko.parser import get, items, open_reader, reference_of, text_of, translated
from signing.pdf._pyhanko.store import Store, read_store
from signing.pdf.gate import MAX_CONTENTS_BYTES
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pyhanko.pdf_utils.reader import HistoricalResolver
    from pyhanko.sign.diff_analysis import ReferenceUpdate

    from signing.held import HeldFile

MAX_FIELDS, MAX_DEPTH = 5_000, 32
PADES, PKCS7_DETACHED, RFC3161 = "/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"
SUPPORTED = frozenset({PADES, PKCS7_DETACHED, RFC3161})
_PASSING_INFO = frozenset({"/ModDate", "/CreationDate", "/Producer"})
_LEVELS = {
    ModificationLevel.NONE: "none",
    ModificationLevel.LTA_UPDATES: "archive",
    ModificationLevel.FORM_FILLING: "form",
    ModificationLevel.ANNOTATIONS: "other",
    ModificationLevel.OTHER: "other",
}


class _InfoRule(QualifiedWhitelistRule):
    """Dates and makers in /Info may change with any update; a new title is for a further signature."""

    def apply_qualified(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterator[tuple[ModificationLevel, ReferenceUpdate]]:
        """The updates that are explained, and how far they go."""
        same = _lasting_info(old) == _lasting_info(new)
        level = ModificationLevel.LTA_UPDATES if same else ModificationLevel.FORM_FILLING
        for update in DocInfoRule().apply(old, new):
            yield level, update


# Two departures from pyHanko's own policy. Metadata (XMP) and titles are content here: programs read them.
# New visible signature fields may follow a certification, as Acrobat has it, so that several offices can
# seal one page; `judge_changes` demands a later signature for both.
_ARCHIVE = ModificationLevel.LTA_UPDATES
_DIFF_POLICY = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),
        _InfoRule(),
        XrefStreamRule().as_qualified(_ARCHIVE),
        ObjectStreamRule().as_qualified(_ARCHIVE),
        DSSCompareRule().as_qualified(_ARCHIVE),
        MetadataUpdateRule().as_qualified(ModificationLevel.FORM_FILLING),
    ],
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(allow_new_visible_after_certify=True),
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
        ]
    ),
)


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


class Reading:
    """A PDF opened for reading. Every method raises only `MalformedInput` and its kind."""

    def __init__(self, pdf: bytes | HeldFile) -> None:
        """Open the file; `lenient` says that a strict parser refused it."""
        self.reader, self.lenient = open_reader(pdf)

    @property
    def encrypted(self) -> bool:
        """Whether the file is encrypted, also with an empty password."""
        with translated():
            return bool(self.reader.encrypted) or "/Encrypt" in self.reader.trailer

    def signatures(self) -> tuple[FoundSignature, ...]:
        """Every filled signature field, in the order of their revisions, none left out."""
        with translated():
            found = [self._found(name, node) for name, node in self._signature_fields()]
            return tuple(sorted(found, key=lambda item: (item.revision, item.field)))

    def certified_by(self) -> tuple[int, int] | None:
        """The object that the catalogue names as certification signature, if any."""
        with translated():
            permissions = get(self.reader.root, "/Perms")
            if get(permissions, "/DocMDP") is None:
                return None
            return reference_of(permissions.raw_get("/DocMDP")) or (0, 0)

    def store(self) -> Store:
        """The certificates and revocation evidence that the document keeps."""
        with translated():
            return read_store(self.reader.root)

    def review(self, found: FoundSignature) -> Review:
        """Compare the revision that was signed with all that came after it."""
        with translated():
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
        with translated():
            root = self.reader.get_historical_resolver(revision).root
            tree = get(get(root, "/Names"), "/EmbeddedFiles")
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
        waiting = [(get(get(self.reader.root, "/AcroForm"), "/Fields"), "", None, 0)]
        while waiting:
            group, parent, kind, depth = waiting.pop()
            if depth > MAX_DEPTH:
                raise TooLarge("pdf", "form fields are nested too deep")
            for node in items(group):
                seen += 1
                if seen > MAX_FIELDS:
                    raise TooLarge("pdf", f"more than {MAX_FIELDS} form fields")
                if not isinstance(node, generic.DictionaryObject):
                    continue
                name = ".".join(part for part in (parent, text_of(get(node, "/T")) or "") if part)
                own = get(node, "/FT", kind)
                if own == "/Sig" and not isinstance(get(node, "/V"), (generic.NullObject, type(None))):
                    yield name, node
                waiting.append((get(node, "/Kids"), name, own, depth + 1))

    def _found(self, name: str, node: generic.DictionaryObject) -> FoundSignature:
        raw = node.raw_get("/V")
        reference = reference_of(raw)
        value = raw.get_object()
        if reference is None or not isinstance(value, generic.DictionaryObject):
            return FoundSignature(name, "", "the signature is not an object of its own")
        kind = str(get(value, "/SubFilter", ""))[:64]
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
        place = self.reader.xrefs[generic.Reference(*reference, self.reader)]
        contents = value.raw_get("/Contents")
        if len(contents.original_bytes) > MAX_CONTENTS_BYTES:
            raise TooLarge("pdf", f"a signature over {MAX_CONTENTS_BYTES} bytes")
        embedded = EmbeddedPdfSignature(self.reader, node, name)
        permission = embedded.docmdp_level
        return FoundSignature(
            field=name,
            kind=kind,
            reference=reference,
            offset=place if isinstance(place, int) else None,
            byte_range=tuple(embedded.byte_range),
            contents=bytes(contents.original_bytes),
            revision=int(embedded.signed_revision),
            claimed_time=_date(get(value, "/M")),
            reason=text_of(get(value, "/Reason")),
            location=text_of(get(value, "/Location")),
            permission=permission.value if permission else None,
            embedded=embedded,
        )


def _lasting_info(revision: HistoricalResolver) -> dict[str, str]:
    # Through the revision: the trailer's own references lead to the newest version of an object.
    reference = revision.trailer_view.get_value_as_reference("/Info", optional=True)
    info: Any = revision(reference) if reference else None
    names = info if isinstance(info, generic.DictionaryObject) else ()
    return {name: str(info[name]) for name in names if name not in _PASSING_INFO}


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
        waiting += [(kid, depth + 1) for kid in _array(get(node, "/Kids"), 16 * limit)]
        pairs = _array(get(node, "/Names"), 2 * limit)
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
    return list(items(value))


def _embedded_file(specification: generic.DictionaryObject) -> tuple[str, bytes]:
    name = text_of(get(specification, "/UF")) or text_of(get(specification, "/F"))
    files = get(specification, "/EF")
    stream = get(files, "/UF", get(files, "/F"))
    if name is None or not isinstance(stream, generic.StreamObject):
        raise MalformedInput("pdf", "an embedded file has no name or no content")
    return name, bytes(stream.data)

"""Read a PDF's signatures as pyHanko's parser sees them, before it writes behind them.

Nothing is verified by this: `signing.pdf.reading` is the reader that verdicts stand on.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.pdf._pyhanko.parser import get, items, open_reader, reference_of, text_of, translated
from signing.pdf.gate import MAX_CONTENTS_BYTES
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.held import HeldFile

MAX_FIELDS, MAX_DEPTH = 5_000, 32
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


def _date(value: Any) -> datetime | None:
    try:
        found = generic.parse_pdf_date(str(value), strict=False) if isinstance(value, str) else None
    except Exception:  # noqa: BLE001 - a claimed time that cannot be read is no claim
        return None
    return found if found is not None and found.tzinfo is not None else None

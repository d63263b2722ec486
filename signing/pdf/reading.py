"""Read a PDF's signatures, what it keeps and what is embedded in it, by our own strict reader.

Where a file is not written cleanly, its objects are looked for one by one (`lenient`): that is a guess, good
enough to find signatures, never to say what a revision changed. Nothing here says whether a signature holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.held import count
from signing.pdf.dates import read_date
from signing.pdf.gate import MAX_CONTENTS_BYTES
from signing.pdf.parsing import Budget, Document, Name, Ref, Stream
from signing.pdf.revisions.changes import legible
from signing.pdf.revisions.fields import (
    Permissions,
    SignedField,
    fields,
    permissions_of,
    signature_fields,
)
from signing.pdf.revisions.history import History, Review
from signing.pdf.revisions.pages import page_tree
from signing.pdf.store import Store, read_store
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.pdf.parsing import Source, Value

MAX_DEPTH = 32
MAX_TEXT_CHARACTERS, MAX_STRAYS = 1000, 64
PADES, PKCS7_DETACHED, RFC3161 = "/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"
_RANGE = re.compile(rb"/ByteRange")
SUPPORTED = frozenset({PADES, PKCS7_DETACHED, RFC3161})


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """One filled signature field as it stands there.

    `problem` says why it cannot be looked at further, `oddity` what about its dictionary other readers might
    understand otherwise.
    """

    field: str
    kind: str  # the SubFilter, or ""
    problem: str | None = None
    oddity: str = ""
    reference: tuple[int, int] | None = None
    offset: int | None = None
    byte_range: tuple[Value, ...] = ()
    contents: bytes = b""
    claimed_time: datetime | None = None
    reason: str | None = None
    location: str | None = None
    permissions: Permissions = Permissions()  # noqa: RUF009 - frozen

    @property
    def permission(self) -> int | None:
        """What may follow: the level of DocMDP (ISO 32000-2, 12.8.2.2), None where it does not say."""
        return self.permissions.level

    @property
    def covered(self) -> int:
        """Where its signed bytes end, as its byte range says; -1 where that says nothing."""
        numbers = self.byte_range
        if len(numbers) != 4 or not all(type(one) is int for one in numbers):
            return -1
        return int(numbers[2] + numbers[3])


class Reading:
    """A PDF opened for reading. Every method raises only `MalformedInput` and its kind."""

    def __init__(self, pdf: Source) -> None:
        """Open the file; `lenient` says that it is not written as it should be."""
        self.document, self.lenient, self._fields = _opened(pdf)
        self._history: History | None = None

    @property
    def encrypted(self) -> bool:
        """Whether the file is encrypted, also with an empty password."""
        return _is_encrypted(self.document)

    def signatures(self) -> tuple[FoundSignature, ...]:
        """Every filled signature field, in the order of their revisions, none left out."""
        if self._fields is None:
            self._fields = tuple(signature_fields(self.document))
        found = [_found(self.document, field) for field in self._fields]
        return tuple(sorted(found, key=lambda item: (item.covered, item.field)))

    def strays(self, known: int) -> list[str]:
        """The names of signatures that pages show and the form does not; `known` are those that it shows.

        They are looked for where more byte ranges stand in the file than the form has signatures.
        """
        ranges = count(_RANGE, self.document.source, limit=known + 1, longest=16)
        if ranges <= known:
            return []
        in_form = {field.ref for field in fields(self.document)}
        return [legible(text_of(name) or "") for name in _signed_widgets(self.document, in_form)][:MAX_STRAYS]

    def certified_by(self) -> tuple[int, int] | None:
        """The object that the catalogue names as certification signature, if any."""
        document = self.document
        permissions = document.get(document.root, "Perms")
        if document.get(permissions, "DocMDP") is None:
            return None
        named = permissions["DocMDP"]
        return (named.number, named.generation) if isinstance(named, Ref) else (0, 0)

    def store(self) -> Store:
        """The certificates and revocation evidence that the document keeps."""
        return read_store(self.document)

    def store_at(self, covered: int) -> Store:
        """What the document kept when it had so many bytes; `MalformedInput` where that cannot be told."""
        return read_store(self.document.as_of(covered))

    def review(self, found: FoundSignature, ends: list[int]) -> Review:
        """What came after the revision that was signed; `ends` are where the bytes of all signatures end."""
        if self._history is None:
            self._history = History(self.document, ends)
        return self._history.review(found.covered, found.permissions)

    def attachments(self, covered: int, *, limit: int, max_bytes: int) -> dict[str, bytes]:
        """The embedded files by name, of the file as it was when it had so many bytes."""
        try:
            document = self.document if self.lenient else self.document.as_of(covered)
        except MalformedInput:
            return {}  # what was signed is no revision of this file, and so nothing in it is proved
        answer: dict[str, bytes] = {}
        left = max_bytes
        tree = document.get(document.get(document.root, "Names"), "EmbeddedFiles")
        for specification in _tree_values(document, tree, limit):
            name, stream = _embedded_file(document, specification)
            if name in answer:
                raise MalformedInput("pdf", "two embedded files have one name")
            answer[name] = document.decode(stream, limit=left)
            left -= len(answer[name])
        return answer


def _signed_widgets(document: Document, in_form: set[Ref | None]) -> Iterator[Value]:
    """The names of widgets with a signature that are not in the form."""
    for number in page_tree(document):
        notes = document.get(document.load(document.reference(number)), "Annots")
        for item in notes if type(notes) is list else ():
            document.budget.spend(1)
            widget = document.resolve(item)
            if (type(item) is not Ref or item not in in_form) and document.get(widget, "FT") == "Sig":
                value = document.get(widget, "V")
                if type(value) is dict and "ByteRange" in value:
                    yield document.get(widget, "T")


def _is_encrypted(document: Document) -> bool:
    return any("Encrypt" in section.trailer for section in document.sections)


def _opened(pdf: Source) -> tuple[Document, bool, tuple[SignedField, ...] | None]:
    """The file, whether it had to be guessed at, and its signature fields where they were read already."""
    budget = Budget()  # for both attempts together
    try:
        document = Document(pdf, budget=budget)
        found = None if _is_encrypted(document) else tuple(signature_fields(document))
    except TooLarge:
        raise
    except MalformedInput:
        return Document(pdf, budget=budget, rebuild=True), True, None
    return document, not document.ends_well, found


def _found(document: Document, field: SignedField) -> FoundSignature:
    value, name = document.resolve(field.value), legible(field.name)
    if not isinstance(field.value, Ref) or type(value) is not dict:
        return FoundSignature(name, "", "the signature is not an object of its own")
    reference = (field.value.number, field.value.generation)
    oddity = document.oddity(field.value.number)
    named = document.get(value, "SubFilter")
    kind = f"/{named}"[:64] if isinstance(named, Name) else ""
    if kind not in SUPPORTED:
        return FoundSignature(name, kind, f"SubFilter {kind or 'is missing'}", oddity, reference)
    contents, numbers = document.get(value, "Contents"), document.get(value, "ByteRange")
    contents = contents if type(contents) is bytes else b""
    if len(contents) > MAX_CONTENTS_BYTES:
        raise TooLarge("pdf", f"a signature over {MAX_CONTENTS_BYTES} bytes")
    return FoundSignature(
        field=name,
        kind=kind,
        oddity=oddity,
        reference=reference,
        offset=document.place_of(field.value),
        byte_range=tuple(map(document.resolve, numbers)) if type(numbers) is list else (),
        contents=contents,
        claimed_time=_time(document.get(value, "M")),
        reason=text_of(document.get(value, "Reason")),
        location=text_of(document.get(value, "Location")),
        permissions=permissions_of(document, value, field),
    )


def text_of(value: Value) -> str | None:
    """A text string (ISO 32000-2, 7.9.2.2), shortened; None for what is none."""
    if type(value) is not bytes:
        return None
    for mark, encoding in (
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xef\xbb\xbf", "utf-8"),
    ):
        if value.startswith(mark):
            return value[len(mark) :].decode(encoding, "replace")[:MAX_TEXT_CHARACTERS]
    return value.decode("latin-1")[:MAX_TEXT_CHARACTERS]


def _time(value: Value) -> datetime | None:
    return read_date(value) if type(value) is bytes else None


def _tree_values(document: Document, tree: Value, limit: int) -> Iterator[dict[str, Value]]:
    """The values of a name tree (ISO 32000-2, 7.9.6), bounded in nodes, depth and values."""
    waiting, nodes, values = [(tree, 0)], 0, 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > 16 * limit:
            raise TooLarge("pdf", "the list of embedded files is too deep or too long")
        waiting += [(kid, depth + 1) for kid in _array(document, document.get(node, "Kids"), 16 * limit)]
        for value in _array(document, document.get(node, "Names"), 2 * limit)[1::2]:
            values += 1
            if values > limit:
                raise TooLarge("pdf", f"more than {limit} embedded files")
            if type(value) is dict:
                yield value


def _array(document: Document, value: Value, limit: int) -> list[Value]:
    if type(value) is not list:
        return []
    if len(value) > limit:
        raise TooLarge("pdf", "the list of embedded files is too long")
    return [document.resolve(item) for item in value]


def _embedded_file(document: Document, specification: dict[str, Value]) -> tuple[str, Stream]:
    name = text_of(document.get(specification, "UF")) or text_of(document.get(specification, "F"))
    files = document.get(specification, "EF")
    stream = document.get(files, "UF") or document.get(files, "F")
    if name is None or not isinstance(stream, Stream):
        raise MalformedInput("pdf", "an embedded file has no name or no content")
    return name, stream

"""The form of a PDF (ISO 32000-2, 12.7): its fields, which of them are signed, and what signatures forbid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.pdf.parsing import Ref
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Document, Value

MAX_FIELDS, MAX_DEPTH = 5_000, 32
MAX_NAME_CHARACTERS = 1000
NO_CHANGES, FILLING, ANNOTATIONS = 1, 2, 3  # levels of DocMDP (ISO 32000-2, 12.8.2.2)


@dataclass(frozen=True, slots=True)
class Field:
    """A node of the form's tree: a field, a group of fields, or one of a field's widgets.

    `kind` is its type (FT, its own or inherited), `ref` None for what is written into its parent.
    """

    ref: Ref | None
    name: str
    kind: str | None
    entries: dict[str, Value]

    @property
    def value(self) -> Value:
        """What it holds, its own and as it is written."""
        return self.entries.get("V")


SignedField = Field


def fields(document: Document) -> Iterator[Field]:
    """Every node of the form's tree. Raises `TooLarge` for a tree that is too deep or has too many nodes."""
    form = document.get(document.root, "AcroForm")
    waiting: list[tuple[Value, str, str | None, int]] = [(document.get(form, "Fields"), "", None, 0)]
    seen = 0
    while waiting:
        group, parent, kind, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise TooLarge("pdf", "form fields are nested too deep")
        for item in group if type(group) is list else ():
            seen += 1
            if seen > MAX_FIELDS:
                raise TooLarge("pdf", f"more than {MAX_FIELDS} form fields")
            entries = document.resolve(item)
            if type(entries) is not dict:
                continue
            own = document.get(entries, "FT")
            found = Field(
                item if type(item) is Ref else None,
                full_name(parent, document.get(entries, "T")),
                own if isinstance(own, str) else kind,
                entries,
            )
            yield found
            waiting.append((document.get(entries, "Kids"), found.name, found.kind, depth + 1))


def signature_fields(document: Document) -> Iterator[SignedField]:
    """The fields that hold a signature, whatever they say that they are."""
    for field in fields(document):
        if "V" not in field.entries:
            continue
        value = document.resolve(field.value)
        if (field.kind == "Sig" and value is not None) or (type(value) is dict and "ByteRange" in value):
            yield field


def full_name(parent: str, own: Value) -> str:
    """The name of a field below another one: partial names with full stops between them."""
    text = _text(own) if type(own) is bytes else ""
    return ".".join(part for part in (parent, text) if part)[:MAX_NAME_CHARACTERS]


def _text(value: bytes) -> str:
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Lock:
    """Fields that a signature locks (ISO 32000-2, 12.8.2.4)."""

    action: str
    names: frozenset[str] = frozenset()

    def holds(self, name: str) -> bool:
        """Whether a field is locked; a name stands for all below it too. What is not understood locks all."""
        if len(name) >= MAX_NAME_CHARACTERS:  # it was cut
            return True
        named = any(name == one or name.startswith(f"{one}.") for one in self.names)
        if self.action == "Include":
            return named
        return not (self.action == "Exclude" and named)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a signature lets follow: the level of DocMDP (None: it does not say) and the fields it locks.

    With `certifies` it says itself that it is a certification: it refers to DocMDP.
    """

    level: int | None = None
    locks: tuple[Lock, ...] = ()
    certifies: bool = False

    def locked(self, name: str) -> bool:
        """Whether a field may not change any more."""
        return any(lock.holds(name) for lock in self.locks)


def permissions_of(document: Document, signature: dict[str, Value], field: Field) -> Permissions:
    """What the references of a signature say, and the lock of its field. The strictest level counts."""
    levels: list[int] = []
    locks: list[Lock] = []
    certifies = False
    references = document.get(signature, "Reference")
    for item in references if type(references) is list else ():
        reference = document.resolve(item)
        parameters = document.get(reference, "TransformParams")
        method = document.get(reference, "TransformMethod")
        if method == "DocMDP":
            levels.append(_level(document.get(parameters, "P"), FILLING))
            certifies = True
        elif method == "FieldMDP":
            locks.append(_lock(document, parameters))
    lock = document.get(field.entries, "Lock")
    if type(lock) is dict:
        locks.append(_lock(document, lock))
        if "P" in lock:
            levels.append(_level(document.get(lock, "P"), NO_CHANGES))
    return Permissions(min(levels, default=None), tuple(locks), certifies)


def _level(value: Value, missing: int) -> int:
    if value is None:
        return missing
    return value if type(value) is int and value in {NO_CHANGES, FILLING, ANNOTATIONS} else NO_CHANGES


def _lock(document: Document, parameters: Value) -> Lock:
    names = document.get(parameters, "Fields")
    named = [document.resolve(item) for item in names] if type(names) is list else [None]
    texts = [_text(item) for item in named if type(item) is bytes]
    if len(texts) != len(named):
        return Lock("All")
    return Lock(str(document.get(parameters, "Action")), frozenset(texts))

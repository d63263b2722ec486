"""An update behind any file that our strict reader reads as it stands: signed before, with forms, packed.

Orderly is what is read with nothing guessed, from a header at the first octet to the end of the last
revision, and where no object that is written anew may be understood in two ways. Others are `NotPlain`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from signing.pdf.parsing import Name, Ref
from signing.pdf.reading import Reading
from signing.pdf.revisions.fields import full_name
from signing.pdf.update.assembling import Before, finished, update, with_room
from signing.pdf.update.draft import Draft
from signing.pdf.update.forms import MAX_FIELDS
from signing.pdf.update.layout import MAX_SIZE
from signing.pdf.update.page_tree import PageTree
from signing.pdf.update.signature_fields import (
    lock_of,
    locking_field,
    put_archive,
    put_evidence,
    put_fields,
    put_signature,
)
from signing.pdf.update.syntax import NotPlain
from signing.pdf.update.values import written
from yinxin.base.errors import Conflict, MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.held import HeldFile
    from signing.pdf.frame import Frame, LockingField, NewField, PageBox
    from signing.pdf.parsing import Document, Value
    from signing.pdf.store import Store
    from signing.pdf.update.assembling import PlainPrepared

_HEADER = re.compile(rb"%PDF-(1\.[0-7]|2\.0)[\r\n]")
_FIRST_OCTETS = 16
# Of a table that is a stream: what belongs to the stream. Of any: what an update states anew.
_OF_TABLE = frozenset(
    {"Type", "W", "Index", "Length", "Filter", "DecodeParms", "Size", "Prev", "ID", "XRefStm"}
)


class OrderlyEditing:
    """An orderly PDF opened for one update. Raises `NotPlain`, `UsageError` and `Conflict`."""

    def __init__(self, pdf: bytes | HeldFile) -> None:
        """Read the file's structure; it stays as it is, the update comes behind it."""
        self._pdf = cast("bytes", pdf)  # a held file answers as octets do
        try:
            self._reading = Reading(self._pdf)
            self._before = self._looked_at(self._reading)
            self.signatures = self._reading.signatures()
        except MalformedInput as exc:
            raise NotPlain from exc
        if any(found.problem for found in self.signatures):
            raise NotPlain  # what such a signature lets follow is not known
        self._document = self._reading.document
        self._pages = PageTree(self._document)

    @property
    def is_certified(self) -> bool:
        """Whether the file has a certification signature."""
        return self._reading.certified_by() is not None

    def field_names(self) -> frozenset[str]:
        """The names of the top form fields."""
        return frozenset(name for name, _, _ in self._top_fields())

    def page_boxes(self) -> list[PageBox]:
        """The visible parts of all pages. `TooLarge` for too many."""
        return self._pages.boxes()

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        return self._pages.box(index)

    def page_taken(self, index: int) -> tuple[tuple[float, float, float, float], ...]:
        """Where annotations are seen on a page, in its own coordinates; links and pop-ups are not."""
        return self._pages.taken(index)

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> PlainPrepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        if any(found.permissions.locked(frame.field) for found in self.signatures):
            raise Conflict(f"an earlier signature locks the field {frame.field!r}")
        draft = self._draft()
        there = self._waiting(frame.field)
        put_signature(draft, self._root, self._pages, frame, there=there, version=self._version)
        return with_room(
            self._pdf, self._before, draft.objects(), digest_algorithm=digest_algorithm, reserve=reserve
        )

    def prepare_archive(self, store: Store, *, reserve: int) -> PlainPrepared:
        """Write the update with this evidence and room for a time-stamp of the document.

        What the store holds already stays, and nothing is in it twice.
        """
        names, draft = self.field_names(), self._draft()
        field = next(name for number in range(1, len(names) + 2) if (name := f"Archive{number}") not in names)
        put_archive(
            draft, self._root, self._pages, field, store.without(self._reading.store()), version=self._version
        )
        return with_room(self._pdf, self._before, draft.objects(), digest_algorithm="sha256", reserve=reserve)

    def keep(self, store: Store) -> bytes:
        """The update that puts this evidence, what of it is new, into the store; empty for nothing new."""
        new = store.without(self._reading.store())
        if new.is_empty:
            return b""
        draft = self._draft()
        put_evidence(draft, self._root, new, version=self._version)
        return update(self._pdf, self._before, draft.objects())

    def locking_fields(self) -> list[LockingField]:
        """The top signature fields that lock others, in the order of the form."""
        found = (locking_field(self._document, name, entries) for name, _, entries in self._top_fields())
        return [one for one in found if one is not None]

    def add_fields(self, fields: Iterable[NewField]) -> bytes:
        """The file with empty signature fields; each locks all fields but the ones it leaves open."""
        draft = self._draft()
        put_fields(draft, self._root, self._pages, tuple(fields))
        return finished(self._pdf, self._before, draft.objects())

    def _draft(self) -> Draft:
        return Draft(self._document, self._before.size)

    def _looked_at(self, reading: Reading) -> Before:
        """What the update stands behind, after a look at the file as a whole."""
        document, header = reading.document, _HEADER.match(self._pdf[:_FIRST_OCTETS])
        newest = document.sections[0]
        if reading.lenient or reading.encrypted or header is None:
            raise NotPlain
        if any(one.oddity for one in document.sections) or document.beyond_size():
            raise NotPlain
        root, size = newest.trailer.get("Root"), newest.trailer.get("Size")
        if type(root) is not Ref or type(size) is not int or not 0 < size <= MAX_SIZE:
            raise NotPlain
        self._root = root
        self._version = max(header[1].decode(), _version(document))
        kept = {key: value for key, value in newest.trailer.items() if key not in _OF_TABLE}
        sizes = [one.trailer.get("Size", 0) for one in document.sections]
        if not all(type(one) is int and one <= MAX_SIZE for one in sizes):
            raise NotPlain
        return Before(
            newest.place,
            newest.trailer.get("Type") == "XRef",
            {written(Name(key))[1:]: written(value) for key, value in kept.items()},
            _identity(newest.trailer.get("ID")),
            # No new object takes the number of one that was there, or that the trailer names in vain.
            max(*sizes, *(number + 1 for number in _named(list(kept.values())))),
        )

    def _top_fields(self) -> Iterator[tuple[str, Value, Value]]:
        """The top fields: their names, how the form names them, what they are."""
        document = self._document
        form = document.get(document.root, "AcroForm")
        found = document.get(form, "Fields")
        for number, item in enumerate(found if type(found) is list else ()):
            if number == MAX_FIELDS:
                raise NotPlain
            entries = document.resolve(item)
            yield full_name("", document.get(entries, "T")), item, entries

    def _waiting(self, name: str) -> Ref | None:
        """The empty field of this name to sign in, None where there is no field of that name."""
        found = [(item, entries) for own, item, entries in self._top_fields() if own == name]
        if not found:
            return None
        (item, entries), *more = found
        if more or type(item) is not Ref or self._document.get(entries, "FT") != "Sig":
            raise NotPlain
        if not entries.keys().isdisjoint({"V", "Kids", "Parent", "SV"}):
            raise NotPlain
        lock_of(self._document, entries)
        return item


def _named(value: Value) -> Iterator[int]:
    """The numbers of the objects that a value names."""
    if type(value) is Ref:
        yield value.number
    for item in value.values() if type(value) is dict else value if type(value) is list else ():
        yield from _named(item)


def _version(document: Document) -> str:
    """The version that the catalogue names; an empty text for none."""
    named = document.get(document.root, "Version")
    if named is None:
        return ""
    if type(named) is not Name or not re.fullmatch(r"1\.[0-7]|2\.0", named):
        raise NotPlain
    return named


def _identity(value: Value) -> bytes | None:
    """The first half of the file's identity, as it is written."""
    if value is None:
        return None
    if type(value) is not list or len(value) != 2 or not all(type(half) is bytes for half in value):
        raise NotPlain
    return written(value[0])

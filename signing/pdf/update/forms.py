"""The form of a plain file, where it has a simple one: no signature in it, nothing but fields at the top."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from signing.pdf.update.syntax import Dictionary, NotPlain, read_dictionary, reference, references

if TYPE_CHECKING:
    from signing.pdf.update.layout import Layout

MAX_FIELDS = 256
# XFA describes the same form a second time, NeedAppearances lets a reader draw it anew: both are for others.
_ENTRIES = frozenset({b"Fields", b"SigFlags", b"DR", b"DA", b"Q", b"CO"})
_KINDS = frozenset({b"/Tx", b"/Btn", b"/Ch", b"/Sig"})
_ASCII = re.compile(rb"\(([\x20-\x27\x2a-\x5b\x5d-\x7e]*)\)")
_UTF_16 = re.compile(rb"<[Ff][Ee][Ff][Ff]((?:[0-9A-Fa-f]{4})*)>")


class Form(NamedTuple):
    """A form: its fields, and their names; `number` is None where it stands in the catalogue itself."""

    number: int | None
    entries: Dictionary
    fields: tuple[int, ...]
    names: frozenset[str]


NO_FORM = Form(None, Dictionary(), (), frozenset())


def form_of(layout: Layout) -> Form:
    """The form of the file, `NO_FORM` for none; `NotPlain` for one that is not simple."""
    value = layout.catalogue.get(b"AcroForm")
    if value is None:
        return NO_FORM
    number = None if value.startswith(b"<<") else reference(value)
    entries = read_dictionary(value) if number is None else layout.entries(number)
    if not entries.keys() <= _ENTRIES:
        raise NotPlain
    fields = references(entries.get(b"Fields"))
    if len(fields) > MAX_FIELDS or len(set(fields)) != len(fields):
        raise NotPlain
    return Form(number, entries, fields, frozenset(_name(layout.entries(field)) for field in fields))


def _name(field: Dictionary) -> str:
    """The name of a field that is one itself, and holds no others."""
    if field.get(b"FT") not in _KINDS or b"Parent" in field or b"Kids" in field:
        raise NotPlain
    if field[b"FT"] == b"/Sig" and not field.keys().isdisjoint({b"V", b"Lock", b"SV"}):
        raise NotPlain
    written = field.get(b"T", b"")
    if found := _ASCII.fullmatch(written):
        return found[1].decode("ascii")
    if found := _UTF_16.fullmatch(written):
        return bytes.fromhex(found[1].decode("ascii")).decode("utf-16-be", "replace")
    raise NotPlain

"""Signature fields that wait: made, with what each will lock, and read again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, SigFieldSpec, append_signature_field

from signing.pdf._pyhanko.parser import get, items, text_of, translated
from signing.pdf.frame import MAX_WAITING, LockingField

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.pdf.frame import NewField


def add_fields(writer: Any, fields: Iterable[NewField]) -> bytes:
    """One update with empty signature fields; each locks all fields but the ones it leaves open."""
    with translated():
        for one in fields:
            append_signature_field(writer, _specification(one))
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()


def _specification(one: NewField) -> SigFieldSpec:
    if one.leaves_open:
        lock = FieldMDPSpec(FieldMDPAction.EXCLUDE, list(one.leaves_open))
    else:
        lock = FieldMDPSpec(FieldMDPAction.ALL)
    box: Any = one.rectangle
    return SigFieldSpec(one.name, one.page, box, field_mdp_spec=lock)


def lock_of(field: Any) -> FieldMDPSpec | None:
    """What the signature of a field is to lock (ISO 32000-2, table 236); None where it says nothing."""
    found = get(field, "/Lock")
    return FieldMDPSpec.from_pdf_object(found) if isinstance(found, generic.DictionaryObject) else None


def locking_fields(root: Any) -> list[LockingField]:
    """The top signature fields that lock others, in the order of the form; at most `MAX_WAITING`."""
    found = []
    with translated():
        for node in items(get(get(root, "/AcroForm"), "/Fields")):
            lock, name = lock_of(node), text_of(get(node, "/T"))
            if lock is None or name is None or lock.action is FieldMDPAction.INCLUDE:
                continue
            leaves_open = (
                frozenset(lock.fields or ()) if lock.action is FieldMDPAction.EXCLUDE else frozenset()
            )
            is_signed = not isinstance(get(node, "/V"), (generic.NullObject, type(None)))
            found.append(LockingField(name, leaves_open, is_signed))
            if len(found) == MAX_WAITING:
                break
    return found


def locks(signature: Any, name: str) -> bool:
    """Whether a signature dictionary locks the field of this name (FieldMDP, ISO 32000-2, 12.8.2.4)."""
    for entry in items(get(signature, "/Reference")):
        if get(entry, "/TransformMethod") != "/FieldMDP":
            continue
        parameters = get(entry, "/TransformParams")
        if not isinstance(parameters, generic.DictionaryObject):
            return True
        if FieldMDPSpec.from_pdf_object(parameters).is_locked(name):
            return True
    return False


def is_locked(root: Any, name: str) -> bool:
    """Whether an earlier signature locks a top field of this name."""
    with translated():
        fields = list(items(get(get(root, "/AcroForm"), "/Fields")))
        return any(locks(get(node, "/V"), name) for node in fields)

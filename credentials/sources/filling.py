"""Fill a form from the licences that a holder has, and say of each value where it came from.

Pure: a form, licences with their types, and the fields that the holder consented to; the filled form out.
Nothing of a licence gets into a field that the consent does not name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from credentials.fields import Claim
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from credentials.sources.form import Form, FormField, Place


class FieldState(StrEnum):
    """What became of a field."""

    FILLED = "filled"
    MISSING = "missing"
    DIFFERS = "differs"
    NO_CONSENT = "no_consent"


STATE_NAMES: Mapping[FieldState, Text] = {
    FieldState.FILLED: Text("已填", "filled in"),
    FieldState.MISSING: Text("无数据，请填写", "not in any licence: type it"),
    FieldState.DIFFERS: Text("证照不一致，请选择", "licences of the same rank differ: choose"),
    FieldState.NO_CONSENT: Text("未获同意，请填写", "no consent: type it"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a version of a licence, its field, and as of when that was looked up."""

    licence: str
    number: str
    version: int
    place: Place
    issued_on: str
    as_of: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "licence": self.licence,
            "number": self.number,
            "version": f"{self.version:03}",
            "type": self.place.type_code,
            "field": self.place.field,
            "issued_on": self.issued_on,
            "as_of": self.as_of.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Value:
    """A value as a licence has it, as people read it, and its origin."""

    value: Claim
    shown: Text
    origin: Origin

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"value": self.value, "shown": self.shown.to_dict(), "from": self.origin.to_dict()}


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field with its value, if there is one; `others` differ from it, or among themselves."""

    field: FormField
    state: FieldState
    value: Value | None = None
    others: tuple[Value, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        filled = self.value.to_dict() if self.value else {"value": None, "shown": None, "from": None}
        return {
            "name": self.field.name,
            "label": self.field.label.to_dict(),
            "kind": str(self.field.kind),
            "required": self.field.required,
            "state": str(self.state),
            "text": STATE_NAMES[self.state].to_dict(),
            **filled,
            "differs": [one.to_dict() for one in self.others],
        }


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form as far as licences fill it."""

    form: Form
    fields: tuple[FilledField, ...]

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences that anything came from, in order."""
        values = [one for field in self.fields for one in (field.value, *field.others) if one]
        return tuple(dict.fromkeys(one.origin.licence for one in values))

    def to_dict(self) -> dict[str, Any]:
        """As JSON: values with their origins, what is missing, what differs."""
        by_state = {
            str(state): [one.field.name for one in self.fields if one.state is state] for state in FieldState
        }
        return {
            "matter": self.form.matter,
            "name": self.form.name.to_dict(),
            "fields": [one.to_dict() for one in self.fields],
            "to_type": by_state[FieldState.MISSING] + by_state[FieldState.NO_CONSENT],
            "to_choose": by_state[FieldState.DIFFERS],
            "differing": [one.field.name for one in self.fields if one.others],
        }


def fill(
    form: Form,
    licences: Iterable[tuple[Licence, LicenceType]],
    *,
    consented: Collection[str],
    as_of: datetime,
) -> FilledForm:
    """The form, filled from these licences (those that hold; sorting out others is the caller's)."""
    held = list(licences)
    return FilledForm(form, tuple(_filled(one, held, consented, as_of) for one in form.fields))


def _filled(
    field: FormField,
    held: list[tuple[Licence, LicenceType]],
    consented: Collection[str],
    as_of: datetime,
) -> FilledField:
    if field.name not in consented:
        return FilledField(field, FieldState.NO_CONSENT if field.places else FieldState.MISSING)
    ranks = [_values(place, held, as_of) for place in field.places]
    ranks = [rank for rank in ranks if rank]
    if not ranks:
        return FilledField(field, FieldState.MISSING)
    first, every = ranks[0], [value for rank in ranks for value in rank]
    if any(value.value != first[0].value for value in first):
        return FilledField(field, FieldState.DIFFERS, None, tuple(every))
    others = tuple(value for value in every if value.value != first[0].value)
    return FilledField(field, FieldState.FILLED, first[0], others)


def _values(place: Place, held: list[tuple[Licence, LicenceType]], as_of: datetime) -> list[Value]:
    """What the licences of one type say at one place."""
    found = []
    for licence, kind in held:
        field = next((one for one in kind.fields if one.name == place.field), None)
        if licence.type_code != place.type_code or field is None or place.field not in licence.claims:
            continue
        value = licence.claims[place.field]
        origin = Origin(
            licence.identifier,
            licence.number,
            licence.version,
            place,
            licence.issued_on.isoformat(),
            as_of,
        )
        found.append(Value(value, field.shown(value), origin))
    return found

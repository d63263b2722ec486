"""A form that fills itself (免填表单): what a matter asks for, and from which licences each value may come.

Read by `credentials.sources.form_files`; `credentials.sources.filling` fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from credentials.fields import FieldKind
    from yinxin.base.text import Text


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value may come from: a field of a licence type."""

    type_code: str
    field: str

    def __str__(self) -> str:
        return f"{self.type_code}.{self.field}"


@dataclass(frozen=True, slots=True)
class FormField:
    """One value that a form asks for. `places`: the authoritative one first; none for what is typed."""

    name: str
    label: Text
    kind: FieldKind
    places: tuple[Place, ...] = ()
    required: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "label": self.label.to_dict(),
            "kind": str(self.kind),
            "required": self.required,
            "from": [str(one) for one in self.places],
        }


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one matter (事项编码)."""

    matter: str
    name: Text
    fields: tuple[FormField, ...]

    def covered(self, grant: Mapping[str, Collection[str]]) -> Form:
        """The form as far as a grant reaches (fields for each licence type); the rest is typed."""
        return Form(self.matter, self.name, tuple(_covered(one, grant) for one in self.fields))

    @property
    def from_licences(self) -> frozenset[str]:
        """The fields that licences may fill."""
        return frozenset(one.name for one in self.fields if one.places)

    def types(self, names: Collection[str]) -> list[str]:
        """The licence types that these fields may come from, in the form's order."""
        found = [place.type_code for one in self.fields if one.name in names for place in one.places]
        return list(dict.fromkeys(found))

    def to_dict(self) -> dict[str, Any]:
        """As JSON, empty."""
        fields = [one.to_dict() for one in self.fields]
        return {"matter": self.matter, "name": self.name.to_dict(), "fields": fields}


class FormBook:
    """The forms of an installation, by matter."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._forms = {one.matter: one for one in forms}

    def __getitem__(self, matter: str) -> Form:
        found = self._forms.get(matter)
        if found is None:
            raise NotFound("there is no form for this matter")
        return found

    def __iter__(self) -> Iterator[Form]:
        return iter(self._forms.values())

    def __contains__(self, matter: str) -> bool:
        return matter in self._forms


def _covered(field: FormField, grant: Mapping[str, Collection[str]]) -> FormField:
    places = tuple(one for one in field.places if one.field in grant.get(one.type_code, ()))
    return FormField(field.name, field.label, field.kind, places, field.required)

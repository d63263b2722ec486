"""The form of an application: what a licence type asks for, as inputs, and what was typed, as claims."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from credentials.fields import FieldKind
from credentials.licence import start_of_day
from credentials.office.cases import KINDS, Case, Work, WorkKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credentials.fields import Choice, Claim
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from yinxin.base.text import Text

PREFIX = "field."
_LONG_TEXT = 100
# What a case of one licence may say besides on its form; more is said by an agency's system.
DETAILS = ("ending", "cause", "effective_from", "event")


@dataclass(frozen=True, slots=True)
class Input:
    """One input: the kind of control, its value, and what is wrong with it."""

    name: str
    label: Text
    control: str  # text, date, choice, long
    value: str
    required: bool
    hint: str
    choices: Sequence[Choice]
    fault: Text | None


def inputs_of(
    kind: LicenceType, values: Mapping[str, str], faults: Mapping[str, Text] | None = None
) -> list[Input]:
    """The inputs of a type with what was typed so far."""
    return [
        Input(
            name=f"{PREFIX}{one.name}",
            label=one.label,
            control=_control(one.kind, one.max_characters),
            value=values.get(one.name, ""),
            required=one.required,
            hint=one.example,
            choices=one.choices,
            fault=(faults or {}).get(one.name),
        )
        for one in kind.fields
    ]


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed, by field."""
    return {name.removeprefix(PREFIX): value for name, value in form.items() if name.startswith(PREFIX)}


def new_work(kind: LicenceType, form: Mapping[str, str]) -> Work:
    """A first licence, as it was typed; the desk checks it."""
    return Work(
        WorkKind.ISSUE, kind.code, {name: value for name, value in typed(form).items() if value.strip()}
    )


def edited_work(case: Case, form: Mapping[str, str]) -> Work:
    """The case's work with other claims."""
    given = case.work.to_dict()
    return Work.from_dict(
        {**given, "claims": {name: text for name, text in typed(form).items() if text.strip()}}
    )


def texts_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """Claims as they are typed."""
    return {
        name: "；".join(value) if isinstance(value, list) else str(value) for name, value in claims.items()
    }


def rows_of(kind: LicenceType, claims: Mapping[str, Claim]) -> list[tuple[Text, Text]]:
    """Claims as people read them, in the type's order."""
    return [(one.label, one.shown(claims[one.name])) for one in kind.fields if one.name in claims]


def follow_work(licence: Licence, kind: WorkKind, form: Mapping[str, str]) -> Work:
    """What is to become of a licence, as it was typed; the desk checks it."""
    claims = {name: text for name, text in typed(form).items() if text.strip()}
    details = {
        name: _detail(name, form[name].strip())
        for name in DETAILS
        if name in KINDS[kind].details and form.get(name, "").strip()
    }
    return Work(
        kind,
        licence.type_code,
        claims if KINDS[kind].states else {},
        licence=licence.identifier,
        ground=form.get("ground", "").strip(),
        document_number=form.get("document_number", "").strip(),
        details=details,
    )


def _detail(name: str, text: str) -> object:
    """A detail as a case says it; what cannot be read is left for the desk to name."""
    if name == "event" and text.isascii() and text.isdecimal():
        return int(text[:9])
    if name == "effective_from":
        with suppress(ValueError):
            return start_of_day(date.fromisoformat(text)).isoformat()
    return text


def _control(kind: FieldKind, longest: int) -> str:
    if kind is FieldKind.DATE:
        return "date"
    if kind is FieldKind.CHOICE:
        return "choice"
    return "long" if kind is FieldKind.LIST or longest > _LONG_TEXT * 2 else "text"

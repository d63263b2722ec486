"""A specimen (样证) of any licence type: made-up values that keep the type's own rules, and no seal.

A field's `example` stands for it where it is a right one; a value with a pattern cannot be made up otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from credentials import samples
from credentials.fields import FieldKind, InvalidValue
from credentials.licence import Licence, agency_day
from yinxin.base.errors import InvalidClaims
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.fields import Claim, Field
    from credentials.licence import Agency
    from credentials.licence_type import LicenceType

SPECIMEN = Text("样证，不具效力", "Specimen, without effect")
SERIAL = "SPECIMEN000000000000"
_EARLY, _TERM = date(2020, 1, 6), timedelta(days=1000)


def specimen_claims(kind: LicenceType, *, today: date) -> dict[str, Claim]:
    """Claims of a made-up applicant, checked; `InvalidClaims` names fields that need a right `example`."""
    made = {one.name: _value(one) for one in kind.fields}
    for name in filter(None, (kind.validity.until_field, kind.commitment_due)):
        made[name] = (today + _TERM).isoformat()
    try:
        return kind.check(made)
    except InvalidClaims as exc:
        why = Text("请为该字段写一个合格的示例（example）", "give the field an `example` that fits")
        raise InvalidClaims(faults=[(name, why) for name, _ in exc.faults]) from exc


def specimen(kind: LicenceType, *, agency: Agency, at: datetime) -> Licence:
    """A licence of the type as it would be issued at a moment, recognisable as a specimen."""
    day = agency_day(at)
    claims = specimen_claims(kind, today=day)
    first, last = kind.validity.period(claims, issued_on=day)
    name, code = kind.holder(claims)
    return Licence(
        identifier=str(LicenceIdentifier.make(kind.number, agency.credit_code, SERIAL, "001")),
        number=kind.numbering.make(claims, on=day, serial=0),
        type_code=kind.code,
        type_name=kind.name,
        version=1,
        agency=agency,
        holder_name=name,
        holder_code=code,
        claims=claims,
        issued_at=at,
        recorded_at=at,
        valid_from=first,
        valid_until=last,
        commitment_due=kind.commitment_day(claims),
        type_version=kind.version,
    )


def as_specimen(kind: LicenceType) -> LicenceType:
    """The type with a page that says of itself that it is a specimen, wherever its design has a place."""
    page = kind.page
    body = (*page.body, SPECIMEN) if page.body else ()
    return replace(
        kind, page=replace(page, subtitle=_marked(page.subtitle), note=_marked(page.note), body=body)
    )


def _marked(given: Text | None) -> Text:
    return Text(f"{SPECIMEN.zh}。{given.zh}", f"{SPECIMEN.en}. {given.en}") if given else SPECIMEN


def _value(field: Field) -> str:
    if field.example and _fits(field, field.example):
        return field.example
    if field.kind is FieldKind.CHOICE:
        return field.choices[0].value
    if field.kind is FieldKind.TEXT:
        return f"{field.label.zh}示例"[: field.max_characters]
    return _MADE_UP[field.kind]


def _fits(field: Field, value: str) -> bool:
    try:
        field.check(value)
    except InvalidValue:
        return False
    return True


_MADE_UP = {
    FieldKind.DATE: _EARLY.isoformat(),
    FieldKind.CODE: "0001",
    FieldKind.CITIZEN_NUMBER: samples.citizen_number(1),
    FieldKind.CREDIT_CODE: samples.credit_code(1),
    FieldKind.MONEY: "100000",
    FieldKind.NUMBER: "100",
    FieldKind.LIST: "示例一；示例二",
}

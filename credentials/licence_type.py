"""One kind of licence: its fields, validity, numbering and page, and the check of an application's claims.

Kinds are read from files by `credentials.type_files` and looked up in `credentials.catalogue`. How a page
looks is `credentials.face`, who may issue what is the business of the office.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from credentials.fields import Claim, Field, InvalidValue
from yinxin.base.errors import InvalidClaims, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NUMBER_LABEL = Text("编号", "No.")
NUMBER_PART = re.compile(r"\{(?P<name>year|date|serial)(?::(?P<width>[1-9][0-9]?))?\}")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
STANDARD_ITEMS = ("number", "agency", "issued_on", "valid_from", "valid_until", "holder", "type")
"""What a letter's body may name beside the type's own fields."""


class InvalidCatalogue(UsageError):
    """A type file breaks the rules; `.faults` has (file and key, what to do) for each fault."""

    code = "invalid_catalogue"
    title = Text("证照目录文件有误", "A catalogue file is not right")

    def __init__(self, faults: Iterable[tuple[str, Text]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{place}: {what.en} / {what.zh}" for place, what in self.faults))


class ValidityRule(StrEnum):
    """How the last day of a licence follows."""

    TERM = "term"
    FIELD = "field"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Validity:
    """From which day, and until which day, a licence of a type holds.

    `from_field` names a date field with the first day (else the day of issue). `until_field` names one with
    the last day for the rule `field`; left empty there, the licence is unlimited (长期).
    """

    rule: ValidityRule
    years: int = 0
    months: int = 0
    days: int = 0
    from_field: str | None = None
    until_field: str | None = None

    def period(self, claims: Mapping[str, Claim], *, issued_on: date) -> tuple[date, date | None]:
        """First and last day; a last day before the first is `InvalidClaims`."""
        first = _day(claims, self.from_field) or issued_on
        last = self._last_day(claims, first)
        if last is not None and last < first:
            place = self.until_field or self.from_field or "valid_until"
            why = Text("有效期截止日早于起始日", "the last day of validity lies before the first")
            raise InvalidClaims(faults=[(place, why)])
        return first, last

    def _last_day(self, claims: Mapping[str, Claim], first: date) -> date | None:
        if self.rule is ValidityRule.UNLIMITED:
            return None
        if self.rule is ValidityRule.FIELD:
            return _day(claims, self.until_field)
        # A term of five years that begins on 20 November ends on 19 November.
        months = first.month - 1 + self.months + 12 * self.years
        year, month = first.year + months // 12, months % 12 + 1
        day = min(first.day, calendar.monthrange(year, month)[1])
        end = date(year, month, day) + timedelta(days=self.days)
        return end - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the number on the paper is made: `津食许〔{year}〕{serial:6}号`.

    `{serial:n}` counts within a series (per year when the pattern holds the year) and is padded to n digits;
    `{date}` is 20261120. `field` names a field that is the number itself, such as a credit code.
    """

    pattern: str = ""
    field: str | None = None

    def make(self, claims: Mapping[str, Claim], *, on: date, serial: int) -> str:
        """The number for these claims."""
        if self.field:
            return str(claims[self.field])
        parts = {"year": f"{on.year:04}", "date": f"{on:%Y%m%d}"}
        return NUMBER_PART.sub(
            lambda m: f"{serial:0{m['width'] or 1}}" if m["name"] == "serial" else parts[m["name"]],
            self.pattern,
        )

    def series(self, *, on: date) -> str:
        """The name of the series that its serial counts in."""
        return f"{on.year:04}" if "{year}" in self.pattern or "{date}" in self.pattern else "all"


@dataclass(frozen=True, slots=True)
class PageDesign:
    """How the page of a type looks: the name of a design of `credentials.face` and its parameters."""

    design: str
    orientation: str
    colour: str
    paper: str
    accent: str
    columns: int
    fields: tuple[str, ...]
    left_fields: tuple[str, ...] = ()
    emphasis: tuple[str, ...] = ()
    subtitle: Text | None = None
    note: Text | None = None
    body: tuple[Text, ...] = ()
    salutation: Text | None = None
    number_label: Text = NUMBER_LABEL


@dataclass(frozen=True, slots=True)
class LicenceType:
    """One kind of licence.

    `number` is its type code of GB/T 36904 (credit code of the authority that defined it and three digits),
    `vct` its SD-JWT VC type. `holder_name` and `holder_code` name the fields that say who holds it.
    `printed_code` lists the fields that a code printed on paper carries. `commitment_due` names the date
    field by when what the holder promised (告知承诺) must be fulfilled. `version` counts what became of the
    type: licences are issued under a version from its `from_day` (None: from ever) until the next version's,
    or until the last day `until_day` when the type is abolished.
    """

    code: str
    number: str
    name: Text
    vct: str
    defined_by: Text
    legal_basis: Text
    fields: tuple[Field, ...]
    validity: Validity
    numbering: Numbering
    page: PageDesign
    holder_name: str
    holder_code: str
    printed_code: tuple[str, ...]
    commitment_due: str | None = None
    version: int = 1
    from_day: date | None = None
    until_day: date | None = None

    def has_begun(self, day: date) -> bool:
        """Whether this version is in force on a day, or was before."""
        return self.from_day is None or self.from_day <= day

    def is_abolished(self, day: date) -> bool:
        """Whether nothing new is issued any more on a day."""
        return self.until_day is not None and self.until_day < day

    def field(self, name: str) -> Field:
        """The field of this name; `UsageError` when there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise UsageError(f"{self.code} has no field {name!r}")

    @property
    def disclosable(self) -> frozenset[str]:
        """Names of the fields that a holder may keep back."""
        return frozenset(one.name for one in self.fields if one.disclosable)

    def check(self, claims: Mapping[str, object]) -> dict[str, Claim]:
        """The claims in canonical form and in the type's order.

        `InvalidClaims` names every fault at once. An empty value counts as absent.
        """
        kept: dict[str, Claim] = {}
        faults: list[tuple[str, Text]] = []
        for one in self.fields:
            value = claims.get(one.name)
            if value is None or value == [] or (isinstance(value, str) and not value.strip()):
                if one.required:
                    faults.append((one.name, Text("必填项为空", "a required value is missing")))
                continue
            try:
                kept[one.name] = one.check(value)
            except InvalidValue as exc:
                faults.append((one.name, exc.why))
        known = {one.name for one in self.fields}
        unknown = Text("该类型没有此字段", "this type has no such field")
        faults += [(str(name)[:80], unknown) for name in claims if name not in known]
        if faults:
            raise InvalidClaims(faults=faults)
        return kept

    def holder(self, claims: Mapping[str, Claim]) -> tuple[str, str]:
        """Name and code of the holder in checked claims."""
        return str(claims[self.holder_name]), str(claims[self.holder_code])

    def commitment_day(self, claims: Mapping[str, Claim]) -> date | None:
        """By when the holder's commitment is due, if the type has one."""
        return _day(claims, self.commitment_due)


def _day(claims: Mapping[str, Claim], name: str | None) -> date | None:
    value = claims.get(name) if name else None
    return date.fromisoformat(value) if isinstance(value, str) else None

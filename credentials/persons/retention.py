"""How long things are kept: rules for each kind, read from a file that an agency's archive office writes."""

from __future__ import annotations

import calendar
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UsageError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN = Path(__file__).with_name("retention.toml")
MAX_YEARS, MAX_DAYS = 100, 36500
PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules. Years are the calendar's; a licence type that is not named has the general years."""

    licence_years: int
    licence_types: Mapping[str, int | None] = field(default_factory=dict)  # None: for good
    case_years: int = 1
    issuance_days: int = 0

    @classmethod
    def load(cls, path: Path | None = None) -> Retention:
        """Read a file of rules, else the built-in ones; `UsageError` names what is wrong."""
        place = path or BUILT_IN
        try:
            found: dict[str, Any] = tomllib.loads(read_file(place, limit=1 << 20).decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise UsageError(f"{place.name} is no TOML file") from exc
        name = place.name
        sections = {key: _section(found, key, name) for key in ("licence", "case", "issuance")}
        if unknown := set(found) - set(sections):
            raise UsageError(f"{name}: no such section {', '.join(sorted(unknown))}")
        licence = sections["licence"]
        types = _section(licence, "types", name).items()
        return cls(
            _number(licence.get("years_after_end"), f"{name}: licence.years_after_end"),
            {code: _years(value, f"{name}: {code}") for code, value in types},
            _number(sections["case"].get("years_after_withdrawal", 1), f"{name}: case"),
            _number(sections["issuance"].get("days_after_end", 0), f"{name}: issuance", at_most=MAX_DAYS),
        )

    def licence_until(self, type_code: str, ended: datetime) -> datetime | None:
        """Until when a licence that ended is kept; None for good."""
        years = self.years_of(type_code)
        return None if years is None else years_later(ended, years)

    def years_of(self, type_code: str) -> int | None:
        """For how many years licences of a type are kept after their end; None for good."""
        return self.licence_types.get(type_code, self.licence_years)

    def case_until(self, ended: datetime) -> datetime:
        """Until when a withdrawn case is kept."""
        return years_later(ended, self.case_years)

    def issuance_until(self, ended: datetime) -> datetime:
        """Until when the traces of a hand-over to a wallet are kept."""
        return ended + timedelta(days=self.issuance_days)


def years_later(moment: datetime, years: int) -> datetime:
    """The same day, years later; 29 February becomes the 28th. Never past what a date can say."""
    year = min(moment.year + years, 9998)
    last = calendar.monthrange(year, moment.month)[1]
    return moment.replace(year=year, day=min(moment.day, last))


def years_earlier(moment: datetime, years: int) -> datetime:
    """The same day, years ago; 29 February becomes the 28th."""
    year = max(moment.year - years, 2)
    last = calendar.monthrange(year, moment.month)[1]
    return moment.replace(year=year, day=min(moment.day, last))


def _section(found: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    section = found.get(key, {})
    if not isinstance(section, dict):
        raise UsageError(f"{name}: {key} must be a section")
    return section


def _years(value: Any, place: str) -> int | None:
    return None if value == PERMANENT else _number(value, place)


def _number(value: Any, place: str, *, at_most: int = MAX_YEARS) -> int:
    if type(value) is not int or not 0 <= value <= at_most:
        raise UsageError(f'{place} must be a whole number from 0 to {at_most}, or "{PERMANENT}" for a type')
    return value

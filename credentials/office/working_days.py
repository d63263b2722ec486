"""Working days by the national calendar: how deadlines are counted, and when an office is open.

The day of an event is not counted (民法典 第二百零一条); the term ends with its last day in Beijing. Days off
and days worked instead are data (`working_days.toml`), from the State Council's notice for each year.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from credentials.licence import CHINA
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = Path(__file__).parent / "working_days.toml"
_SATURDAY = 5
MAX_DAYS = 1000


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The calendar: days off beside the weekends, and weekend days that are worked."""

    holidays: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    @classmethod
    def read(cls, text: str) -> WorkingDays:
        """From the file's text; `UsageError` when it is not of the form."""
        holidays: set[date] = set()
        worked: set[date] = set()
        try:
            for year, table in tomllib.loads(text).items():
                holidays |= {day for span in table["holidays"] for day in _span(year, span)}
                worked |= {day for span in table["worked"] for day in _span(year, span)}
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
            raise UsageError(f"the file of working days is not right: {exc}") from exc
        return cls(frozenset(holidays), frozenset(worked))

    def is_working(self, day: date) -> bool:
        """Whether offices work on a day."""
        return day in self.worked or (day.weekday() < _SATURDAY and day not in self.holidays)

    def after(self, start: datetime, days: int) -> datetime:
        """The end of the last of so many working days after the day of `start`."""
        if not 0 < days <= MAX_DAYS:
            raise UsageError(f"a term has 1 to {MAX_DAYS} working days")
        day = start.astimezone(CHINA).date()
        while days:
            day += timedelta(days=1)
            days -= self.is_working(day)
        return datetime.combine(day + timedelta(days=1), time(), CHINA)

    def is_open(self, at: datetime, *, opens: time, closes: time) -> bool:
        """Whether an office that works from `opens` to `closes` works at this moment."""
        local = at.astimezone(CHINA)
        return self.is_working(local.date()) and opens <= local.time() < closes


@cache
def national() -> WorkingDays:
    """The calendar that this version knows."""
    return WorkingDays.read(_FILE.read_text("utf-8"))


def _span(year: str, span: str) -> Iterator[date]:
    """The days of `05-01..05-05`, or of one day."""
    first, _, last = span.partition("..")
    day, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last or first}")
    while day <= end:
        yield day
        day += timedelta(days=1)

"""Grants of use (用印授权): who may seal what, when, and how often a day.

A grant is about one seal. Without one nobody seals; what a grant leaves open (no hours, no limit) it allows.
Hours and days are the agency's (UTC+8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.licence import CHINA, agency_day
from yinxin.base.errors import MalformedInput, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from yinxin.base.actor import Actor

ANYONE = "*"  # as a grantee: whoever the office's gate lets issue
ANY_TYPE = "*"  # as a type: every kind of document
FILE = "file"  # as a type: any PDF that is no licence
ROLE = "role:"
MAX_TYPES, MAX_LIMIT = 200, 10_000_000


class Refusal(StrEnum):
    """Why a use is not allowed; each is an alarm too."""

    NO_GRANT = "no_grant"
    OUT_OF_DATE = "out_of_date"
    UNKNOWN_TYPE = "unknown_type"
    OUTSIDE_HOURS = "outside_hours"
    OVER_LIMIT = "over_limit"
    NOT_IN_USE = "not_in_use"


REFUSALS: Mapping[Refusal, Text] = {
    Refusal.NO_GRANT: Text("未获用印授权", "no grant of use"),
    Refusal.OUT_OF_DATE: Text("授权不在有效期内", "the grant does not hold on this day"),
    Refusal.UNKNOWN_TYPE: Text("超出授权的文件类型", "a type that no grant names"),
    Refusal.OUTSIDE_HOURS: Text("不在授权时段内", "outside the granted hours"),
    Refusal.OVER_LIMIT: Text("超出每日用印次数", "over the daily limit"),
    Refusal.NOT_IN_USE: Text("印章不在使用状态", "the seal is not in use"),
}
# Of several grants that all refuse, the reason that came closest to a yes is told.
_CLOSENESS = tuple(Refusal)


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What is granted. `grantee` is an actor (`staff:clerk-17`), `role:clerk`, or `*`.

    `types` are codes of licence types, `file` for other PDFs, or `*`. `opens` and `closes` bound the hours
    of a day (the closing minute is outside), `daily_limit` its uses; `from_day` and `until_day` are included.
    """

    grantee: str
    types: tuple[str, ...]
    opens: time | None = None
    closes: time | None = None
    daily_limit: int | None = None
    from_day: date | None = None
    until_day: date | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.grantee) <= 200 or not self.grantee.isprintable():
            raise UsageError("a grant names who may use the seal: staff:NAME, role:ROLE or *")
        if not 0 < len(self.types) <= MAX_TYPES or not all(
            0 < len(one) <= 80 and one.isprintable() for one in self.types
        ):
            raise UsageError("a grant names the types of documents, or * for all")
        if (self.opens is None) != (self.closes is None) or (
            self.opens and self.closes and self.opens >= self.closes
        ):
            raise UsageError("hours have a beginning and a later end, within one day")
        if self.daily_limit is not None and not 0 < self.daily_limit <= MAX_LIMIT:
            raise UsageError("a daily limit is a positive number")
        if self.from_day and self.until_day and self.from_day > self.until_day:
            raise UsageError("a grant ends after it begins")

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor is the one, or one of those, that it was given to."""
        return self.grantee in {ANYONE, str(actor), *(f"{ROLE}{role}" for role in actor.roles)}

    def refuses(self, types: Iterable[str], at: datetime) -> Refusal | None:
        """Why it does not allow sealing these types at that moment, limits aside; None when it does."""
        day = agency_day(at)
        if (self.from_day and day < self.from_day) or (self.until_day and day > self.until_day):
            return Refusal.OUT_OF_DATE
        if ANY_TYPE not in self.types and not set(types) <= set(self.types):
            return Refusal.UNKNOWN_TYPE
        if self.opens and self.closes and not self.opens <= at.astimezone(CHINA).time() < self.closes:
            return Refusal.OUTSIDE_HOURS
        return None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "grantee": self.grantee,
            "types": list(self.types),
            "hours": [f"{self.opens:%H:%M}", f"{self.closes:%H:%M}"] if self.opens and self.closes else None,
            "daily_limit": self.daily_limit,
            "from": self.from_day.isoformat() if self.from_day else None,
            "until": self.until_day.isoformat() if self.until_day else None,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> GrantTerms:
        """Read what `to_dict` wrote, or what came from outside: `MalformedInput` for anything else."""
        known = {"grantee", "types", "hours", "daily_limit", "from", "until"}
        try:
            if set(value) - known:
                raise MalformedInput("grant", f"unknown: {', '.join(sorted(set(value) - known))[:200]}")
            types, hours, limit = value["types"], value.get("hours"), value.get("daily_limit")
            if (
                not isinstance(types, list)
                or not isinstance(value["grantee"], str)
                or isinstance(limit, bool)
            ):
                raise MalformedInput("grant", "types is a list, grantee a text")
            opens, closes = (time.fromisoformat(one) for one in hours) if hours else (None, None)
            days = [
                date.fromisoformat(value[name]) if value.get(name) else None for name in ("from", "until")
            ]
            return cls(value["grantee"], tuple(types), opens, closes, limit, *days)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise MalformedInput("grant", "grantee, types, hours, daily_limit, from, until") from exc


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant in force or ended: its terms, who asked, who agreed, and why it stopped."""

    id: str
    seal: str
    terms: GrantTerms
    granted_by: str
    granted_at: datetime
    stopped_at: datetime | None = None
    stopped_for: str = ""

    @property
    def is_active(self) -> bool:
        """Whether nobody and nothing stopped it."""
        return self.stopped_at is None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "seal": self.seal,
            **self.terms.to_dict(),
            "granted_by": self.granted_by,
            "granted_at": self.granted_at.isoformat(),
            "stopped_at": self.stopped_at.isoformat() if self.stopped_at else None,
            "stopped_for": self.stopped_for,
        }


def closest(found: Iterable[Refusal]) -> Refusal:
    """Of several reasons the one that came closest to a yes; without any there was no grant."""
    return max(found, key=_CLOSENESS.index, default=Refusal.NO_GRANT)

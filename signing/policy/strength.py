"""Until when algorithms are strong enough, as published tables say: `signing/policy/strength.toml`.

A policy names a table (`strength = "…"`); whether an algorithm may be used at all is the policy's own list. A
table only ends things: what it does not speak of has no end. Every row stands under a table with its source.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from signing.algorithms import ALGORITHMS
from yinxin.base.errors import MalformedInput, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.algorithms import Algorithm
    from signing.keys import PublicKey

_KNOWN = frozenset(row.name for row in ALGORITHMS)
_TABLE = {"name", "title", "source", "read", "row"}
_ROW = {"algorithms", "from_bits", "below_bits", "until", "advised"}


@dataclass(frozen=True, slots=True)
class StrengthRow:
    """Keys from `from_bits` to below `below_bits` count until a day; `advised` is the last for new ones."""

    algorithms: frozenset[str]
    until: date
    from_bits: int = 0
    below_bits: int | None = None
    advised: date | None = None

    def is_about(self, algorithm: Algorithm, key: PublicKey) -> bool:
        """Whether it speaks of this algorithm with this key."""
        fits = algorithm.name in self.algorithms and key.size_bits >= self.from_bits
        return fits and (self.below_bits is None or key.size_bits < self.below_bits)


@dataclass(frozen=True, slots=True)
class StrengthTable:
    """One published table; `source` says which text, and how far it was read."""

    name: str
    title: Text
    source: str
    read: date
    rows: tuple[StrengthRow, ...]

    def ends(self, algorithm: Algorithm, key: PublicKey) -> datetime | None:
        """The last moment at which a signature of this algorithm and key counts; None without an end."""
        days = [row.until for row in self.rows if row.is_about(algorithm, key)]
        return end_of(min(days)) if days else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; it is part of what a policy's hash is made of."""
        return {
            "name": self.name,
            "rows": [
                {
                    "algorithms": sorted(row.algorithms),
                    "from_bits": row.from_bits,
                    "below_bits": row.below_bits,
                    "until": row.until.isoformat(),
                }
                for row in self.rows
            ],
        }


def strength_table(name: str) -> StrengthTable:
    """The table of this name, or `UsageError`."""
    try:
        return strength_tables()[name]
    except KeyError as exc:
        known = ", ".join(strength_tables())
        raise UsageError(f"no table of strength is called {name!r}; there are {known}") from exc


@lru_cache(maxsize=1)
def strength_tables() -> Mapping[str, StrengthTable]:
    """The tables that come with the program, by name."""
    return read_tables((files("signing.policy") / "strength.toml").read_bytes())


def read_tables(data: bytes) -> Mapping[str, StrengthTable]:
    """Tables from TOML; `MalformedInput` for what is unknown, and for a table without a source."""
    try:
        content = tomllib.loads(data.decode("utf-8"))
        tables = [_table(item) for item in _items(content)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise MalformedInput("strength", str(exc)[:200]) from exc
    if len({table.name for table in tables}) != len(tables):
        raise MalformedInput("strength", "two tables have one name")
    return {table.name: table for table in tables}


def end_of(day: date) -> datetime:
    """The last second of a day, UTC."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)


def _items(content: dict[str, Any]) -> list[dict[str, Any]]:
    if content.keys() != {"format", "table"} or content["format"] != 1:
        raise ValueError("a file of tables has format = 1 and [[table]]")
    found: list[dict[str, Any]] = content["table"]
    return found


def _table(item: dict[str, Any]) -> StrengthTable:
    if item.keys() != _TABLE or not item["source"].strip():
        raise ValueError(f"a table has {', '.join(sorted(_TABLE))}")
    title = Text(str(item["title"]["zh"]), str(item["title"]["en"]))
    rows = tuple(_row(row) for row in item["row"])
    return StrengthTable(str(item["name"]), title, str(item["source"]), _day(item["read"]), rows)


def _row(item: dict[str, Any]) -> StrengthRow:
    if item.keys() - _ROW:
        raise ValueError(f"a row has {', '.join(sorted(_ROW))}")
    names = frozenset(item["algorithms"])
    if unknown := names - _KNOWN:
        raise ValueError(f"unknown algorithms: {', '.join(sorted(unknown))}")
    low, high = item.get("from_bits", 0), item.get("below_bits")
    if type(low) is not int or type(high) not in {int, type(None)}:
        raise ValueError("sizes are numbers of bits")
    advised = item.get("advised")
    return StrengthRow(names, _day(item["until"]), low, high, _day(advised) if advised is not None else None)


def _day(value: Any) -> date:
    if type(value) is not date:
        raise ValueError("a day is a date")
    return value

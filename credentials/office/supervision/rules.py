"""Rules are data: a TOML file says what supervision looks for, in which words, and which law asks for it.

[[rule]]
id = "approved_too_fast"
kind = "interval"               # a kind of checks.py, with its parameters
first = ["case.submit"]
then = ["case.approve"]
seconds = 60
zh = "…"
en = "…"
legal_zh = "…"
legal_en = "…"
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import MISSING, dataclass, fields
from datetime import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credentials.office.supervision import checks
from signing.jose import dump_json
from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from credentials.office.supervision.checks import Check

_FILE = Path(__file__).parent / "rules.toml"
_WORDS = ("id", "kind", "zh", "en", "legal_zh", "legal_en")
MAX_RULES = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `digest` stands for what it looks for: another threshold is looked for from the beginning."""

    id: str
    kind: str
    text: Text
    legal: Text
    check: Check
    parameters: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """A name for the rule in its present form."""
        content = dump_json({"kind": self.kind, **self.parameters})
        return f"{self.id}:{hashlib.sha256(content).hexdigest()[:16]}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "text": self.text.to_dict(),
            "legal": self.legal.to_dict(),
            **self.parameters,
        }


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a file; `UsageError` names the rule and what is wrong with it."""
    try:
        tables = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"the file of rules is no TOML: {exc}") from exc
    if not isinstance(tables, list) or len(tables) > MAX_RULES:
        raise UsageError(f"the file of rules has tables [[rule]], {MAX_RULES} at most")
    rules = tuple(_rule(table) for table in tables)
    if len({rule.id for rule in rules}) != len(rules):
        raise UsageError("two rules have the same id")
    return rules


@cache
def own_rules() -> tuple[Rule, ...]:
    """The rules that come with the package."""
    return read_rules(_FILE.read_text("utf-8"))


def _rule(table: Any) -> Rule:
    if not isinstance(table, dict):
        raise UsageError("a rule is a table")
    words = {name: table.get(name) for name in _WORDS}
    if not all(isinstance(one, str) and 0 < len(one.strip()) <= 300 for one in words.values()):
        raise UsageError(f"a rule needs {', '.join(_WORDS)}")
    if not str(words["id"]).isidentifier() or len(str(words["id"])) > 60:
        raise UsageError(f"{words['id']!r} is no id of a rule: letters, digits and _")
    kind = checks.KINDS.get(str(words["kind"]))
    if kind is None:
        raise UsageError(f"the rule {words['id']} is of no known kind: {', '.join(checks.KINDS)}")
    parameters = {name: value for name, value in table.items() if name not in _WORDS}
    try:
        check = kind(**dict(_parameters(kind, parameters)))
    except (TypeError, ValueError) as exc:
        raise UsageError(f"the rule {words['id']}: {exc}") from exc
    text, legal = Text(table["zh"], table["en"]), Text(table["legal_zh"], table["legal_en"])
    return Rule(table["id"], table["kind"], text, legal, check, parameters)


def _parameters(kind: type, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parameters of a kind as its check takes them; `ValueError` says which is wrong."""
    named = {one.name: one for one in fields(kind) if one.type in _READERS}
    if unknown := set(given) - set(named):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name, one in named.items():
        if name in given:
            yield name, _READERS[str(one.type)](name, given[name])
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{name} is missing")


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1_000_000:
        raise ValueError(f"{name} is a whole number above 0")
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f"{name} is a list of actions")
    return tuple(value)


def _clock(name: str, value: Any) -> time:
    if not isinstance(value, str) or len(value) != len("08:00"):
        raise ValueError(f"{name} is a time like 08:00")
    return time.fromisoformat(value)


def _days_by_type(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a table of licence types")  # noqa: TRY004 - told as the others
    return {str(code): _whole(f"{name}.{code}", days) for code, days in value.items()}


# By the type that a check gives its parameter.
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "int": _whole,
    "tuple[str, ...]": _names,
    "time": _clock,
    "Mapping[str, int]": _days_by_type,
}

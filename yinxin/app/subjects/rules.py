"""Which event does what to which type of thing: rules as data, read from `rules.toml` or an agency's own file.

A rule names an event, what it touches (`of`) and, unless it is the default, the types it holds for. Every event
that is not a taking-back has a default for every kind of thing, so that nothing is passed over in silence.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ca.crl import RevocationReason
from credentials.licence import EndingKind
from yinxin.app.subjects.values import TAKING_BACK, Action, EffectKind, EventKind
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILE = 256 * 1024
_FILE = Path(__file__).parent / "rules.toml"
_RULED = (EffectKind.LICENCE, EffectKind.CERTIFICATE, EffectKind.SEAL, EffectKind.DELEGATION)
_ACTIONS: Mapping[EffectKind, frozenset[Action]] = {
    EffectKind.LICENCE: frozenset({Action.REISSUE, Action.SUSPEND, Action.END}),
    EffectKind.CERTIFICATE: frozenset({Action.REVOKE, Action.HOLD}),
    EffectKind.SEAL: frozenset({Action.STOP, Action.CANCEL}),
    EffectKind.DELEGATION: frozenset({Action.RECALL}),
}
_KEYS = frozenset({"event", "of", "types", "action", "terms", "why"})
FACTS = frozenset({"name", "representative", "into"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `terms`: `ending` (its legal kind), `reason` (RFC 5280), or which field takes which fact."""

    action: Action
    why: Text
    terms: Mapping[str, str] = field(default_factory=dict)


class Rules:
    """The rules of an agency."""

    def __init__(self, rows: Mapping[tuple[EventKind, EffectKind, str | None], Rule]) -> None:
        self._rows = rows
        for event in EventKind:
            missing = [of for of in _RULED if event not in TAKING_BACK and (event, of, None) not in rows]
            if missing:
                raise UsageError(f"rules of subjects: {event} has no default for {missing[0]}")

    @classmethod
    def load(cls, path: Path | None = None) -> Rules:
        """The rules of a file, or those that are shipped; `UsageError` names the row that breaks them."""
        try:
            content = tomllib.loads(read_file(path or _FILE, limit=MAX_FILE).decode("utf-8"))
        except ValueError as exc:  # not UTF-8, or not TOML
            raise UsageError(f"rules of subjects: {path} is no TOML") from exc
        rows: dict[tuple[EventKind, EffectKind, str | None], Rule] = {}
        found = content.get("rule")
        if set(content) != {"rule"} or not isinstance(found, list):
            raise UsageError("rules of subjects: a list of [[rule]], and nothing else")
        for number, row in enumerate(found, 1):
            try:
                read = dict(_read(row))
            except (KeyError, TypeError, ValueError, AttributeError, UsageError) as exc:
                raise UsageError(f"rules of subjects, rule {number}: {exc}") from exc
            if rows.keys() & read.keys():
                raise UsageError(f"rules of subjects, rule {number}: there is a rule for this already")
            rows |= read
        return cls(rows)

    def find(self, event: EventKind, of: EffectKind, type_code: str) -> Rule:
        """The rule for a type, or the default."""
        return self._rows.get((event, of, type_code)) or self._rows[event, of, None]


def _read(row: Mapping[str, Any]) -> list[tuple[tuple[EventKind, EffectKind, str | None], Rule]]:
    if unknown := set(row) - _KEYS:
        raise UsageError(f"unknown: {', '.join(sorted(unknown))}")
    event, of, action = EventKind(row["event"]), EffectKind(row["of"]), Action(row["action"])
    if event in TAKING_BACK:
        raise UsageError("what is taken back follows from what was done")
    if of not in _RULED or action not in _ACTIONS[of] | {Action.LEFT, Action.BY_HAND}:
        raise UsageError(f"{action} is nothing that is done to a {of}")
    terms = {str(name): str(value) for name, value in row.get("terms", {}).items()}
    _check_terms(action, terms)
    rule = Rule(action, Text(row["why"]["zh"], row["why"]["en"]), terms)
    types: list[str | None] = list(row["types"]) if "types" in row else [None]
    return [((event, of, one), rule) for one in types]


def _check_terms(action: Action, terms: Mapping[str, str]) -> None:
    if action is Action.END:
        if set(terms) != {"ending"} or EndingKind(terms["ending"]) is EndingKind.SUPERSEDED:
            raise UsageError("an ending names its legal kind")
    elif action is Action.REVOKE:
        if set(terms) != {"reason"}:
            raise UsageError("a revocation names its reason")
        RevocationReason.of(terms["reason"])
    elif action is Action.REISSUE:
        if not FACTS.issuperset(terms.values()):
            raise UsageError(f"a field takes one of: {', '.join(sorted(FACTS))}")
    elif terms:
        raise UsageError(f"{action} takes no terms")

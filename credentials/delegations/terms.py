"""What a delegation gives: matters, licence types, a time, and whether it may be passed on.

Pure rules. A delegation under another one is never wider than that one: not in matters, not in types, not in
time, and not in what may be passed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import MalformedInput, NotPermitted, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

EVERY = "*"
MAX_ADMINISTRATORS = 5
MAX_DEPTH = 4
MAX_NAMES = 100
_NAME = re.compile(r"[^\s*\x00-\x1f][^\x00-\x1f]{0,119}")


class Kind(StrEnum):
    """What somebody is appointed as."""

    ADMINISTRATOR = "administrator"
    AGENT = "agent"
    GUARDIAN = "guardian"
    HELPER = "helper"


KIND_NAMES: Mapping[Kind, Text] = {
    Kind.ADMINISTRATOR: Text("证照管理员", "licence administrator"),
    Kind.AGENT: Text("经办人", "agent"),
    Kind.GUARDIAN: Text("监护人", "guardian"),
    Kind.HELPER: Text("帮办人员", "helper"),
}
LIFE: Mapping[Kind, timedelta] = {
    Kind.ADMINISTRATOR: timedelta(days=30),
    Kind.AGENT: timedelta(days=30),
    Kind.GUARDIAN: timedelta(days=366),
    Kind.HELPER: timedelta(hours=4),
}
"""How long one holds where nobody says otherwise."""
MAX_LIFE: Mapping[Kind, timedelta] = {
    Kind.ADMINISTRATOR: timedelta(days=366),
    Kind.AGENT: timedelta(days=366),
    Kind.GUARDIAN: timedelta(days=366 * 18),
    Kind.HELPER: timedelta(hours=12),
}
PASSED_ON_BY: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.ADMINISTRATOR: (),
    Kind.AGENT: (Kind.ADMINISTRATOR, Kind.AGENT, Kind.GUARDIAN),
    Kind.GUARDIAN: (),
    Kind.HELPER: (Kind.GUARDIAN,),
}
"""Under delegations of which kinds one of this kind may stand; a holder's own stand under none."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is given: `matters` by code (事项编码), `types` of licences by theirs; `*` alone is every one.

    It holds from `starts_at` until before `ends_at`. `document` names the paper that it rests on, where it
    rests on one: a guardian's birth certificate or judgment.
    """

    kind: Kind
    matters: tuple[str, ...]
    types: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    may_pass_on: bool = False
    document: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matters", _names(self.matters, "matters"))
        object.__setattr__(self, "types", _names(self.types, "licence types"))
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise UsageError("a moment is named with its time zone")
        if not self.starts_at < self.ends_at:
            raise UsageError("a delegation ends after it begins")
        if self.ends_at - self.starts_at > MAX_LIFE[self.kind]:
            raise UsageError(f"a delegation of this kind lasts at most {MAX_LIFE[self.kind]}")
        if self.kind is Kind.HELPER and (len(self.matters) != 1 or EVERY in self.matters or self.may_pass_on):
            raise UsageError("a helper helps in one matter, and passes nothing on")
        if (self.kind is Kind.GUARDIAN) != bool(self.document.strip()):
            raise UsageError("a guardian, and nobody else, is appointed on a document")

    def covers(self, *, matter: str, type_code: str) -> bool:
        """Whether showing a licence of this type in this matter is within it."""
        return _covers(self.matters, [matter]) and _covers(self.types, [type_code])

    def covers_type(self, type_code: str) -> bool:
        """Whether licences of this type are within it."""
        return _covers(self.types, [type_code])

    def holds_at(self, moment: datetime) -> bool:
        """Whether the moment lies in its time: the first counts, the last does not."""
        return self.starts_at <= moment < self.ends_at

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "kind": str(self.kind),
            "matters": list(self.matters),
            "types": list(self.types),
            "starts_at": self.starts_at.astimezone(UTC).isoformat(),
            "ends_at": self.ends_at.astimezone(UTC).isoformat(),
            "may_pass_on": self.may_pass_on,
            "document": self.document,
        }

    @classmethod
    def from_dict(cls, value: Any) -> Terms:
        """Read what `to_dict` wrote, also from strangers: `MalformedInput`, or `UsageError` for a rule."""
        try:
            return cls(
                Kind(value["kind"]),
                tuple(value["matters"]),
                tuple(value["types"]),
                datetime.fromisoformat(value["starts_at"]),
                datetime.fromisoformat(value["ends_at"]),
                _flag(value["may_pass_on"]),
                _text(value["document"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
            raise MalformedInput("delegation", "terms are missing or wrong") from exc


def require_within(child: Terms, parent: Terms, *, depth: int) -> None:
    """`NotPermitted` unless the child is no wider than its parent, which lets it be passed on.

    `depth` counts the delegations of the chain with the child.
    """
    if parent.kind not in PASSED_ON_BY[child.kind]:
        raise NotPermitted(f"no {child.kind} is appointed under a delegation to a {parent.kind}")
    if parent.kind is Kind.AGENT and not parent.may_pass_on:
        raise NotPermitted("this delegation may not be passed on")
    if depth > MAX_DEPTH:
        raise NotPermitted(f"a delegation is passed on at most {MAX_DEPTH - 1} times")
    if not _covers(parent.matters, child.matters):
        raise NotPermitted("the delegation does not cover all of these matters")
    if not _covers(parent.types, child.types):
        raise NotPermitted("the delegation does not cover all of these licence types")
    if child.starts_at < parent.starts_at or child.ends_at > parent.ends_at:
        raise NotPermitted("the delegation that it stands under begins later or ends earlier")


def _covers(given: Collection[str], wanted: Collection[str]) -> bool:
    return EVERY in given or (EVERY not in wanted and set(wanted) <= set(given))


def _names(values: tuple[str, ...], what: str) -> tuple[str, ...]:
    if not 1 <= len(values) <= MAX_NAMES:
        raise UsageError(f"a delegation names 1 to {MAX_NAMES} {what}")
    if tuple(values) == (EVERY,):
        return (EVERY,)
    for value in values:
        if not isinstance(value, str) or not _NAME.fullmatch(value) or value != value.strip():
            raise UsageError(f"these are no {what}: each is a code, or * stands alone")
        value.encode("utf-8", "strict")
    return tuple(sorted(set(values)))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise TypeError("a short text")
    return value

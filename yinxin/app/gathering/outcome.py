"""What a round of gathering did, or a plan would do; and what is missing after it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import RevocationState
    from yinxin.app.gathering.wants import Kind


class State(StrEnum):
    """What became of one thing wanted in a round.

    `due` was not asked because the round may spend no more; `in_peace`, because its hosts did not answer lately.
    """

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    NOT_DUE = "not_due"
    IN_PEACE = "in_peace"
    DUE = "due"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing wanted: where, what became of it, why not, and when it is asked for again."""

    kind: Kind
    url: str
    state: State
    about: tuple[str, ...] = ()
    detail: str = ""
    until: datetime | None = None
    due: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": str(self.kind),
            "url": self.url,
            "state": str(self.state),
            "about": list(self.about),
            "detail": self.detail,
            "until": self.until,
            "due": self.due,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """A certificate that leads to an anchor, and of which nothing current is known."""

    certificate: Certificate
    state: RevocationState

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = self.certificate
        return {"name": found.common_name, "fingerprint": found.fingerprint, "state": str(self.state)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round did, or a plan would do."""

    items: tuple[Item, ...]
    missing: tuple[Missing, ...]
    loose: tuple[Certificate, ...]
    requests: int = 0
    bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "items": [item.to_dict() for item in self.items],
            "missing": [one.to_dict() for one in self.missing],
            "without_path": [one.common_name for one in self.loose],
            "requests": self.requests,
            "bytes": self.bytes,
        }

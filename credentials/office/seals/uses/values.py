"""One use of a seal, and one refusal: what the log and the keeper's page show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.office.seals.grants import REFUSALS, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Use:
    """A use: the SHA-256 of what was sealed, the licence it is (None: another file), the audit entry's id."""

    number: int
    seal: str
    grant: str
    document: str
    licence: str | None
    actor: str
    used_at: datetime
    entry: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "number": self.number,
            "seal": self.seal,
            "grant": self.grant,
            "document": self.document,
            "licence": self.licence,
            "actor": self.actor,
            "used_at": self.used_at.isoformat(),
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """A refused use: why, who wanted what, and what it stopped (`nothing`, `grant`, `seal`)."""

    seal: str
    grant: str | None
    kind: Refusal
    actor: str
    wanted: Mapping[str, int]
    at: datetime
    stopped: str = "nothing"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seal": self.seal,
            "grant": self.grant,
            "kind": str(self.kind),
            "text": REFUSALS[self.kind].to_dict(),
            "actor": self.actor,
            "wanted": dict(self.wanted),
            "at": self.at.isoformat(),
            "stopped": self.stopped,
        }

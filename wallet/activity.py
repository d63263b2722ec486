"""The holder's own log: what came in, and what was shown to whom, when and why.

It names claims but not their values, which the licence itself has; it lies in the encrypted store and
leaves it only when the holder exports it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ActivityKind(StrEnum):
    """What happened."""

    RECEIVED = "received"
    REFRESHED = "refreshed"
    SHOWN = "shown"
    REFUSED = "refused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the log. The fields from `requester` on are empty where nobody else had a part.

    `requester` is who asked, or who gave the licence. Of what was refused no licence is named, and `claims`
    are those that were asked for. `presentation` is the SHA-256 of what was handed over, in hex;
    `certificate` the fingerprint of the other side's certificate and `verified` whether it was trusted then.
    """

    at: datetime
    kind: ActivityKind
    licence: str
    vct: str
    requester: Text | None = None
    purpose: Text | None = None
    matter: str = ""
    audience: str = ""
    claims: tuple[str, ...] = ()
    presentation: str = ""
    certificate: str = ""
    verified: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        answer = asdict(self)
        answer.update(at=self.at.isoformat(), kind=str(self.kind), claims=list(self.claims))
        return answer

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Activity:
        """Read what `to_dict` made; `MalformedInput` for anything else."""
        try:
            values = dict(data)
            texts = {
                name: Text(**values[name]) if values[name] else None for name in ("requester", "purpose")
            }
            values.update(texts, at=datetime.fromisoformat(values["at"]), kind=ActivityKind(values["kind"]))
            return cls(**{**values, "claims": tuple(values["claims"])})
        except (KeyError, TypeError, ValueError) as exc:
            raise MalformedInput("wallet", "its activity log does not parse") from exc


def export_json(entries: Iterable[Activity]) -> str:
    """The log as a JSON text for the holder's own use, oldest first."""
    lines = [entry.to_dict() for entry in entries]
    return json.dumps(
        {"format": "yinxin-activity", "version": 1, "entries": lines}, ensure_ascii=False, indent=2
    )

"""A finding (监察发现): something that a rule speaks of, with the lines that show it, and what became of it.

Open → explained by somebody of the organisation, in their words → closed by an inspector. The same thing is
found once: its id follows from the rule and from what it is about.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.office.supervision.checks import Suspicion


class FindingState(StrEnum):
    """How far a finding is."""

    OPEN = "open"
    EXPLAINED = "explained"
    CLOSED = "closed"


STATE_NAMES: Mapping[FindingState, Text] = {
    FindingState.OPEN: Text("待说明", "open"),
    FindingState.EXPLAINED: Text("已说明，待办结", "explained"),
    FindingState.CLOSED: Text("已办结", "closed"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody said about a finding."""

    by: str
    at: datetime
    words: str

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"by": self.by, "at": self.at.isoformat(), "words": self.words}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `entries` are the log index and id of the lines that show it, `count` how many there were.

    `rule` is the rule's id, `officers` whom it is about.
    """

    id: str
    rule: str
    organisation: str
    officers: tuple[str, ...]
    entries: tuple[tuple[int, str], ...]
    count: int
    found_at: datetime
    state: FindingState = FindingState.OPEN
    explanation: Remark | None = None
    closing: Remark | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "rule": self.rule,
            "organisation": self.organisation,
            "officers": list(self.officers),
            "entries": [{"index": index, "entry": entry} for index, entry in self.entries],
            "count": self.count,
            "found_at": self.found_at.isoformat(),
            "state": str(self.state),
            "text": STATE_NAMES[self.state].to_dict(),
            "explanation": self.explanation.to_dict() if self.explanation else None,
            "closing": self.closing.to_dict() if self.closing else None,
        }


def finding_of(rule: str, suspicion: Suspicion, *, at: datetime) -> Finding:
    """The finding that a suspicion becomes."""
    name = hashlib.sha256(f"{rule}\0{suspicion.key}".encode()).hexdigest()[:20]
    return Finding(
        id=name,
        rule=rule,
        organisation=suspicion.organisation,
        officers=tuple(dict.fromkeys(suspicion.officers)),
        entries=tuple((line.log_index, line.entry_id) for line in suspicion.lines),
        count=suspicion.count,
        found_at=at,
    )

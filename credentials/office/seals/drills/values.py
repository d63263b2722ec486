"""A drill about a leaked key: how far it is, how each document was judged, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class DrillState(StrEnum):
    """How far a drill is."""

    EXAMINING = "examining"
    PLANNED = "planned"
    APPROVED = "approved"
    DONE = "done"


DRILL_NAMES: Mapping[DrillState, Text] = {
    DrillState.EXAMINING: Text("核查中", "being examined"),
    DrillState.PLANNED: Text("方案待批准", "planned, waiting for a second person"),
    DrillState.APPROVED: Text("已批准，处置中", "approved, being carried out"),
    DrillState.DONE: Text("已完成", "done"),
}


class Verdict(StrEnum):
    """How a document stands to the day of the loss."""

    BEFORE = "before"  # a trusted time-stamp proves that it was sealed before
    LATE = "late"  # proved, but at or after the loss
    UNPROVED = "unproved"  # no trusted time
    UNREADABLE = "unreadable"  # not here, damaged, or not as it was sealed
    OTHER = "other"  # sealed with another key


VERDICT_NAMES: Mapping[Verdict, Text] = {
    Verdict.BEFORE: Text("时间戳证明在失密之前加盖", "proved by a time-stamp to be sealed before"),
    Verdict.LATE: Text("失密之后加盖", "sealed at or after the loss"),
    Verdict.UNPROVED: Text("没有可信时间", "no trusted time"),
    Verdict.UNREADABLE: Text("文件不存在或无法核验", "not here, or it cannot be verified"),
    Verdict.OTHER: Text("由其他印章加盖", "sealed with another key"),
}


class ItemState(StrEnum):
    """What became of a document."""

    KEPT = "kept"  # surely before: nothing is done
    OPEN = "open"
    RESEALED = "resealed"
    LEFT = "left"  # nothing can be done here; `result` says why


@dataclass(frozen=True, slots=True)
class Item:
    """One use in a drill. `result` is the next version's identifier, or why there is none."""

    use: int
    document: str
    licence: str | None
    verdict: Verdict
    proved_at: datetime | None
    state: ItemState
    result: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "use": self.use,
            "document": self.document,
            "licence": self.licence,
            "verdict": str(self.verdict),
            "proved_at": self.proved_at.isoformat() if self.proved_at else None,
            "state": str(self.state),
            "result": self.result,
        }


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill: which key's, since when it is not to be trusted, how far it is.

    Without a seal it is a credential key's.
    """

    id: str
    agency: str
    seal: str | None
    certificate: str
    since: datetime
    state: DrillState
    cursor: int
    ground: str
    document_number: str
    begun_by: str
    begun_at: datetime
    changed_at: datetime

    def require(self, *states: DrillState) -> None:
        """`Conflict` unless the drill is so far, and no further."""
        if self.state not in states:
            raise Conflict(f"the drill is {DRILL_NAMES[self.state].en}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "seal": self.seal,
            "certificate": self.certificate,
            "since": self.since.isoformat(),
            "state": str(self.state),
            "text": DRILL_NAMES[self.state].to_dict(),
            "ground": self.ground,
            "document_number": self.document_number,
            "begun_by": self.begun_by,
            "begun_at": self.begun_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drill found and how far it is carried out: numbers by verdict and by state.

    `request` is what the second person agrees to; None before all was examined.
    """

    drill: Drill
    verdicts: Mapping[str, int]
    states: Mapping[str, int]
    request: str | None = None
    digest: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.drill.to_dict(),
            "verdicts": dict(self.verdicts),
            "states": dict(self.states),
            "request": self.request,
            "digest": self.digest,
        }

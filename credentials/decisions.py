"""What an authority decided about a licence: the facts that every change and ending of one names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.licence import EndingKind, Event
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from credentials.licence import Cause, EventKind, Licence
    from yinxin.base.actor import Actor
    from yinxin.base.database import Session

    Beside = Callable[[Session, Licence], None]


def nothing_beside(_session: Session, _licence: Licence) -> None:
    """Nothing is done beside."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The legal ground in words, the number of the document, who records it, and from when it holds (now)."""

    ground: str
    document_number: str
    actor: Actor
    effective_from: datetime | None = None
    approval: str | None = None
    cause: Cause | None = None

    def check(self, *, now: datetime) -> None:
        """`UsageError` without its ground or document, or for a day that has not come yet."""
        if not self.ground.strip() or not self.document_number.strip():
            raise UsageError("an event needs its legal ground and the number of its document")
        if self.effective_from is not None and self.effective_from > now:
            raise UsageError("an event is recorded when it takes effect, not before")

    def event(self, kind: EndingKind | EventKind, *, now: datetime, undoes: int | None = None) -> Event:
        """The event that follows from it."""
        return Event(
            kind,
            self.effective_from or now,
            now,
            self.ground,
            self.document_number,
            str(self.actor),
            cause=self.cause,
            undoes=undoes,
        )

    def superseding(
        self, *, now: datetime, replaced_by: str | None, successors: tuple[str, ...] = ()
    ) -> Event:
        """The ending of a licence whose place others take."""
        return Event(
            EndingKind.SUPERSEDED,
            self.effective_from or now,
            now,
            self.ground,
            self.document_number,
            str(self.actor),
            replaced_by,
            successors,
        )

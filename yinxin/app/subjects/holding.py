"""What events of subjects hold on persons: for whoever asks what is held, for retention, and for erasure.

An event that was done is kept as long as a licence that has ended, a withdrawn one as long as a withdrawn case. The
audit log keeps that it was there, of what kind, and its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.persons import Held
from credentials.persons.retention import years_earlier, years_later
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.values import EventState
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from credentials.persons import Retention
    from yinxin.app.subjects.values import SubjectEvent
    from yinxin.base.database import Session

_KEPT = Text("主体变更事项，按证照档案期限保管", "an event of the subject, kept as long as its licences")
_OVER = Text("保管期限已满", "its time to be kept is over")
_OPEN = Text("仍在办理", "still being worked on")


class SubjectEventHolding:
    """Events of the persons and companies of one agency."""

    kind = "subject_event"

    def __init__(self, index: BlindIndex, retention: Retention, *, agency: str) -> None:
        self._index, self._retention, self._agency = index, retention, agency

    def of(self, session: Session, person: str) -> list[Held]:
        """Everything that was registered of this person or company."""
        found = SubjectRepository(session).of_subject(self._index.of("holder", person), agency=self._agency)
        return [self._held(one, _KEPT, content=one.facts.to_dict()) for one in found]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Events that nothing demands to keep any more."""
        found = SubjectRepository(session).ended(
            agency=self._agency,
            done_before=years_earlier(now, self._retention.licence_years),
            withdrawn_before=years_earlier(now, self._retention.case_years),
            limit=limit,
        )
        return [self._held(one, _OVER) for one in found]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Those of these ids that are here."""
        del now
        return [self._held(one, _KEPT) for one in SubjectRepository(session).named(keys, agency=self._agency)]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Delete them with their plans; the log keeps their digests."""
        del at
        SubjectRepository(session).erase([one.key for one in held])

    def _held(self, event: SubjectEvent, why: Text, content: Mapping[str, Any] | None = None) -> Held:
        until = self._until(event)
        return Held(self.kind, event.id, until, why if until else _OPEN, content or {})

    def _until(self, event: SubjectEvent) -> datetime | None:
        if event.state is EventState.WITHDRAWN:
            return self._retention.case_until(event.planned_at)
        if event.state is EventState.DONE and event.ended_at is not None:
            return years_later(event.ended_at, self._retention.licence_years)
        return None

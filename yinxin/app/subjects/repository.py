"""Every query about subjects' events. Never commits; `cascade` and `work` own the transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from credentials.office.agreements import Consent
from yinxin.app.subjects.records import CERTIFICATES, EFFECTS, EVENTS
from yinxin.app.subjects.values import (
    IDLE,
    Action,
    Effect,
    EffectKind,
    EventFacts,
    EventState,
    Outcome,
    OutcomeKind,
    PlannedEffect,
    SubjectEvent,
)
from yinxin.base.errors import Conflict, NotFound
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlmodel import Session

_AT_ONCE = 500
_LOCK = 7_301_946  # of PostgreSQL, held between the beginning of an event and what is recorded for holders


class SubjectRepository:
    """Events of subjects in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, event: SubjectEvent, index: bytes, effects: Sequence[Effect]) -> None:
        """Store a new event with its plan."""
        row = {"id": event.id, "agency": event.agency, "subject_index": index, "step": 0}
        self._session.execute(insert(EVENTS).values(**row, **_changing(event)))
        self._add_effects(event.id, effects)

    def find(self, event_id: str, *, agency: str) -> SubjectEvent:
        """An agency's own event, or `NotFound`."""
        wanted = (EVENTS.c.id == event_id) & (EVENTS.c.agency == agency)
        row = self._session.execute(select(EVENTS).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such event of a subject")
        return _event(row)

    def change(self, before: SubjectEvent, after: SubjectEvent) -> SubjectEvent:
        """Store a changed event; `Conflict` when somebody else changed it, or another of its subject runs."""
        mine = (EVENTS.c.id == before.id) & (EVENTS.c.step == before.step)
        changed = update(EVENTS).where(mine).values(step=before.step + 1, **_changing(after))
        try:
            with self._session.begin_nested():
                count = self._session.execute(changed).rowcount  # type: ignore[attr-defined]  # an update's result has it
        except IntegrityError as exc:
            raise Conflict("another event of this subject is running") from exc
        if count != 1:
            raise Conflict("somebody else changed the event meanwhile: look at it again")
        return self.find(before.id, agency=before.agency)

    def replace_effects(self, event_id: str, effects: Sequence[Effect]) -> None:
        """Put a new plan in the place of the old one."""
        self._session.execute(delete(EFFECTS).where(EFFECTS.c.event == event_id))
        self._add_effects(event_id, effects)

    def effects(self, event_id: str, *, outcome: OutcomeKind | None = None) -> list[PlannedEffect]:
        """An event's effects in their order; those with one outcome where named."""
        query = select(EFFECTS).where(EFFECTS.c.event == event_id)
        if outcome is not None:
            query = query.where(EFFECTS.c.outcome == str(outcome))
        return [_effect(row) for row in self._session.execute(query.order_by(EFFECTS.c.sequence))]

    def settle(self, event_id: str, sequence: int, outcome: Outcome, *, at: datetime) -> None:
        """Say what became of an effect; `Conflict` when that was said before."""
        mine = (EFFECTS.c.event == event_id) & (EFFECTS.c.sequence == sequence)
        open_one = mine & (EFFECTS.c.outcome == str(OutcomeKind.PENDING))
        values = {
            "outcome": str(outcome.kind),
            "code": outcome.code,
            "outcome_facts": dict(outcome.facts),
            "settled_at": at,
        }
        if self._session.execute(update(EFFECTS).where(open_one).values(**values)).rowcount != 1:  # type: ignore[attr-defined]  # the same
            raise Conflict("this effect was settled already")

    def settle_rest(self, event_id: str, outcome: Outcome, *, at: datetime) -> int:
        """Say of every effect that is not settled what became of it; returns how many those were."""
        left = (EFFECTS.c.event == event_id) & (EFFECTS.c.outcome == str(OutcomeKind.PENDING))
        values = {"outcome": str(outcome.kind), "code": outcome.code, "settled_at": at}
        return int(self._session.execute(update(EFFECTS).where(left).values(**values)).rowcount)  # type: ignore[attr-defined]  # the same

    def counts(self, event_id: str) -> dict[OutcomeKind, int]:
        """How many effects came out how."""
        query = select(EFFECTS.c.outcome, func.count()).where(EFFECTS.c.event == event_id)
        rows = self._session.execute(query.group_by(EFFECTS.c.outcome))
        return {OutcomeKind(outcome): int(count) for outcome, count in rows}

    def of_subject(self, index: bytes, *, agency: str) -> list[SubjectEvent]:
        """A subject's events, oldest first."""
        wanted = (EVENTS.c.agency == agency) & (EVENTS.c.subject_index == index)
        rows = self._session.execute(select(EVENTS).where(wanted).order_by(EVENTS.c.planned_at, EVENTS.c.id))
        return [_event(row) for row in rows]

    def begun_of(self, indexes: Collection[bytes], *, agency: str) -> dict[bytes, list[SubjectEvent]]:
        """The events of these subjects that were begun and not taken back since, by subject."""
        begun = EVENTS.c.state.in_([str(EventState.RUNNING), str(EventState.DONE)])
        found: dict[bytes, list[SubjectEvent]] = {}
        wanted = sorted(indexes)
        for start in range(0, len(wanted), _AT_ONCE):
            mine = EVENTS.c.subject_index.in_(wanted[start : start + _AT_ONCE])
            query = select(EVENTS).where(EVENTS.c.agency == agency, mine, begun, EVENTS.c.undone_by.is_(None))
            for row in self._session.execute(query):
                found.setdefault(row.subject_index, []).append(_event(row))
        return found

    def let_others_finish(self) -> None:
        """Wait for whoever is recording something new for a holder; see `hold_beginnings`. SQLite has one writer."""
        self._lock("pg_advisory_xact_lock")

    def hold_beginnings(self) -> None:
        """Let no event begin until the caller's transaction is over."""
        self._lock("pg_advisory_xact_lock_shared")

    def _lock(self, function: str) -> None:
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(select(getattr(func, function)(_LOCK)))

    def recent(self, *, agency: str, limit: int) -> list[SubjectEvent]:
        """An agency's events, newest first."""
        query = (
            select(EVENTS).where(EVENTS.c.agency == agency).order_by(EVENTS.c.planned_at.desc(), EVENTS.c.id)
        )
        return [_event(row) for row in self._session.execute(query.limit(limit))]

    def running(self, *, agency: str) -> list[SubjectEvent]:
        """An agency's events that were begun and have not ended."""
        wanted = (EVENTS.c.agency == agency) & (EVENTS.c.state == str(EventState.RUNNING))
        return [_event(row) for row in self._session.execute(select(EVENTS).where(wanted))]

    def named(self, event_ids: Sequence[str], *, agency: str) -> list[SubjectEvent]:
        """An agency's events of these ids."""
        wanted = (EVENTS.c.agency == agency) & EVENTS.c.id.in_(event_ids)
        return [_event(row) for row in self._session.execute(select(EVENTS).where(wanted))]

    def ended(
        self, *, agency: str, done_before: datetime, withdrawn_before: datetime, limit: int
    ) -> list[SubjectEvent]:
        """Events that were done, or withdrawn plans that were made, before a moment."""
        done = (EVENTS.c.state == str(EventState.DONE)) & (EVENTS.c.ended_at < done_before)
        withdrawn = (EVENTS.c.state == str(EventState.WITHDRAWN)) & (EVENTS.c.planned_at < withdrawn_before)
        query = (
            select(EVENTS).where(EVENTS.c.agency == agency, done | withdrawn).order_by(EVENTS.c.planned_at)
        )
        return [_event(row) for row in self._session.execute(query.limit(limit))]

    def erase(self, event_ids: Sequence[str]) -> None:
        """Delete events with their plans, and what was linked to subjects that have no event any more."""
        indexes = select(EVENTS.c.subject_index).where(EVENTS.c.id.in_(event_ids))
        subjects = [row.subject_index for row in self._session.execute(indexes)]
        self._session.execute(delete(EFFECTS).where(EFFECTS.c.event.in_(event_ids)))
        self._session.execute(delete(EVENTS).where(EVENTS.c.id.in_(event_ids)))
        left = select(EVENTS.c.subject_index)
        gone = CERTIFICATES.c.subject_index.in_(subjects) & CERTIFICATES.c.subject_index.not_in(left)
        self._session.execute(delete(CERTIFICATES).where(gone))

    def link_certificate(self, index: bytes, *, authority: str, serial: str) -> None:
        """Say that a certificate belongs to a subject; `Conflict` when that is known."""
        row = {"subject_index": index, "authority": authority, "serial": serial}
        try:
            with self._session.begin_nested():
                self._session.execute(insert(CERTIFICATES), row)
        except IntegrityError as exc:
            raise Conflict("this certificate is known to be the subject's") from exc

    def linked_certificates(self, index: bytes) -> list[tuple[str, str]]:
        """Authority and serial number (hex) of the certificates that were said to be a subject's."""
        query = select(CERTIFICATES.c.authority, CERTIFICATES.c.serial)
        rows = self._session.execute(query.where(CERTIFICATES.c.subject_index == index))
        return sorted((row.authority, row.serial) for row in rows)

    def reopen(self) -> int:
        """Have events that were approved, and not begun here, be approved anew; returns how many.

        For a node that was put back from a backup: such an event may have been run since.
        """
        approved = update(EVENTS).where(EVENTS.c.state == str(EventState.APPROVED))
        values = {"state": str(EventState.PLANNED), "consents": [], "step": EVENTS.c.step + 1}
        return int(self._session.execute(approved.values(**values)).rowcount)  # type: ignore[attr-defined]  # an update's result has it

    def _add_effects(self, event_id: str, effects: Sequence[Effect]) -> None:
        rows = [_row(event_id, sequence, one) for sequence, one in enumerate(effects, 1)]
        for start in range(0, len(rows), _AT_ONCE):
            self._session.execute(insert(EFFECTS), rows[start : start + _AT_ONCE])


def _row(event_id: str, sequence: int, effect: Effect) -> dict[str, Any]:
    outcome = OutcomeKind(str(effect.action)) if effect.action in IDLE else OutcomeKind.PENDING
    return {
        "event": event_id,
        "sequence": sequence,
        "of": str(effect.of),
        "thing": effect.thing,
        "name_zh": effect.name.zh,
        "name_en": effect.name.en,
        "action": str(effect.action),
        "why_zh": effect.why.zh,
        "why_en": effect.why.en,
        "terms": dict(effect.terms),
        "seen": dict(effect.seen),
        "outcome": str(outcome),
        "code": "",
        "outcome_facts": {},
    }


def _effect(row: Any) -> PlannedEffect:
    effect = Effect(
        of=EffectKind(row.of),
        thing=row.thing,
        name=Text(row.name_zh, row.name_en),
        action=Action(row.action),
        why=Text(row.why_zh, row.why_en),
        terms=row.terms,
        seen=row.seen,
    )
    outcome = Outcome(OutcomeKind(row.outcome), row.code, row.outcome_facts)
    return PlannedEffect(row.sequence, effect, outcome, row.settled_at)


def _changing(event: SubjectEvent) -> dict[str, Any]:
    return {
        "kind": str(event.facts.kind),
        "facts": event.facts.to_dict(),
        "state": str(event.state),
        "planners": list(event.planners),
        "planned_at": event.planned_at,
        "digest": event.digest,
        "consents": [one.to_dict() for one in event.consents],
        "begun_at": event.begun_at,
        "ended_at": event.ended_at,
        "run_by": event.run_by,
        "undone_by": event.undone_by,
    }


def _event(row: Any) -> SubjectEvent:
    return SubjectEvent(
        id=row.id,
        agency=row.agency,
        facts=EventFacts.from_dict(row.facts),
        state=EventState(row.state),
        planners=tuple(row.planners),
        planned_at=row.planned_at,
        digest=row.digest,
        step=row.step,
        consents=tuple(Consent.from_dict(one) for one in row.consents),
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        run_by=row.run_by,
        undone_by=row.undone_by,
    )

"""Record what happens to a licence: which event may follow which, the public status, the audit entry.

Works in the caller's transaction. The status list says only valid, suspended or not valid; the exact answer
is `credentials.standing`. Who relied on the licence is told in the same transaction, where somebody knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from credentials.licence import Cause, EndingKind, Event, EventKind, Licence, VersionKind, still_counting
from credentials.repository import LicenceRepository
from credentials.standing import Standing, State, standing
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from yinxin.base import audit
from yinxin.base.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.status_service import StatusService
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Session

_AFTER_EXPIRY = frozenset({EndingKind.EXPIRED, EndingKind.DEREGISTERED, EndingKind.ANNULLED})
_ANY_TIME = frozenset({EndingKind.ANNULLED, EndingKind.SUPERSEDED})
_LIVE = (State.IN_FORCE, State.NOT_YET_VALID)
_ALLOWED: dict[EndingKind | EventKind, tuple[State, ...]] = {
    EventKind.SUSPENDED: (State.IN_FORCE,),
    EventKind.RESUMED: (State.SUSPENDED,),
    EventKind.COMMITMENT_MET: (*_LIVE, State.SUSPENDED),
    EndingKind.SUPERSEDED: _LIVE,
    EndingKind.EXPIRED: (State.EXPIRED,),
}


class Hearers(Protocol):
    """Who hears what becomes of a licence: those that relied on it."""

    def tell(
        self, session: Session, licence: Licence, event: Event, *, fields: Sequence[str], actor: Actor
    ) -> None:
        """Let them know in this transaction; `fields` are the names of what says something else now."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """The book of an office's events: the one way to write one."""

    status: StatusService
    clock: Clock
    hearers: Hearers | None = None

    def record(  # noqa: PLR0913 - an event and what is done with it
        self,
        session: Session,
        identifier: str,
        event: Event,
        *,
        actor: Actor,
        approval: str | None = None,
        fields: Sequence[str] = (),
        seen: int | None = None,
    ) -> Event:
        """Record an event of a licence, what the status list says of its copies, and the audit entry.

        It is recorded as of the moment in which the licence was locked, so that an answer for an earlier
        `known_at` never changes. `NotFound` for an unknown licence; `Conflict` when the event cannot follow
        what happened before, when somebody else was faster, or when the licence has not the number of events
        that were `seen`.
        """
        repository = LicenceRepository(session)
        licence = repository.for_change(identifier)
        event = replace(event, recorded_at=self.clock.now())
        events = repository.events(identifier)
        if seen is not None and len(events) != seen:
            raise Conflict("something else happened to the licence meanwhile: look at it again")
        require_possible(licence, events, event)
        recorded = repository.add_event(identifier, event)
        self._publish(session, repository, licence, events, recorded, actor)
        _audit(session, licence, recorded, actor, approval)
        if self.hearers is not None:
            self.hearers.tell(session, licence, recorded, fields=fields, actor=actor)
        return recorded

    def _publish(  # noqa: PLR0913, PLR0917 - an event and what it is about
        self,
        session: Session,
        repository: LicenceRepository,
        licence: Licence,
        events: list[Event],
        event: Event,
        actor: Actor,
    ) -> None:
        """What the lists say of the copies that still hold. What an ending took is not given back."""
        if event.is_ending:
            value = INVALID
            copies = repository.retire_copies(licence.identifier, by=str(event.kind), at=event.recorded_at)
        else:
            found = _public_status(events, event)
            if found is None:
                return
            value = found
            copies = [one for one in repository.copies(licence.identifier) if one.retired_at is None]
        for copy in copies:
            self.status.set(session, copy.status_uri, copy.status_index, value, actor=actor)


def require_state(found: Standing, *states: State) -> None:
    """`Conflict` unless the licence is in one of these states."""
    if found.state not in states:
        raise Conflict(f"the licence is {found.text.en}")


def require_possible(licence: Licence, events: Sequence[Event], event: Event) -> None:
    """`Conflict` or `UsageError` unless this event can follow those events of the licence."""
    kind, at = event.kind, event.recorded_at
    found = standing(licence, events, as_of=at, known_at=at)
    if kind is EventKind.UNDONE:
        _require_undoable(found, events, event)
        return
    if kind in _ALLOWED:
        require_state(found, *_ALLOWED[kind])
    elif found.state is State.EXPIRED and kind not in _AFTER_EXPIRY:
        raise Conflict(f"the licence is {found.text.en}")
    if kind is EventKind.COMMITMENT_MET and (licence.commitment_due is None or found.commitment_met):
        raise Conflict("the licence has no open commitment")
    if kind is EventKind.RESUMED:
        _require_cause(found, event)
    _require_order(licence, events, event)


def _require_cause(found: Standing, event: Event) -> None:
    """What was suspended for a reported death resumes because the report is contested, and so it alone."""
    for_death = found.event is not None and found.event.cause is Cause.DEATH_REPORTED
    if for_death != (event.cause is Cause.DEATH_CONTESTED):
        raise Conflict(
            "the licence is suspended for a reported death: it resumes when that is contested"
            if for_death
            else "the licence is not suspended for a reported death"
        )


def _require_order(licence: Licence, events: Sequence[Event], event: Event) -> None:
    # A correction takes effect from the beginning: it says nothing of what happened since.
    if event.version_kind is VersionKind.CORRECTED or event.kind is EndingKind.ANNULLED:
        return
    if event.kind not in _ANY_TIME and event.effective_from < licence.starts_at:
        raise UsageError("an event cannot take effect before the licence does")
    if any(event.effective_from < one.effective_from for one in still_counting(events)):
        raise Conflict("a later event of this licence is recorded already")


def _require_undoable(found: Standing, events: Sequence[Event], event: Event) -> None:
    """An ending that stands, or the pause that lasts; never what took a licence's place."""
    named = named_event(events, event.undoes or 0)
    if named.kind is EndingKind.SUPERSEDED:
        raise Conflict("another licence stands in its place: correct that one instead")
    if named not in still_counting(events):
        raise Conflict("this event was undone already")
    if not named.is_ending and named.kind is not EventKind.SUSPENDED:
        raise UsageError("endings and suspensions are undone, nothing else")
    if not named.is_ending and found.event != named:
        raise Conflict("this suspension is over")


def named_event(events: Sequence[Event], sequence: int) -> Event:
    """The event of this sequence; `NotFound` for none."""
    for event in events:
        if event.sequence == sequence:
            return event
    raise NotFound(f"the licence has no event {sequence}")


def _public_status(events: Sequence[Event], event: Event) -> int | None:
    if event.kind is EventKind.UNDONE:
        undone = named_event(events, event.undoes or 0)
        return VALID if undone.kind is EventKind.SUSPENDED else None
    return {EventKind.SUSPENDED: SUSPENDED, EventKind.RESUMED: VALID}.get(EventKind(event.kind))


def _audit(session: Session, licence: Licence, event: Event, actor: Actor, approval: str | None) -> None:
    details: dict[str, object] = {
        "effective_from": event.effective_from.isoformat(),
        "document": event.document_number,
    }
    more = {
        "replaced_by": event.replaced_by,
        "successors": list(event.successors),
        "cause": str(event.cause) if event.cause else None,
        "undoes": event.undoes,
        "approval": approval,
    }
    audit.record(
        session,
        action=f"licence.{event.kind}",
        subject=licence.identifier,
        actor=actor,
        at=event.recorded_at,
        details={**details, **{name: value for name, value in more.items() if value}},
    )

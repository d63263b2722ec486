"""Record what happens to a licence: which event may follow which, the public status, the audit entry.

Works in the caller's transaction. The status list says only valid, suspended or not valid; the exact answer
is `credentials.standing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.licence import EndingKind, Event, EventKind, Licence
from credentials.repository import LicenceRepository
from credentials.standing import Standing, State, standing
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from yinxin.base import audit
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from credentials.status_service import StatusService
    from yinxin.base.actor import Actor
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


def record_event(
    session: Session, identifier: str, event: Event, *, status: StatusService, actor: Actor
) -> None:
    """Record an event of a licence, what the status list says of its copies, and the audit entry.

    `NotFound` for an unknown licence, `Conflict` when the event cannot follow what happened before, or when
    somebody else was faster.
    """
    repository = LicenceRepository(session)
    licence = repository.for_change(identifier)
    _require_possible(licence, repository.events(identifier), event)
    repository.add_event(identifier, event)
    value = _public_status(event)
    if value is not None:
        for copy in repository.copies(identifier):
            status.set(session, copy.status_uri, copy.status_index, value, actor=actor)
    details = {"effective_from": event.effective_from.isoformat(), "document": event.document_number}
    if event.replaced_by:
        details["replaced_by"] = event.replaced_by
    audit.record(
        session,
        action=f"licence.{event.kind}",
        subject=identifier,
        actor=actor,
        at=event.recorded_at,
        details=details,
    )


def require_state(found: Standing, *states: State) -> None:
    """`Conflict` unless the licence is in one of these states."""
    if found.state not in states:
        raise Conflict(f"the licence is {found.text.en}")


def _public_status(event: Event) -> int | None:
    if event.is_ending:
        return INVALID
    return {EventKind.SUSPENDED: SUSPENDED, EventKind.RESUMED: VALID}.get(EventKind(event.kind))


def _require_possible(licence: Licence, events: list[Event], event: Event) -> None:
    kind, at = event.kind, event.recorded_at
    found = standing(licence, events, as_of=at, known_at=at)
    if kind in _ALLOWED:
        require_state(found, *_ALLOWED[kind])
    elif found.state is State.EXPIRED and kind not in _AFTER_EXPIRY:
        raise Conflict(f"the licence is {found.text.en}")
    if kind is EventKind.COMMITMENT_MET and (licence.commitment_due is None or found.commitment_met):
        raise Conflict("the licence has no open commitment")
    if kind not in _ANY_TIME and event.effective_from < licence.starts_at:
        raise UsageError("an event cannot take effect before the licence does")
    if kind is not EndingKind.ANNULLED and any(event.effective_from < one.effective_from for one in events):
        raise Conflict("a later event of this licence is recorded already")

"""What is recorded of a presentation session: each change of its state, with its entry in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_api.presentations.repository import PresentationRepository, StoredPresentation
from verify_api.presentations.sessions import ALIVE, MAX_TRIES, SESSION_LIFE, State
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

WALLET = Actor(ActorKind.HOLDER, "wallet")  # nobody knows which; what it showed says of whom


def record_start(session: Session, stored: StoredPresentation, actor: Actor) -> None:
    """A session that begins, and who began it."""
    PresentationRepository(session).add(stored)
    names = ("purpose", "matter", "types", "claims", "same_device")
    details = {name: stored.content[name] for name in names} | {"department": stored.department}
    at = stored.expires_at - SESSION_LIFE
    _audit(session, "start", stored, at, actor, details)


def record_fetch(session: Session, found: StoredPresentation, now: datetime) -> None:
    """A wallet has the request."""
    fetched = PresentationRepository(session).change(
        found.id, states=(str(State.OPEN),), state=str(State.FETCHED)
    )
    if fetched:
        _audit(session, "fetch", found, now)


def record_receipt(session: Session, found: StoredPresentation, now: datetime) -> bool:
    """Whoever is first takes the response; False for everybody after."""
    first = PresentationRepository(session).change(found.id, states=ALIVE, state=str(State.RECEIVED))
    if first:
        _audit(session, "receive", found, now)
    return first


def record_try(session: Session, found: StoredPresentation, now: datetime) -> None:
    """A response that could not be read; one too many closes the session."""
    repository = PresentationRepository(session)
    repository.count_try(found.id)
    current = repository.by_request(found.request)
    if current and current.tries >= MAX_TRIES:
        closed = repository.change(found.id, states=ALIVE, state=str(State.CLOSED))
        if closed:
            _audit(session, "close", found, now, details={"tries": current.tries})


def record_finish(
    session: Session, found: StoredPresentation, values: Mapping[str, Any], now: datetime
) -> None:
    """What the response came to."""
    PresentationRepository(session).change(found.id, states=(str(State.RECEIVED),), **values)
    verb = "decline" if values["state"] == State.DECLINED else "answer"
    _audit(session, verb, found, now, details=values["outcome"])


def record_return(session: Session, found: StoredPresentation, now: datetime) -> None:
    """The holder's browser is back."""
    answered = (str(State.ANSWERED),)
    if PresentationRepository(session).change(found.id, states=answered, state=str(State.RETURNED)):
        _audit(session, "return", found, now)


def record_stranger(session: Session, found: StoredPresentation, now: datetime) -> None:
    """Somebody else's browser came back: the link was passed on, so nobody reads this result."""
    ended = (str(State.ANSWERED),)
    values = {"state": str(State.CLOSED), "result": None, "code": None}
    if PresentationRepository(session).change(found.id, states=ended, **values):
        _audit(session, "close", found, now, details={"reason": "another browser"})


def _audit(  # noqa: PLR0913, PLR0917 - the facts of one entry
    session: Session,
    verb: str,
    found: StoredPresentation,
    at: datetime,
    actor: Actor = WALLET,
    details: Mapping[str, Any] | None = None,
) -> None:
    action = f"presentation.{verb}"
    audit.record(session, action=action, subject=found.id, actor=actor, at=at, details=details)

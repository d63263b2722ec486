"""Tell those that accepted a version what became of it, in the transaction that records it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from credentials.licence import EventKind
from credentials.office.notices.repository import Notice, NoticeRepository
from yinxin.base import audit
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.licence import Event, Licence
    from yinxin.base.actor import Actor
    from yinxin.base.database import Session

_SILENT = frozenset({EventKind.COMMITMENT_MET})  # nobody relied on a promise that was still open


class Acceptances(Protocol):
    """Who relied on a version of a licence."""

    def departments(self, session: Session, licence: str) -> Sequence[str]:
        """The departments that found this version good, by their ids."""
        ...


class Notices:
    """What an issuer tells (`credentials.changes.Hearers`): a notice for each that accepted it."""

    def __init__(self, acceptances: Acceptances, *, randomness: Randomness | None = None) -> None:
        self._acceptances = acceptances
        self._randomness = randomness or SystemRandomness()

    def tell(
        self, session: Session, licence: Licence, event: Event, *, fields: Sequence[str], actor: Actor
    ) -> None:
        """Put a notice into the queue of each; the log names department, licence and event, no field."""
        if event.kind in _SILENT:
            return
        notices = [
            Notice(
                random_text(self._randomness),
                department,
                licence.agency.credit_code,
                licence.identifier,
                event.sequence or 0,
                tuple(fields),
                event.recorded_at,
            )
            for department in self._acceptances.departments(session, licence.identifier)
        ]
        NoticeRepository(session).add(notices)
        for one in notices:
            audit.record(
                session,
                action="notice.tell",
                subject=one.licence,
                actor=actor,
                at=one.told_at,
                details={"notice": one.id, "department": one.department, "event": one.event},
            )

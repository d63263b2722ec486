"""Custody beside every sealing: leave to use the seal, the log of its uses, and the alarm when it is refused.

Leave is asked before anything is sealed and takes the places of a limited day at once, so that of two who
want the last one gets it. The use is written down in the transaction that records what was sealed, and that
transaction fails when the seal or the grant was stopped meanwhile: a use after a stop never commits.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from credentials.custody import Permit
from credentials.licence import agency_day, start_of_day
from credentials.office.seals.grants import REFUSALS, Refusal, closest
from credentials.office.seals.repository import SealRepository
from credentials.office.seals.thresholds import Thresholds
from credentials.office.seals.uses.repository import UseRepository
from credentials.office.seals.uses.values import Alarm
from credentials.office.seals.values import STATE_NAMES, SealState
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from credentials.office.seals.grants import Grant
    from credentials.office.seals.values import Seal
    from signing.certificates import Certificate
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

_log = logging.getLogger("credentials.seals")
_WATCH = system("seal-watch")


class Custody:
    """Custody of the seal that one process uses: a `credentials.custody.SealCustody`.

    `certificate` is that of the key in hand. `on_alarm` hears of each alarm (a metric). The register is
    `credentials.office.seals.Seals`.
    """

    def __init__(  # noqa: PLR0913 - what stands beside a sealing, by the door
        self,
        agency: str,
        *,
        certificate: Certificate,
        database: Database,
        clock: Clock | None = None,
        thresholds: Thresholds | None = None,
        on_alarm: Callable[[Alarm], None] = lambda _alarm: None,
    ) -> None:
        self._agency, self._fingerprint = agency, certificate.fingerprint
        self._database, self._clock = database, clock or SystemClock()
        self._thresholds, self._on_alarm = thresholds or Thresholds.load(), on_alarm

    def allow(self, actor: Actor, wanted: Mapping[str, int]) -> Permit:
        """Leave for an actor to seal so many documents of these types.

        `NotPermitted` when no grant allows it, `Conflict` when the seal is not in use or not in the register.
        Both leave an alarm. Places of a day stay taken, whether or not something is sealed then.
        """
        now = self._clock.now()
        with self._database.reading() as session:
            seals = SealRepository(session)
            seal = seals.by_certificate(self._fingerprint, agency=self._agency)
            grants = seals.grants(seal.id) if seal else []
        if seal is None:
            raise Conflict("the register of seals does not know the seal of this key")
        if seal.state is not SealState.IN_USE:
            raise self._refused(seal, None, Refusal.NOT_IN_USE, actor, wanted, now)
        refusals: dict[Refusal, Grant] = {}
        for grant in (one for one in grants if one.terms.is_for(actor)):
            refusal = grant.terms.refuses(wanted, now) or self._takes(grant, wanted, now)
            if refusal is None:
                return Permit(seal.id, grant.id, actor)
            refusals[refusal] = grant
        worst = closest(refusals)
        raise self._refused(seal, refusals.get(worst), worst, actor, wanted, now)

    def used(  # noqa: PLR0913 - the facts of a use
        self,
        session: Session,
        permit: Permit | None,
        *,
        document: str,
        licence: str | None,
        at: datetime,
        elsewhere: bool = False,
    ) -> None:
        """Write down a use, in the transaction that records what was sealed.

        `elsewhere`: the key is not here, and somebody else signed with it. `Conflict` when the seal or the
        grant was stopped since leave was given.
        """
        uses = UseRepository(session)
        if permit is None or not uses.may_use(permit.seal, permit.grant):
            raise Conflict("the seal or its grant was stopped meanwhile: what was sealed does not count")
        entry = audit.record(
            session,
            action="seal.use",
            subject=permit.seal,
            actor=permit.actor,
            at=at,
            details={"document": document, "licence": licence, "grant": permit.grant}
            | ({"key": "elsewhere"} if elsewhere else {}),
        )
        uses.add(
            seal=permit.seal,
            grant=permit.grant,
            document=document,
            licence=licence,
            actor=str(permit.actor),
            used_at=at,
            entry=entry,
        )

    def _takes(self, grant: Grant, wanted: Mapping[str, int], now: datetime) -> Refusal | None:
        """Take the places of a limited day; a grant without a limit costs nothing here."""
        limit = grant.terms.daily_limit
        if limit is None:
            return None
        with self._database.transaction() as session:
            count = sum(wanted.values())
            has_room = UseRepository(session).take(grant.id, agency_day(now), count=count, limit=limit)
        return None if has_room else Refusal.OVER_LIMIT

    def _refused(  # noqa: PLR0913, PLR0917 - the facts of an alarm
        self,
        seal: Seal,
        grant: Grant | None,
        kind: Refusal,
        actor: Actor,
        wanted: Mapping[str, int],
        now: datetime,
    ) -> Conflict | NotPermitted:
        """Raise the alarm; the error is what the caller hears."""
        alarm = Alarm(seal.id, grant.id if grant else None, kind, str(actor), wanted, now)
        with self._database.transaction() as session:
            uses = UseRepository(session)
            if grant and self._stops(session, grant, kind, now):
                alarm = Alarm(alarm.seal, alarm.grant, kind, alarm.actor, wanted, now, stopped="grant")
            uses.add_alarm(alarm)
            details = {
                "kind": str(kind),
                "grant": alarm.grant,
                "wanted": dict(wanted),
                "stopped": alarm.stopped,
            }
            audit.record(session, action="seal.alarm", subject=seal.id, actor=actor, at=now, details=details)
        facts = {"seal": seal.id, "grant": alarm.grant, "kind": str(kind), "stopped": alarm.stopped}
        _log.warning("a use of a seal was refused", extra={"facts": facts})
        self._on_alarm(alarm)
        if kind is Refusal.NOT_IN_USE:
            return Conflict(f"the seal is {STATE_NAMES[seal.state].en}")
        return NotPermitted(f"{actor} may not use the seal: {REFUSALS[kind].en}")

    def _stops(self, session: Session, grant: Grant, kind: Refusal, now: datetime) -> bool:
        """End a grant that gave too many alarms today; whether it was ended here."""
        today = start_of_day(agency_day(now))
        alarms = UseRepository(session).count_alarms(grant.seal, grant.id, kind, since=today) + 1
        if not self._thresholds.stops(grant.terms, kind, alarms):
            return False
        stopped = SealRepository(session).stop_grant(grant.id, seal=grant.seal, at=now, why=str(kind))
        if stopped:
            details = {"grant": grant.id, "why": str(kind)}
            audit.record(
                session, action="seal.stop_grant", subject=grant.seal, actor=_WATCH, at=now, details=details
            )
        return stopped

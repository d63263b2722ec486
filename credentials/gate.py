"""The gate of an issuing office: who may act for its agency, and on whose licences.

Several agencies may keep their licences in one database. To the staff of one, another's licences are not
there: they are not read, changed, sealed or offered, and who tried stands in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.repository import LicenceRepository
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import NotFound, NotPermitted, YinxinError

if TYPE_CHECKING:
    from credentials.licence import Licence
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

CLERK, INSPECTOR = "clerk", "inspector"
REFUSED = "office.refused"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one agency's office; `agency` is its credit code."""

    agency: str
    database: Database
    clock: Clock

    def admit(self, actor: Actor, verb: str, *licences: str, role: str = CLERK) -> None:
        """Let an actor of the agency do something with these licences of it.

        `NotPermitted` for everybody else, `NotFound` for licences of other agencies; both are noted in the
        log, in a transaction of its own: ask before one is open.
        """
        refusal: YinxinError | None = _refusal(actor, self.agency, role)
        if refusal is None and (foreign := self._foreign(licences)):
            refusal = NotFound(f"no licence {foreign[0]}")
        if refusal is not None:
            self._note(actor, verb, licences)
            raise refusal

    def _foreign(self, licences: tuple[str, ...]) -> list[str]:
        if not licences:
            return []
        with self.database.reading() as session:
            repository = LicenceRepository(session)
            found = {one: repository.by_identifier(one) for one in licences}
        return [name for name, licence in found.items() if licence and not is_of(licence, self.agency)]

    def _note(self, actor: Actor, verb: str, licences: tuple[str, ...]) -> None:
        with self.database.transaction() as session:
            for subject in licences or (f"agency:{self.agency}",):
                self._record(session, actor, verb, subject[:200])

    def _record(self, session: Session, actor: Actor, verb: str, subject: str) -> None:
        details = {"office": self.agency, "verb": verb}
        audit.record(
            session, action=REFUSED, subject=subject, actor=actor, at=self.clock.now(), details=details
        )


def is_of(licence: Licence, agency: str) -> bool:
    """Whether an agency issued a licence."""
    return licence.agency.credit_code == agency


def _refusal(actor: Actor, agency: str, role: str) -> NotPermitted | None:
    """Why the actor does not act for the agency; None when they do."""
    if actor.kind is ActorKind.SYSTEM:  # a process of the office's own
        return None
    if actor.kind is not ActorKind.STAFF or actor.agency != agency:
        return NotPermitted(f"{actor} does not act for this agency")
    return None if role in actor.roles else NotPermitted(f"{actor} is no {role}")

"""Hold every seal of a node that was put back from a backup, until people let it be used again.

Which seals were stopped since, and whose grants were withdrawn, the backup does not know. So each seal that
could be used stops where it is, each grant ends, and for each a request waits: what an approver agrees to
holds again as it was, what they refuse stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials.office.seals.repository import SealRepository
from credentials.office.seals.requests import Request, RequestKind
from credentials.office.seals.values import SealState
from yinxin.base import audit
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from credentials.office.seals.values import Seal
    from yinxin.base.actor import Actor
    from yinxin.base.database import Session

GROUND = "系统已从备份恢复，请核对该印章和授权此后是否停用、收回"
WHY = "restored from a backup"
_USABLE = (SealState.MADE, SealState.FILED, SealState.IN_USE)


@dataclass(frozen=True, slots=True)
class Held:
    """How many seals and grants wait for an approver."""

    seals: int
    grants: int


class Holding:
    """Holds the seals of all agencies of a database, in the caller's transaction.

    `document_number` names the restoration; `actor` is who restored the node and asks for what is given back:
    an approver who is another person decides.
    """

    def __init__(
        self,
        session: Session,
        *,
        document_number: str,
        actor: Actor,
        at: datetime,
        randomness: Randomness | None = None,
    ) -> None:
        self._session, self._seals = session, SealRepository(session)
        self._document_number, self._actor, self._at = document_number, actor, at
        self._randomness = randomness or SystemRandomness()

    def hold(self) -> Held:
        """Stop and end all that could be used, with a request for each; a second time does nothing."""
        seals = grants = 0
        for seal in self._seals.in_states(_USABLE):
            self._stop(seal)
            seals += 1
            for grant in self._seals.grants(seal.id):
                self._seals.stop_grant(grant.id, seal=seal.id, at=self._at, why=WHY)
                self._record(seal, "stop_grant", grant=grant.id)
                self._ask(seal, RequestKind.GRANT, grant.terms.to_dict())
                grants += 1
        return Held(seals, grants)

    def _stop(self, seal: Seal) -> None:
        stopped = replace(
            seal,
            state=SealState.STOPPED,
            stopped_from=seal.state,
            ground=GROUND,
            document_number=self._document_number,
            changed_at=self._at,
        )
        self._seals.change(seal, stopped)
        self._record(stopped, "stop", document=self._document_number)
        facts = {"ground": GROUND, "document_number": self._document_number}
        self._ask(stopped, RequestKind.RESUME, facts)

    def _ask(self, seal: Seal, kind: RequestKind, content: Mapping[str, Any]) -> None:
        name = f"ask-{self._randomness.bytes(8).hex()}"
        request = Request(name, seal.agency, seal.id, kind, content, self._actor.identifier, self._at)
        self._seals.add_request(request)
        self._record(seal, "ask", kind=str(kind), digest=request.digest.hex())

    def _record(self, seal: Seal, verb: str, **details: str) -> None:
        audit.record(
            self._session,
            action=f"seal.{verb}",
            subject=seal.id,
            actor=self._actor,
            at=self._at,
            details={"state": str(seal.state), **details},
        )

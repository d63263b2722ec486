"""What the register of seals shows to its keepers, to approvers and to inspectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.gate import INSPECTOR
from credentials.office.seals.repository import SealRepository
from credentials.office.seals.uses.repository import UseRepository
from credentials.office.seals.values import SealState
from yinxin.base.actor import ActorKind
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.seals.grants import Grant
    from credentials.office.seals.requests import Request
    from credentials.office.seals.uses.values import Alarm, Use
    from credentials.office.seals.values import Seal
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

KEEPER, APPROVER = "keeper", "approver"
READERS = frozenset({KEEPER, APPROVER, INSPECTOR})
MAX_ROWS = 1000


class SealReading:
    """The register of one agency, to read; `NotPermitted` for strangers."""

    def __init__(self, agency: str, database: Database) -> None:
        self._agency, self._database = agency, database

    def seal(self, seal_id: str, *, actor: Actor) -> Seal:
        """One seal of the register."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return SealRepository(session).find(seal_id, agency=self._agency)

    def all(self, *, actor: Actor) -> list[Seal]:
        """The register, the last changed first."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return SealRepository(session).all_of(self._agency)

    def of_subject(self, owner: str, *, actor: Actor) -> list[Seal]:
        """The seals of an owner (credit code) that are not cancelled: what an event of it touches."""
        self._require_reader(actor)
        with self._database.reading() as session:
            found = SealRepository(session).all_of(self._agency, owner=owner)
        return [one for one in found if one.state is not SealState.CANCELLED]

    def grants(self, seal_id: str, *, actor: Actor) -> list[Grant]:
        """The grants of a seal, ended ones too."""
        seal = self.seal(seal_id, actor=actor)
        with self._database.reading() as session:
            return SealRepository(session).grants(seal.id, active=False)

    def uses(  # noqa: PLR0913 - what can be asked of a log
        self,
        seal_id: str,
        *,
        actor: Actor,
        after: int = 0,
        limit: int = 100,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Use]:
        """The log of a seal's uses behind a number; of a time where named."""
        seal = self.seal(seal_id, actor=actor)
        with self._database.reading() as session:
            return UseRepository(session).uses(
                seal.id, after=after, limit=min(limit, MAX_ROWS), since=since, until=until
            )

    def count_uses(self, seal_id: str, *, actor: Actor, since: datetime, until: datetime) -> int:
        """How often a seal was used in a time, both ends included to the microsecond."""
        seal = self.seal(seal_id, actor=actor)
        with self._database.reading() as session:
            return UseRepository(session).count(seal.id, since=since, until=until)

    def alarms(self, seal_id: str, *, actor: Actor, limit: int = 50) -> list[Alarm]:
        """A seal's alarms, the newest first."""
        seal = self.seal(seal_id, actor=actor)
        with self._database.reading() as session:
            return UseRepository(session).alarms(seal.id, limit=limit)

    def open_requests(self, *, actor: Actor) -> list[Request]:
        """What waits for a second person."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return SealRepository(session).open_requests(self._agency)

    def request(self, request_id: str, *, actor: Actor) -> Request:
        """One request of the agency."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return SealRepository(session).request(request_id, agency=self._agency)

    def _require_reader(self, actor: Actor) -> None:
        is_own = actor.agency == self._agency and actor.roles & READERS
        if actor.kind is not ActorKind.SYSTEM and not (actor.kind is ActorKind.STAFF and is_own):
            raise NotPermitted("the register of seals is for the agency's keepers, approvers and inspectors")

"""Seal the doubtful anew, one next version for each; a kill between two of them loses nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.holders import HolderNotActive
from credentials.office.seals.drills.repository import DrillRepository
from credentials.office.seals.drills.values import ItemState
from credentials.repository import LicenceRepository
from credentials.standing import State, standing
from yinxin.base.actor import system
from yinxin.base.errors import Conflict, InvalidClaims

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.issuer import Issuer
    from credentials.licence import Licence
    from credentials.office.seals.drills.values import Drill, Item
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

RESEALER = system("seal-drill")
CHUNK = 32
PAUSED = "suspended: sealed anew when it is resumed"
GONE = "its holder is recorded as dead or dissolved"
_REPLACEABLE = (State.IN_FORCE, State.NOT_YET_VALID)


@dataclass(frozen=True)
class Resealing:
    """One drill's open items."""

    drill: Drill
    issuer: Issuer
    database: Database
    clock: Clock

    def run(self, *, progress: Callable[[int, int], None], workers: int = 1) -> None:
        """Deal with every open item; what fails for all (a key, an authority, the new seal) is raised."""
        with self.database.transaction() as session:
            DrillRepository(session).reopen(self.drill.id, result=PAUSED)
        done, total = 0, self._open()
        after = 0
        with ThreadPoolExecutor(workers) as pool:
            while items := self._page(after):
                list(pool.map(self._deal_with, items))
                after = items[-1].use
                done += len(items)
                progress(done, total)

    def _page(self, after: int) -> list[Item]:
        with self.database.reading() as session:
            return DrillRepository(session).items(
                self.drill.id, after=after, state=ItemState.OPEN, limit=CHUNK
            )

    def _open(self) -> int:
        with self.database.reading() as session:
            _, states = DrillRepository(session).counts(self.drill.id)
        return states.get(str(ItemState.OPEN), 0)

    def _deal_with(self, item: Item) -> None:
        licence, against = self._look_up(item)
        if licence is None or against:
            self._leave(item, against or "the register does not know it")
            return
        try:
            self._replace(item, licence)
        except InvalidClaims as exc:
            self._leave(item, f"its data break the type's rules today: {', '.join(n for n, _ in exc.faults)}")
        except HolderNotActive:
            self._leave(item, GONE)
        except Conflict:
            # Somebody was faster: with this item, or with the licence. Else it is the seal, and all stops.
            if self._is_open(item):
                _, against = self._look_up(item)
                if not against:
                    raise
                self._leave(item, against)

    def _replace(self, item: Item, licence: Licence) -> None:
        def settle(session: Session, new: Licence) -> None:
            DrillRepository(session).settle(
                self.drill.id, item.use, state=ItemState.RESEALED, result=new.identifier
            )

        self.issuer.replace(
            licence.identifier,
            licence.claims,
            ground=self.drill.ground,
            document_number=self.drill.document_number,
            actor=RESEALER,
            approval=f"drill:{self.drill.id}",
            beside=settle,
        )

    def _look_up(self, item: Item) -> tuple[Licence | None, str]:
        """The licence, and what speaks against a next version of it."""
        now = self.clock.now()
        with self.database.reading() as session:
            licences = LicenceRepository(session)
            licence = licences.by_identifier(item.licence or "")
            events = licences.events(licence.identifier) if licence else []
        if licence is None:
            return None, ""
        if licence.replaced_by:
            return licence, f"superseded by {licence.replaced_by}"
        if licence.erased_at is not None:
            return licence, "its data are erased"
        state = standing(licence, events, as_of=now, known_at=now).state
        if state is State.SUSPENDED:
            return licence, PAUSED
        return licence, "" if state in _REPLACEABLE else f"it is {state}"

    def _leave(self, item: Item, why: str) -> None:
        with self.database.transaction() as session:
            DrillRepository(session).settle(self.drill.id, item.use, state=ItemState.LEFT, result=why)

    def _is_open(self, item: Item) -> bool:
        with self.database.reading() as session:
            (found,) = DrillRepository(session).items(self.drill.id, after=item.use - 1, limit=1)
        return found.state is ItemState.OPEN

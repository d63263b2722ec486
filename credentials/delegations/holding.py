"""What delegations hold on persons: for whoever asks what is held, for retention, and for erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.delegations.delegation import OPEN
from credentials.delegations.repository import DelegationRepository
from credentials.persons.holdings import OVER, Held, why_kept
from credentials.persons.retention import Retention, years_earlier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from credentials.delegations.delegation import Delegation
    from yinxin.base.clock import Clock
    from yinxin.base.database import Session


class DelegationHolding:
    """Delegations of a person or company, and those to a person. Ended, they are kept as withdrawn cases are.

    One goes with all that stands under it, with the record of its uses; its place in the status list stays.
    """

    kind = "delegation"

    def __init__(self, index: BlindIndex, retention: Retention, *, clock: Clock) -> None:
        self._index, self._retention, self._clock = index, retention, clock

    def of(self, session: Session, person: str) -> list[Held]:
        """Given by the person, or to them."""
        repository = self._repository(session)
        found = {one.id: one for one in (*repository.of_holder(person), *repository.of_person(person))}
        return [self._held(one) for one in found.values()]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Those that ended long ago."""
        before = years_earlier(now, self._retention.case_years)
        names = self._repository(session).over(before=before, limit=limit)
        return [Held(self.kind, name, now, OVER, {}) for name in names]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Those of these ids that are here."""
        chains = (self._repository(session).chain(key) for key in keys)
        return [Held(self.kind, chain[-1].id, now, OVER, {}) for chain in chains if chain]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Delete them; the log keeps that they were."""
        del at
        self._repository(session).erase({one.key for one in held})

    def _repository(self, session: Session) -> DelegationRepository:
        return DelegationRepository(session, index=self._index)

    def _held(self, one: Delegation) -> Held:
        now = self._clock.now()
        ended = one.ended_at or one.terms.ends_at
        is_open = one.state in OPEN and ended > now
        until = None if is_open else self._retention.case_until(ended)
        return Held(self.kind, one.id, until, why_kept(until), one.to_dict(now=now))

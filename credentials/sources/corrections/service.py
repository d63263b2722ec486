"""Requests for correction at one agency: taken by its clerks, worked on here or referred to the source.

A request for a datum that this agency keeps waits in its queue, with the licence that the datum stands in
first; it is settled with the case that put it right. For any other the answer says where to go, and stays
on record. Who was sent elsewhere, or refused, takes a slip along.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate, is_of
from credentials.repository import LicenceRepository
from credentials.sources.corrections.repository import CorrectionRepository
from credentials.sources.corrections.routing import Request, RequestState, Route, route_of
from yinxin.base import audit
from yinxin.base.actor import ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import NotFound, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.licence import Licence
    from credentials.office.disputes.slips import Slip
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

MAX_WORDS, MAX_CASE = 1000, 64
READERS = frozenset({"clerk", "reviewer", "approver", "inspector"})


class Corrections:
    """The requests of one agency (its credit code); `index` finds whose licence a datum stands in first.

    `slip_of` gives the slip for a request that is not worked on here, the same whenever it is asked.
    """

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        catalogue: Catalogue,
        database: Database,
        *,
        agency: str,
        index: BlindIndex,
        slip_of: Callable[[Request], Slip | None] = lambda _request: None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._catalogue, self._database, self._agency = catalogue, database, agency
        self._index, self.slip_of = index, slip_of
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    def route(self, identifier: str, field: str, *, actor: Actor) -> Route:
        """Where a correction of a field of a licence goes; nothing is recorded."""
        self._gate.admit(actor, "route a correction", identifier)
        licence = self._licence(identifier)
        return route_of(licence, self._catalogue.of(licence), field, agency=self._agency)

    def ask(self, identifier: str, field: str, *, words: str, actor: Actor) -> tuple[Request, Route]:
        """Take a request; `words` say what should stand there, and why."""
        route = self.route(identifier, field, actor=actor)
        if not 0 < len(words.strip()) <= MAX_WORDS:
            raise UsageError(f"say in 1 to {MAX_WORDS} characters what should stand there")
        licence = self._licence(identifier)
        request = Request(
            id=random_text(self._randomness),
            agency=self._agency,
            licence=licence.identifier,
            field=field,
            authority=route.authority,
            words=words.strip(),
            asked_by=actor.identifier,
            asked_at=self._clock.now(),
            state=RequestState.OPEN if route.is_local else RequestState.REFERRED,
            target=self._target(licence, route),
        )
        with self._database.transaction() as session:
            CorrectionRepository(session, agency=self._agency).add(request)
            self._record(session, "ask" if route.is_local else "refer", request, actor)
        return request, route

    def one(self, request_id: str, *, actor: Actor) -> tuple[Request, Route]:
        """A request with where it goes, for the agency's staff."""
        self._require_reader(actor)
        with self._database.reading() as session:
            found = CorrectionRepository(session, agency=self._agency).find(request_id)
        licence = self._licence(found.licence)
        return found, route_of(licence, self._catalogue.of(licence), found.field, agency=self._agency)

    def to_dict(self, request: Request) -> dict[str, Any]:
        """A request as JSON for staff, with its slip (告知单) where it has one."""
        slip = self.slip_of(request)
        return {**request.to_dict(), "slip": slip.to_dict() if slip else None}

    def settle(self, request_id: str, *, case: str, actor: Actor) -> Request:
        """Close a request with the number of the case that put the datum right."""
        if not 0 < len(case.strip()) <= MAX_CASE:
            raise UsageError("name the case that put it right")
        return self._decide(request_id, actor, RequestState.SETTLED, case=case.strip())

    def refuse(self, request_id: str, *, note: str, actor: Actor) -> Request:
        """Close a request without a correction, with the reason."""
        if not 0 < len(note.strip()) <= MAX_WORDS:
            raise UsageError("say why it is not put right")
        return self._decide(request_id, actor, RequestState.REFUSED, note=note.strip())

    def waiting(
        self, *, actor: Actor, state: RequestState = RequestState.OPEN, limit: int = 100
    ) -> list[Request]:
        """The queue of the agency, the longest waiting first."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return CorrectionRepository(session, agency=self._agency).in_state(state, limit=limit)

    def _require_reader(self, actor: Actor) -> None:
        is_ours = actor.kind is ActorKind.STAFF and actor.agency == self._agency
        if not is_ours or not actor.roles & READERS:
            raise NotPermitted("requests are for the agency's own staff")

    def _decide(
        self, request_id: str, actor: Actor, state: RequestState, *, case: str = "", note: str = ""
    ) -> Request:
        self._gate.admit(actor, f"{state} a correction")
        with self._database.transaction() as session:
            repository = CorrectionRepository(session, agency=self._agency)
            decided = replace(
                repository.find(request_id),
                state=state,
                case=case,
                note=note,
                decided_by=actor.identifier,
                decided_at=self._clock.now(),
            )
            repository.decide(decided)
            self._record(session, "settle" if case else "refuse", decided, actor)
        return decided

    def _licence(self, identifier: str) -> Licence:
        with self._database.reading() as session:
            found = LicenceRepository(session).find(identifier, agency=self._agency)
        if found is None:
            raise NotFound(f"no licence {identifier}")
        return found

    def _target(self, licence: Licence, route: Route) -> str | None:
        """The licence of this agency that the datum stands in first, if the holder has exactly one."""
        if not route.is_local:
            return None
        if route.type_code in {None, licence.type_code}:
            return licence.identifier
        with self._database.reading() as session:
            every = LicenceRepository(session, index=self._index).of_holder(licence.holder_code)
        own = [one for one in every if one.type_code == route.type_code and is_of(one, self._agency)]
        return own[0].identifier if len(own) == 1 else None

    def _record(self, session: Session, verb: str, request: Request, actor: Actor) -> None:
        details = {"request": request.id, "field": request.field, "authority": request.authority}
        if request.case:
            details["case"] = request.case
        if slip := self.slip_of(request):
            details["slip"] = slip.number
        audit.record(
            session,
            action=f"correction.{verb}",
            subject=request.licence,
            actor=actor,
            at=self._clock.now(),
            details=details,
        )

"""Carry out what a leaked key asks for, step by step; each goes on where it was cut off.

A seal is stopped when the loss is told, by one person. What follows takes two: the plan names every use and
how its document was judged, and a second person signs its digest. A document is sealed anew in the
transaction that settles its item, so that no kill and no second process makes two of one. Revoking the
certificate is the authority's work, between agreement and sealing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate
from credentials.office.agreements import check_consent, give_consent
from credentials.office.seals.drills.repository import DrillRepository
from credentials.office.seals.drills.resealing import RESEALER, Resealing
from credentials.office.seals.drills.values import Drill, DrillState, Item, ItemState, Plan, Verdict
from credentials.office.seals.grants import ANY_TYPE, Grant, GrantTerms
from credentials.office.seals.reading import APPROVER, KEEPER, SealReading
from credentials.office.seals.repository import SealRepository
from credentials.office.seals.requests import Request, RequestKind
from credentials.office.seals.uses.repository import UseRepository
from credentials.office.seals.values import SealState
from yinxin.base import audit
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from credentials.issuer import Issuer
    from credentials.office.proofs import Proofs
    from credentials.office.seals.drills.judging import Examiner
    from credentials.office.seals.uses.values import Use
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

CHUNK = 64
MAX_GROUND, MAX_NUMBER = 1000, 120
_LIVE = (SealState.MADE, SealState.FILED, SealState.IN_USE)


def _ignore(_done: int, _total: int) -> None:
    """Nobody wants to hear."""


class Compromise(SealReading):
    """The drills of one agency."""

    def __init__(
        self,
        agency: str,
        *,
        database: Database,
        proofs: Proofs,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        super().__init__(agency, database)
        self._proofs = proofs
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    def begin(
        self, seal_id: str, *, since: datetime, ground: str, document_number: str, actor: Actor
    ) -> Drill:
        """Stop a seal whose key is lost since a moment, for good, and open its drill.

        The same again gives the same drill. `Conflict` while another day's drill is not done, `UsageError`
        for a moment that has not come.
        """
        self._gate.admit(actor, "tell a lost key", role=APPROVER if APPROVER in actor.roles else KEEPER)
        now = self._clock.now()
        since = since.replace(microsecond=0)  # as lists say it: what is kept here must pass there
        if since > now:
            raise UsageError("a key is lost since a moment that has come")
        facts = (checked_text(ground), checked_text(document_number, MAX_NUMBER))
        with self._database.transaction() as session:
            seals, drills = SealRepository(session), DrillRepository(session)
            seal = seals.find(seal_id, agency=self._agency)
            if seal.certificate is None:
                raise Conflict("the seal was not made yet: there is no key to lose")
            if found := self._open(drills, seal.certificate, since):
                return found
            leaked = min(since, seal.leaked_since) if seal.leaked_since else since
            stopped = replace(
                seal,
                state=SealState.STOPPED if seal.state in _LIVE else seal.state,
                leaked_since=leaked,
                ground=facts[0],
                document_number=facts[1],
                changed_at=now,
            )
            seals.change(seal, stopped)
            drill = self._new(seal.id, seal.certificate, since, facts, actor)
            drills.add(drill)
            self._record(session, "begin", drill, actor)
        return drill

    def examine(
        self,
        drill_id: str,
        examiner: Examiner,
        *,
        actor: Actor,
        progress: Callable[[int, int], None] = _ignore,
    ) -> Plan:
        """Judge the document of every use; then the plan is there for a second person to agree to."""
        self._gate.admit(actor, "examine what a lost key sealed", role=KEEPER)
        drill = self.drill(drill_id, actor=actor)
        self._write_down_before(drill)
        done, total = self._extent(drill)
        while drill.state is DrillState.EXAMINING:
            progress(done, total)
            uses = self._next_uses(drill)
            items = [self._judged(use, drill, examiner) for use in uses]
            with self._database.transaction() as session:
                drills = DrillRepository(session)
                drills.add_items(drill.id, items)
                drill = self._advanced(session, drill, uses, actor)
            done += len(uses)
        progress(total, total)
        return self.plan(drill_id, actor=actor)

    def agree(self, request_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Drill:
        """Agree to a plan as a second person, by a signature over its digest.

        `NotPermitted` for who asked for it, and without a good proof; `Conflict` when what it names is not
        what is stored any more.
        """
        self._gate.admit(actor, "agree to the plan of a lost key", role=APPROVER)
        request = self.request(request_id, actor=actor)
        if request.kind is not RequestKind.COMPROMISE:
            raise UsageError("this request is agreed to where it was made")
        consent = give_consent(
            self._proofs,
            proof,
            digest=request.digest,
            role=APPROVER,
            actor=actor,
            at=self._clock.now(),
            not_by=(request.asked_by,),
        )
        check_consent(self._proofs, consent, digest=request.digest, agency=self._agency)
        with self._database.transaction() as session:
            drills = DrillRepository(session)
            drill = drills.find(str(request.content["drill"]), agency=self._agency, lock=True)
            drill.require(DrillState.PLANNED)
            if drills.digest(drill.id) != request.content["items"]:
                raise Conflict("the plan is not the one that was agreed to")
            SealRepository(session).decide(request, consent, at=self._clock.now())
            drills.advance(drill, at=self._clock.now(), state=DrillState.APPROVED)
            self._record(session, "approve", drill, actor, digest=request.digest.hex())
        return replace(drill, state=DrillState.APPROVED)

    def reseal(  # noqa: PLR0913 - what the work needs, by name
        self,
        drill_id: str,
        issuer: Issuer,
        *,
        seal_id: str,
        actor: Actor,
        progress: Callable[[int, int], None] = _ignore,
        workers: int = 1,
    ) -> Plan:
        """Seal the doubtful anew as next versions, with an issuer that holds the seal `seal_id`.

        Their numbers stay. What is paused, ended or replaced is left, with the reason; what was paused is
        tried again the next time. A seal, a key or a time-stamp authority that fails stops it by its error.
        """
        self._gate.admit(actor, "seal anew what a lost key sealed", role=KEEPER)
        drill = self.drill(drill_id, actor=actor)
        drill.require(DrillState.APPROVED, DrillState.DONE)
        grant = self._grant(drill, seal_id, actor)
        work = Resealing(drill, issuer, self._database, self._clock)
        work.run(progress=progress, workers=workers)
        self._finish(drill, grant, seal_id, actor)
        return self.plan(drill_id, actor=actor)

    # Reading

    def drill(self, drill_id: str, *, actor: Actor) -> Drill:
        """One drill of the agency."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return DrillRepository(session).find(drill_id, agency=self._agency)

    def drills(self, *, actor: Actor) -> list[Drill]:
        """The agency's drills, the newest first."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return DrillRepository(session).all_of(self._agency)

    def plan(self, drill_id: str, *, actor: Actor) -> Plan:
        """What a drill found, and how far it is carried out."""
        drill = self.drill(drill_id, actor=actor)
        with self._database.reading() as session:
            drills = DrillRepository(session)
            verdicts, states = drills.counts(drill.id)
            asked = drills.request_of(drill.id, agency=self._agency)
            seals = SealRepository(session)
            digest = seals.request(asked, agency=self._agency).digest.hex() if asked else None
        return Plan(drill, verdicts, states, asked, digest)

    def items(
        self, drill_id: str, *, actor: Actor, after: int = 0, state: ItemState | None = None, limit: int = 100
    ) -> list[Item]:
        """The uses of a drill and what became of them."""
        drill = self.drill(drill_id, actor=actor)
        with self._database.reading() as session:
            return DrillRepository(session).items(drill.id, after=after, state=state, limit=min(limit, 1000))

    # Parts

    def _open(self, drills: DrillRepository, certificate: str, since: datetime) -> Drill | None:
        """The drill that is open already; another day's is a `Conflict`, an earlier day's done one is not."""
        for drill in drills.of_certificate(certificate, agency=self._agency):
            if drill.since == since:
                return drill
            if drill.state is not DrillState.DONE:
                raise Conflict(f"the drill {drill.id} about another day is not done")
            if since > drill.since:
                raise Conflict("this key was given up as lost from an earlier day on")
        return None

    def _new(
        self, seal: str | None, certificate: str, since: datetime, facts: tuple[str, str], actor: Actor
    ) -> Drill:
        now = self._clock.now()
        return Drill(
            id=f"drill-{self._randomness.bytes(8).hex()}",
            agency=self._agency,
            seal=seal,
            certificate=certificate,
            since=since,
            state=DrillState.EXAMINING,
            cursor=0,
            ground=facts[0],
            document_number=facts[1],
            begun_by=actor.identifier,
            begun_at=now,
            changed_at=now,
        )

    def _write_down_before(self, drill: Drill) -> None:
        """What a seal sealed before there was a register stands in no log: its licences are looked at too."""
        with self._database.transaction() as session:
            seal = SealRepository(session).find(drill.seal or "", agency=self._agency)
            if seal.from_before and drill.state is DrillState.EXAMINING:
                UseRepository(session).add_before(seal.id, agency=self._agency)

    def _extent(self, drill: Drill) -> tuple[int, int]:
        """How many uses were judged, and how many there are."""
        with self._database.reading() as session:
            verdicts, _ = DrillRepository(session).counts(drill.id)
            total = UseRepository(session).count_all(drill.seal or "")
        return sum(verdicts.values()), total

    def _next_uses(self, drill: Drill) -> list[Use]:
        with self._database.reading() as session:
            return UseRepository(session).uses(drill.seal or "", after=drill.cursor, limit=CHUNK)

    @staticmethod
    def _judged(use: Use, drill: Drill, examiner: Examiner) -> Item:
        verdict, proved = examiner.examine(use.document, certificate=drill.certificate, since=drill.since)
        state, result = ItemState.OPEN, ""
        if verdict in {Verdict.BEFORE, Verdict.OTHER}:
            state = ItemState.KEPT
        elif use.licence is None:
            state, result = ItemState.LEFT, "no licence: whoever asked for this file seals it again"
        return Item(use.number, use.document, use.licence, verdict, proved, state, result)

    def _advanced(self, session: Session, drill: Drill, uses: list[Use], actor: Actor) -> Drill:
        """The drill behind these uses; behind the last one it is planned, and asks for a second person."""
        drills, now = DrillRepository(session), self._clock.now()
        if uses:
            drills.advance(drill, at=now, cursor=uses[-1].number)
            return replace(drill, cursor=uses[-1].number)
        return self._planned(session, drill, actor, {})

    def _planned(self, session: Session, drill: Drill, actor: Actor, more: Mapping[str, Any]) -> Drill:
        """The drill with its plan, which waits for a second person."""
        drills, now = DrillRepository(session), self._clock.now()
        drills.advance(drill, at=now, state=DrillState.PLANNED)
        verdicts, _ = drills.counts(drill.id)
        content = {
            "drill": drill.id,
            "certificate": drill.certificate,
            "since": drill.since.isoformat(),
            "ground": drill.ground,
            "document_number": drill.document_number,
            "verdicts": verdicts,
            "items": drills.digest(drill.id),
            **more,
        }
        request = Request(
            f"ask-{self._randomness.bytes(8).hex()}",
            self._agency,
            drill.seal,
            RequestKind.COMPROMISE,
            content,
            actor.identifier,
            now,
        )
        SealRepository(session).add_request(request)
        self._record(session, "plan", drill, actor, digest=request.digest.hex())
        return replace(drill, state=DrillState.PLANNED)

    def _grant(self, drill: Drill, seal_id: str, actor: Actor) -> str:
        """Leave for the work itself to use the new seal, as long as it runs; it rests on the agreed plan."""
        with self._database.transaction() as session:
            seals = SealRepository(session)
            seal = seals.find(seal_id, agency=self._agency)
            if seal.state is not SealState.IN_USE or seal.certificate == drill.certificate:
                raise Conflict("the doubtful are sealed anew with another seal, which is in use")
            for grant in seals.grants(seal.id):
                if grant.terms.grantee == str(RESEALER):
                    return grant.id
            terms = GrantTerms(str(RESEALER), (ANY_TYPE,))
            made = Grant(
                f"grant-{self._randomness.bytes(8).hex()}", seal.id, terms, drill.id, self._clock.now()
            )
            seals.add_grant(made)
            self._record(session, "grant", drill, actor, grant=made.id, new_seal=seal.id)
        return made.id

    def _finish(self, drill: Drill, grant: str, seal_id: str, actor: Actor) -> None:
        with self._database.transaction() as session:
            drills = DrillRepository(session)
            now, stored = self._clock.now(), drills.find(drill.id, agency=self._agency, lock=True)
            if drills.items(drill.id, state=ItemState.OPEN, limit=1):
                return
            SealRepository(session).stop_grant(grant, seal=seal_id, at=now, why=drill.id)
            if stored.state is DrillState.APPROVED:
                drills.advance(stored, at=now, state=DrillState.DONE)
                self._record(session, "done", drill, actor)

    def _record(self, session: Session, verb: str, drill: Drill, actor: Actor, **details: str) -> None:
        audit.record(
            session,
            action=f"seal.compromise.{verb}",
            subject=drill.seal or drill.id,
            actor=actor,
            at=self._clock.now(),
            details={
                "drill": drill.id,
                "certificate": drill.certificate,
                "since": drill.since.isoformat(),
                "document": drill.document_number,
                **details,
            },
        )


def checked_text(value: str, longest: int = MAX_GROUND) -> str:
    """Readable text, or `UsageError`."""
    found = value.strip()
    if not 0 < len(found) <= longest or not found.isprintable():
        raise UsageError("a lost key needs the ground in words and the number of the document about it")
    return found

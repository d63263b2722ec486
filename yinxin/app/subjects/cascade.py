"""Plan what an event of a subject brings about, have a second person agree to it, and take it up.

A plan is a snapshot: everything touched, how it stood, and what would happen to it. Its digest is what the second
person signs; when the event is run, everything is looked at again, and a plan that is out of date is not run.
How the effects are done one by one is `work`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credentials.gate import CLERK, Gate
from credentials.office.agreements import check_consent, give_consent
from credentials.office.desk import APPROVER, REVIEWER
from yinxin.app.subjects.comparing import PlanOutdated, compare
from yinxin.app.subjects.effects import Occasion
from yinxin.app.subjects.history import require_possible, subject_state
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.values import (
    HALTED,
    STATE_NAMES,
    TAKING_BACK,
    Effect,
    EffectKind,
    EventFacts,
    EventState,
    Outcome,
    OutcomeKind,
    PlannedEffect,
    Subject,
    SubjectEvent,
    plan_digest,
)
from yinxin.base import audit
from yinxin.base.errors import Conflict, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.blind_index import BlindIndex
    from credentials.office.proofs import Proofs
    from yinxin.app.subjects.effects import Effects
    from yinxin.app.subjects.history import SubjectState
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

MAX_EFFECTS = 50_000
_READERS = frozenset({CLERK, REVIEWER, APPROVER, "inspector", "registrar"})
_OPEN = (EventState.PLANNED, EventState.APPROVED)


@dataclass(frozen=True, slots=True)
class Planned:
    """An event with its plan and what became of each effect."""

    event: SubjectEvent
    effects: tuple[PlannedEffect, ...]

    @property
    def counts(self) -> dict[OutcomeKind, int]:
        """How many effects came out how."""
        return {kind: sum(one.outcome.kind is kind for one in self.effects) for kind in OutcomeKind}

    def to_dict(self) -> dict[str, Any]:
        """As JSON for staff."""
        return {
            **self.event.to_dict(),
            "progress": {str(kind): count for kind, count in self.counts.items()},
            "effects": [one.to_dict() for one in self.effects],
        }


class Cascade:
    """Events of subjects at one agency; `rooms` are what they reach, in the order in which it is done."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        rooms: Mapping[EffectKind, Effects],
        *,
        agency: str,
        database: Database,
        index: BlindIndex,
        proofs: Proofs,
        clock: Clock,
        randomness: Randomness | None = None,
    ) -> None:
        self._rooms, self._agency, self._database = rooms, agency, database
        self._index, self._proofs, self._clock = index, proofs, clock
        self._randomness = randomness or SystemRandomness()
        self._gate = Gate(agency, database, clock)

    def facts(self, **given: Any) -> EventFacts:
        """The facts of an event, salted; see `EventFacts` for what each kind needs."""
        return EventFacts(salt=random_text(self._randomness), **given)

    def plan(self, facts: EventFacts, *, actor: Actor) -> Planned:
        """Look at everything the event touches, and keep the plan for a second person.

        `Conflict` when such an event cannot follow what happened to the subject before.
        """
        self._gate.admit(actor, "plan an event of a subject")
        facts = self._completed(facts)
        effects = self._effects(facts)
        event_id, now = random_text(self._randomness), self._clock.now()
        event = SubjectEvent(
            id=event_id,
            agency=self._agency,
            facts=facts,
            state=EventState.PLANNED,
            planners=(actor.identifier,),
            planned_at=now,
            digest=plan_digest(event_id, self._agency, facts, effects),
        )
        with self._database.transaction() as session:
            SubjectRepository(session).add(event, self.index_of(facts.subject), effects)
            self.record(session, "plan", event, actor, effects=len(effects))
        return self._planned(event.id)

    def plan_again(self, event_id: str, *, actor: Actor) -> Planned:
        """Look again, and put the new plan in the old one's place; what was agreed to before is void."""
        self._gate.admit(actor, "plan an event of a subject")
        event = self._event(event_id)
        _require(event, *_OPEN)
        effects = self._effects(self._completed(event.facts))
        planners = tuple(dict.fromkeys((*event.planners, actor.identifier)))
        digest = plan_digest(event.id, self._agency, event.facts, effects)
        again = replace(
            event,
            state=EventState.PLANNED,
            planners=planners,
            planned_at=self._clock.now(),
            digest=digest,
            consents=(),
        )
        with self._database.transaction() as session:
            repository = SubjectRepository(session)
            again = repository.change(event, again)
            repository.replace_effects(event.id, effects)
            self.record(session, "plan_again", again, actor, effects=len(effects))
        return self._planned(event_id)

    def approve(self, event_id: str, *, proof: Mapping[str, Any], actor: Actor) -> SubjectEvent:
        """Agree to a plan as it is, with a signature over its digest; `NotPermitted` for who planned it."""
        self._gate.admit(actor, "approve an event of a subject", role=APPROVER)
        event = self._event(event_id)
        _require(event, EventState.PLANNED)
        consent = give_consent(
            self._proofs,
            proof,
            digest=bytes.fromhex(event.digest),
            role=APPROVER,
            actor=actor,
            at=self._clock.now(),
            not_by=event.planners,
        )
        approved = replace(event, state=EventState.APPROVED, consents=(consent,))
        return self._change(event, approved, "approve", actor)

    def withdraw(self, event_id: str, *, actor: Actor) -> SubjectEvent:
        """Give a plan up that was not run."""
        self._gate.admit(actor, "withdraw an event of a subject")
        event = self._event(event_id)
        _require(event, *_OPEN)
        return self._change(event, replace(event, state=EventState.WITHDRAWN), "withdraw", actor)

    def halt(self, event_id: str, *, actor: Actor) -> SubjectEvent:
        """End the work of a running event at once: what is not done yet is left, and told so.

        One person may, because it must be quick. What was done stays, and can be taken back by an event.
        """
        self._gate.admit(
            actor, "halt an event of a subject", role=APPROVER if APPROVER in actor.roles else CLERK
        )
        event = self._event(event_id)
        _require(event, EventState.RUNNING)
        now = self._clock.now()
        with self._database.transaction() as session:
            repository = SubjectRepository(session)
            left = repository.settle_rest(event.id, Outcome.failed(HALTED), at=now)
            halted = repository.change(event, replace(event, state=EventState.DONE, ended_at=now))
            self.record(session, "halt", halted, actor, left=left)
        return halted

    def begin(self, event_id: str, *, actor: Actor) -> SubjectEvent:
        """Take an approved event up, or one whose work was cut off: from here on effects are done.

        The approval is checked again before anything is done; work that was cut off goes on by the approval
        that it began with. `PlanOutdated` when something does not stand as it was seen, `Conflict` for an event
        that is not approved or that has ended.
        """
        self._gate.admit(actor, "run an event of a subject")
        event = self._event(event_id)
        if event.state is EventState.RUNNING:
            return event
        self._recheck(event)
        _require(event, EventState.APPROVED)
        self._require_current(event, self._completed(event.facts))
        begun = replace(event, state=EventState.RUNNING, begun_at=self._clock.now(), run_by=actor.identifier)
        with self._database.transaction() as session:
            repository = SubjectRepository(session)
            repository.let_others_finish()
            begun = repository.change(event, begun)
            self.record(session, "run", begun, actor)
        self._look_once_more(begun, actor)
        return begun

    def _require_current(self, event: SubjectEvent, facts: EventFacts) -> None:
        found = self._effects(facts)
        differences = compare([one.effect for one in self._planned(event.id).effects], found)
        if differences:
            raise PlanOutdated(differences)

    def _look_once_more(self, begun: SubjectEvent, actor: Actor) -> None:
        """From here on nothing new is made for the subject: what came since the last look is found now."""
        try:
            self._require_current(begun, begun.facts)
        except PlanOutdated:
            back = replace(begun, state=EventState.APPROVED, begun_at=None, run_by=None)
            self._change(begun, back, "put_off", actor)
            raise

    def show(self, event_id: str, *, actor: Actor) -> Planned:
        """An event with its plan, for the agency's staff."""
        self._require_staff(actor)
        return self._planned(event_id)

    def recent(self, *, actor: Actor, limit: int = 100) -> list[SubjectEvent]:
        """The agency's events, newest first."""
        self._require_staff(actor)
        with self._database.reading() as session:
            return SubjectRepository(session).recent(agency=self._agency, limit=limit)

    def of_subject(self, subject: Subject, *, actor: Actor) -> tuple[SubjectState, list[SubjectEvent]]:
        """What a subject is by its events here, and these, oldest first."""
        self._require_staff(actor)
        events = self._history(subject)
        return subject_state(events), events

    def link_certificate(self, subject: Subject, authority: str, serial: int, *, actor: Actor) -> None:
        """Say that a certificate belongs to a person: the certificate itself does not name their number."""
        self._gate.admit(actor, "link a certificate", role="registrar")
        number = f"{serial:x}"
        with self._database.transaction() as session:
            SubjectRepository(session).link_certificate(
                self.index_of(subject), authority=authority, serial=number
            )
            audit.record(
                session,
                action="subject.link_certificate",
                subject=f"{authority}/{number}",
                actor=actor,
                at=self._clock.now(),
            )

    def index_of(self, subject: Subject) -> bytes:
        """What a subject is found by: the index of holders."""
        return self._index.of("holder", subject.code)

    def record(self, session: Session, verb: str, event: SubjectEvent, actor: Actor, **more: Any) -> None:
        """Put what happened to an event into the log: its digest, and nothing of the subject."""
        details = {"kind": str(event.facts.kind), "digest": event.digest, "state": str(event.state), **more}
        audit.record(
            session,
            action=f"subject.{verb}",
            subject=f"subject-event:{event.id}",
            actor=actor,
            at=self._clock.now(),
            details=details,
        )

    def _completed(self, facts: EventFacts) -> EventFacts:
        """The facts, as far as they can be true now; `UsageError` for the agency itself."""
        if facts.subject.code == self._agency:
            raise UsageError("the agency is no subject of its own: its keys are renewed by `yinxin ca renew`")
        require_possible(self._history(facts.subject), facts.kind, facts.undoes)
        return facts

    def _effects(self, facts: EventFacts) -> list[Effect]:
        occasion = Occasion(facts, self.index_of(facts.subject), self._clock.now())
        if facts.kind in TAKING_BACK:
            done = self._done_by(facts.undoes or "")
            found = [one for room in self._rooms.values() for one in room.plan_back(occasion, done)]
        else:
            found = [one for room in self._rooms.values() for one in room.plan(occasion)]
        if len(found) > MAX_EFFECTS:
            raise UsageError(f"one event reaches {MAX_EFFECTS} things at most")
        return found

    def _done_by(self, event_id: str) -> list[PlannedEffect]:
        with self._database.reading() as session:
            repository = SubjectRepository(session)
            repository.find(event_id, agency=self._agency)
            return repository.effects(event_id, outcome=OutcomeKind.DONE)

    def _recheck(self, event: SubjectEvent) -> None:
        """`NotPermitted` unless somebody else agreed to this very plan, and their proof still holds."""
        consent = next((one for one in event.consents if one.role == APPROVER), None)
        if consent is None or consent.by in event.planners:
            raise NotPermitted("no second person has agreed to this plan")
        check_consent(self._proofs, consent, digest=bytes.fromhex(event.digest), agency=self._agency)
        effects = [one.effect for one in self._planned(event.id).effects]
        if plan_digest(event.id, self._agency, event.facts, effects) != event.digest:
            raise NotPermitted("the plan is not the one that was agreed to")

    def _change(self, before: SubjectEvent, after: SubjectEvent, verb: str, actor: Actor) -> SubjectEvent:
        with self._database.transaction() as session:
            changed = SubjectRepository(session).change(before, after)
            self.record(session, verb, changed, actor)
        return changed

    def _history(self, subject: Subject) -> list[SubjectEvent]:
        with self._database.reading() as session:
            return SubjectRepository(session).of_subject(self.index_of(subject), agency=self._agency)

    def _event(self, event_id: str) -> SubjectEvent:
        with self._database.reading() as session:
            return SubjectRepository(session).find(event_id, agency=self._agency)

    def _planned(self, event_id: str) -> Planned:
        with self._database.reading() as session:
            repository = SubjectRepository(session)
            event = repository.find(event_id, agency=self._agency)
            return Planned(event, tuple(repository.effects(event_id)))

    def _require_staff(self, actor: Actor) -> None:
        if actor.agency != self._agency or not actor.roles.intersection(_READERS):
            raise NotPermitted("events of subjects are for the agency's own staff")


def _require(event: SubjectEvent, *states: EventState) -> None:
    if event.state not in states:
        raise Conflict(f"the event is {STATE_NAMES[event.state].en}")

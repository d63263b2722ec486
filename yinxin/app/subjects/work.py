"""Do what was agreed to, effect by effect: each once, whatever happens meanwhile.

An effect's outcome is recorded in the transaction of the effect: a process that is killed has done both or
neither, and whoever takes the event up goes on with what is left. What cannot be done (a licence that was ended
meanwhile) is recorded as failed and does not stop the rest; a key that does not answer, or a seal that whoever
runs it may not use, stops the work by its error, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from yinxin.app.subjects.effects import Task
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.values import EffectKind, EventState, Outcome, OutcomeKind
from yinxin.base.errors import (
    Conflict,
    NotPermitted,
    SignerUnavailable,
    TooManyRequests,
    Unreachable,
    YinxinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yinxin.app.subjects.cascade import Cascade, Planned
    from yinxin.app.subjects.effects import Effects
    from yinxin.app.subjects.values import PlannedEffect, SubjectEvent
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

ATTEMPTS = 3  # at an effect that meets somebody else's change of the same rows
_ROOM = {EffectKind.COPY: EffectKind.LICENCE}  # copies are in the hands of the licences' room
# A key that does not answer, a seal that this person may not use (today): somebody goes on later.
_LATER = (SignerUnavailable, Unreachable, TooManyRequests, NotPermitted)


def _never() -> bool:
    return False


def _nobody(_done: int, _all: int) -> None:
    """Nobody listens."""


class CascadeWork:
    """Does the effects of events that were taken up."""

    def __init__(
        self, cascade: Cascade, rooms: Mapping[EffectKind, Effects], *, database: Database, clock: Clock
    ) -> None:
        self._cascade, self._rooms = cascade, rooms
        self._database, self._clock = database, clock

    def run(
        self,
        event_id: str,
        *,
        actor: Actor,
        progress: Callable[[int, int], None] = _nobody,
        stop: Callable[[], bool] = _never,
    ) -> Planned:
        """Take an event up and do what is left of it; the report, effect by effect.

        `progress` hears of the effects settled and of all; `stop` is asked before each, and what is left is
        done by whoever runs it next. Running an event that has ended changes nothing.
        """
        found = self._cascade.show(event_id, actor=actor)
        if found.event.state is EventState.DONE:
            return found
        event = self._cascade.begin(event_id, actor=actor)
        self.go_on(event, actor=actor, progress=progress, stop=stop)
        return self._cascade.show(event_id, actor=actor)

    def go_on(
        self,
        event: SubjectEvent,
        *,
        actor: Actor,
        progress: Callable[[int, int], None] = _nobody,
        stop: Callable[[], bool] = _never,
    ) -> None:
        """Do what is left of an event that was taken up."""
        with self._database.reading() as session:
            every = SubjectRepository(session).effects(event.id)
        left = [one for one in every if one.outcome.kind is OutcomeKind.PENDING]
        done = len(every) - len(left)
        progress(done, len(every))
        for one in left:
            if stop():
                return
            self._do(event, one, actor)
            done += 1
            progress(done, len(every))
        self._end(event, actor)

    def _do(self, event: SubjectEvent, one: PlannedEffect, actor: Actor) -> None:
        task = self._task(event, one, actor)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = self._rooms[_ROOM.get(one.effect.of, one.effect.of)].apply(task)
            except _LATER:
                raise
            except YinxinError as error:
                if isinstance(error, Conflict) and attempt < ATTEMPTS:
                    continue
                outcome = Outcome.failed(error.code)
            if outcome is not None:
                self._settle(task, outcome)
            return

    def _task(self, event: SubjectEvent, one: PlannedEffect, actor: Actor) -> Task:
        def settle(session: Session, outcome: Outcome) -> None:
            SubjectRepository(session).settle(event.id, one.sequence, outcome, at=self._clock.now())

        return Task(
            event_id=event.id,
            facts=event.facts,
            effect=one.effect,
            actor=actor,
            at=event.begun_at or self._clock.now(),
            approval=f"subject-event:{event.id}",
            settle=settle,
        )

    def _settle(self, task: Task, outcome: Outcome) -> None:
        """Record an outcome that no transaction of its own has recorded; another's record stands."""
        try:
            with self._database.transaction() as session:
                task.settle(session, outcome)
        except Conflict:
            return

    def _end(self, event: SubjectEvent, actor: Actor) -> None:
        """Say that every effect is settled; whoever else worked at it may have been faster."""
        try:
            self._say_done(event, actor)
        except Conflict:
            if self._state(event) is EventState.RUNNING:
                raise

    def _state(self, event: SubjectEvent) -> EventState:
        with self._database.reading() as session:
            return SubjectRepository(session).find(event.id, agency=event.agency).state

    def _say_done(self, event: SubjectEvent, actor: Actor) -> None:
        with self._database.transaction() as session:
            repository = SubjectRepository(session)
            now = repository.find(event.id, agency=event.agency)
            if now.state is not EventState.RUNNING:
                return
            counts = {str(kind): count for kind, count in repository.counts(event.id).items()}
            if counts.get(str(OutcomeKind.PENDING)):
                return
            ended = repository.change(now, replace(now, state=EventState.DONE, ended_at=self._clock.now()))
            if now.facts.undoes:
                undone = repository.find(now.facts.undoes, agency=now.agency)
                repository.change(undone, replace(undone, undone_by=now.id))
            self._cascade.record(session, "done", ended, actor, outcomes=counts)

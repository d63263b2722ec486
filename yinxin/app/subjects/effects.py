"""How a room takes part in a cascade: it says what an event would do to its things, and does it once.

class Seals:                                            # one file for each room, beside this one
def plan(self, occasion): ...                       # effects on what the subject has now
def plan_back(self, occasion, done): ...            # what takes back what an earlier event did here
def apply(self, task): ...                          # do one, and settle it in the same transaction
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from yinxin.base.database import Session

if TYPE_CHECKING:
    from datetime import datetime

    from yinxin.app.subjects.values import Effect, EventFacts, Outcome, PlannedEffect
    from yinxin.base.actor import Actor

Settle = Callable[[Session, "Outcome"], None]


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event that effects are planned for: what happened, and the subject's blind index; asked for at `now`."""

    facts: EventFacts
    index: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """One effect to do.

    `at` is when it takes effect, `approval` names the event for the log. `settle` says in the effect's own
    transaction what came of it; a `Conflict` from there means that somebody else did it: let it pass.
    """

    event_id: str
    facts: EventFacts
    effect: Effect
    actor: Actor
    at: datetime
    approval: str
    settle: Settle


class Effects(Protocol):
    """A room that events of subjects reach."""

    def plan(self, occasion: Occasion) -> list[Effect]:
        """What the event would do to each of the subject's things here, in a stable order."""
        ...

    def plan_back(self, occasion: Occasion, done: Sequence[PlannedEffect]) -> list[Effect]:
        """What would take back these effects of an earlier event, as far as it can be done."""
        ...

    def apply(self, task: Task) -> Outcome | None:
        """Do an effect; None when it was settled in the same transaction, else what came of it.

        A thing that does not stand any more as it was seen is `Outcome.failed("changed")`, and not touched.
        """
        ...

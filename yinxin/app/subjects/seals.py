"""What an event of a subject does to the seals that the register has of it.

The register's verbs are its own transactions: an effect that was cut off is found as it was left, by its decision,
and settled then. A stopped seal comes back by two people at the register (`yinxin seal …`), never by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.office.seals.values import KIND_NAMES, SealState
from yinxin.app.subjects.values import CHANGED, Action, Effect, EffectKind, Outcome
from yinxin.base.actor import system
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.office.seals.service import Seals
    from credentials.office.seals.values import Seal
    from yinxin.app.subjects.effects import Occasion, Task
    from yinxin.app.subjects.rules import Rules
    from yinxin.app.subjects.values import EventFacts, PlannedEffect

OFFICE = system("subject events")
_BEING_MADE = frozenset({SealState.APPLIED, SealState.APPROVED})
_ALREADY = Text("已停用", "stopped already")
_UNMADE = Text("尚在申请制作，由人工处理", "still being made: a person decides")
_BY_TWO = Text("恢复使用须由两人另行办理", "it comes back into use by two people, at the register")
_FINAL = Text("注销不可撤回，须重新申请制作", "a cancellation is final: a new one is applied for")
_AFTER = {Action.STOP: SealState.STOPPED, Action.CANCEL: SealState.CANCELLED}


@dataclass(frozen=True)
class SealEffects:
    """The seals in the register of one agency."""

    seals: Seals
    rules: Rules

    def plan(self, occasion: Occasion) -> list[Effect]:
        """Each seal of the subject that is not cancelled."""
        if occasion.facts.subject.is_person:
            return []
        found = self.seals.of_subject(occasion.facts.subject.code, actor=OFFICE)
        return [self._effect(occasion.facts, one) for one in sorted(found, key=lambda one: one.id)]

    def plan_back(self, occasion: Occasion, done: Sequence[PlannedEffect]) -> list[Effect]:
        """What stopped or cancelled a seal is taken back by people."""
        del occasion
        return [self._back(one.effect) for one in done if one.effect.of is EffectKind.SEAL]

    def apply(self, task: Task) -> Outcome | None:
        """Do it, unless the seal changed since it was seen by anything but this event."""
        effect, facts = task.effect, task.facts
        seal = self.seals.seal(effect.thing, actor=OFFICE)
        if _is_ours(seal, task):
            return Outcome.done()
        if _seen(seal) != effect.seen:
            return Outcome.failed(CHANGED)
        why: dict[str, Any] = {
            "ground": facts.ground,
            "document_number": facts.document_number,
            "actor": OFFICE,
        }
        if effect.action is Action.STOP:
            self.seals.stop(seal.id, **why)
        else:
            self.seals.cancel(seal.id, approval=task.approval, **why)
        return Outcome.done()

    def _effect(self, facts: EventFacts, seal: Seal) -> Effect:
        rule = self.rules.find(facts.kind, EffectKind.SEAL, str(seal.kind))
        action, why = rule.action, rule.why
        if action is Action.STOP and seal.state is SealState.STOPPED:
            action, why = Action.LEFT, _ALREADY
        elif action is Action.STOP and seal.state in _BEING_MADE:
            action, why = Action.BY_HAND, _UNMADE
        return Effect(EffectKind.SEAL, seal.id, KIND_NAMES[seal.kind], action, why, {}, _seen(seal))

    def _back(self, effect: Effect) -> Effect:
        why = _BY_TWO if effect.action is Action.STOP else _FINAL
        seal = self.seals.seal(effect.thing, actor=OFFICE)
        return Effect(EffectKind.SEAL, seal.id, effect.name, Action.BY_HAND, why, {}, _seen(seal))


def _is_ours(seal: Seal, task: Task) -> bool:
    """Whether a seal stands as this event leaves it, by its own decision: it was done, and not settled."""
    decision = (task.facts.ground.strip(), task.facts.document_number.strip())
    was_other = task.effect.seen["state"] != str(_AFTER[task.effect.action])
    return (
        was_other
        and seal.state is _AFTER[task.effect.action]
        and (seal.ground, seal.document_number) == decision
    )


def _seen(seal: Seal) -> dict[str, Any]:
    return {"state": str(seal.state), "step": seal.step}

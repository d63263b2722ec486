"""What an event of a subject does to delegations: those it gave, and those it holds from others.

Recalling one ends what stands under it too. A recall cannot be taken back: who gave it appoints again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.delegations.delegation import OPEN, State
from credentials.delegations.terms import KIND_NAMES
from yinxin.app.subjects.values import CHANGED, Action, Effect, EffectKind, Outcome
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.delegations.delegation import Delegation
    from credentials.delegations.service import Delegations
    from yinxin.app.subjects.effects import Occasion, Task
    from yinxin.app.subjects.rules import Rules
    from yinxin.app.subjects.values import PlannedEffect

_FINAL = Text("收回不可撤回，须由委托人重新授予", "a recall is final: whoever gave it gives it again")
_BY = "staff"


@dataclass(frozen=True)
class DelegationEffects:
    """The delegations of one issuer."""

    delegations: Delegations
    rules: Rules

    def plan(self, occasion: Occasion) -> list[Effect]:
        """Each open delegation for the subject or to it, and what stands under those."""
        found = self.delegations.of_holder(occasion.facts.subject.code)
        effects = []
        for one in sorted(found, key=lambda one: (len(one.ancestors), one.id)):
            if one.state_at(occasion.now) in OPEN:
                rule = self.rules.find(occasion.facts.kind, EffectKind.DELEGATION, str(one.terms.kind))
                name = KIND_NAMES[one.terms.kind]
                effects.append(
                    Effect(EffectKind.DELEGATION, one.id, name, rule.action, rule.why, {}, _seen(one))
                )
        return effects

    def plan_back(self, occasion: Occasion, done: Sequence[PlannedEffect]) -> list[Effect]:
        """A recall is final."""
        del occasion
        mine = [one.effect for one in done if one.effect.of is EffectKind.DELEGATION]
        return [Effect(one.of, one.thing, one.name, Action.BY_HAND, _FINAL) for one in mine]

    def apply(self, task: Task) -> Outcome | None:
        """Recall one, unless it changed since it was seen; what ended with one above it is done."""
        delegations, ground = self.delegations, f"{task.facts.ground}（{task.facts.document_number}）"
        with delegations.database.transaction() as session:
            repository = delegations.repository(session)
            repository.lock(repository.find(task.effect.thing).principal.code)
            one = repository.find(task.effect.thing)
            if one.state is State.RECALLED and one.ground == ground:
                task.settle(session, Outcome.done(ended="with the one above it"))
            elif _seen(one) != task.effect.seen:
                task.settle(session, Outcome.failed(CHANGED))
            else:
                delegations.end(session, [one], by=_BY, ground=ground, actor=task.actor)
                task.settle(session, Outcome.done())
        return None


def _seen(one: Delegation) -> dict[str, Any]:
    return {"state": str(one.state)}

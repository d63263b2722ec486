"""What differs between a plan and how things stand now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.app.subjects.values import ACTION_NAMES, EFFECT_NAMES, Effect, EffectKind
from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHANGES = {
    "new": Text("方案之外的新事项", "not in the plan"),
    "gone": Text("已不涉及", "not touched any more"),
    "changed": Text("状态已变化", "does not stand as it was seen"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a plan has otherwise than it is: `new`, `gone` or `changed`."""

    how: str
    effect: Effect

    @property
    def text(self) -> Text:
        """In words for people."""
        one, how = self.effect, _CHANGES[self.how]
        kind, does = EFFECT_NAMES[one.of], ACTION_NAMES[one.action]
        return Text(
            f"{kind.zh} {one.thing}：{how.zh}（{does.zh}）", f"{kind.en} {one.thing}: {how.en} ({does.en})"
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"how": self.how, "says": self.text.to_dict(), "effect": self.effect.to_dict()}


class PlanOutdated(Conflict):
    """Something changed since the plan was made; `.differences` say what. Plan again."""

    code = "plan_outdated"
    title = Text("方案拟定后情况已变化", "Things changed since the plan was made")

    def __init__(self, differences: Sequence[Difference]) -> None:
        super().__init__("; ".join(one.text.en for one in differences[:5]))
        self.differences = tuple(differences)


def compare(planned: Sequence[Effect], found: Sequence[Effect]) -> list[Difference]:
    """What differs. Wallet copies come and go while a plan waits, and follow their licence anyway."""
    before, now = _by_key(planned), _by_key(found)
    changed = [key for key in now if key in before and now[key].to_dict() != before[key].to_dict()]
    return [
        *(Difference("new", now[key]) for key in now if key not in before),
        *(Difference("gone", before[key]) for key in before if key not in now),
        *(Difference("changed", now[key]) for key in changed),
    ]


def _by_key(effects: Sequence[Effect]) -> dict[tuple[str, str], Effect]:
    return {one.key: one for one in effects if one.of is not EffectKind.COPY}

"""Asked before anything new is made for a holder: whether they are recorded as dead or dissolved.

Who keeps that record (`yinxin.app.subjects`) answers; production, copies and registers know this verb only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from yinxin.base.errors import IssuanceRefused
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from yinxin.base.database import Session


class HolderNotActive(IssuanceRefused):
    """Nothing new is made for this holder: a death, a dissolution or a merger into another is recorded."""

    code = "holder_not_active"
    title = Text(
        "登记显示持有人已死亡、终止或者死亡信息待核实，不予制发",
        "The holder is recorded as dead, dissolved or reported dead: nothing new is issued",
    )


class HolderStates(Protocol):
    """The record of what happened to holders. May be used from several threads."""

    def refusals(self, session: Session, codes: Collection[str]) -> Mapping[str, Text]:
        """Those of these holders (credit codes, citizens' numbers) for whom nothing new is made, and why.

        Asked in the transaction that records what is made: an ending of a holder that is being recorded at
        the same time waits for it, and finds it.
        """
        ...


def require_active(states: HolderStates | None, session: Session, codes: Collection[str]) -> None:
    """`HolderNotActive` when nothing new is made for one of these holders; without a record all are fine."""
    if states is None or not codes:
        return
    refused = states.refusals(session, sorted(set(codes)))
    if refused:
        raise HolderNotActive(reasons=sorted({why.en for why in refused.values()}))

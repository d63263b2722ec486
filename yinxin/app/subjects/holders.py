"""Of whom a death, a dissolution or a merger is recorded: nothing new is made for them.

The answer that production, copies and older registers ask for (`credentials.holders`). An event counts from the
moment in which it is begun, so that nothing new slips in while its effects are done one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.app.subjects.history import SubjectState, state_on_record
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.blind_index import BlindIndex
    from yinxin.base.database import Session

_WHY: Mapping[SubjectState, Text] = {
    SubjectState.REPORTED_DEAD: Text(
        "持有人死亡信息待核实：核实或者纠正前不予制发",
        "the holder is reported dead: nothing new until that is confirmed or contested",
    ),
    SubjectState.DEAD: Text("登记显示持有人已死亡，不予制发", "the holder is recorded as dead"),
    SubjectState.DISSOLVED: Text("登记显示持有人已终止，不予制发", "the holder is recorded as dissolved"),
    SubjectState.MERGED: Text(
        "登记显示持有人已被合并，不予制发", "the holder is recorded as merged into another"
    ),
}


@dataclass(frozen=True)
class RecordedHolders:
    """The events of one agency's subjects, asked about holders; satisfies `HolderStates`."""

    index: BlindIndex
    agency: str

    def refusals(self, session: Session, codes: Collection[str]) -> Mapping[str, Text]:
        """Those for whom nothing new is made, and why; see `credentials.holders`."""
        named = {self.index.of("holder", code): code for code in codes}
        repository = SubjectRepository(session)
        repository.hold_beginnings()
        begun = repository.begun_of(named, agency=self.agency)
        states = {named[index]: state_on_record(events) for index, events in begun.items()}
        return {code: _WHY[state] for code, state in states.items() if state in _WHY}

"""Which event may follow which: a subject's own state, from its events that were done and not taken back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from yinxin.app.subjects.values import KIND_NAMES, TAKING_BACK, EventKind, EventState, SubjectEvent
from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SubjectState(StrEnum):
    """What a subject is, as far as its events say."""

    ACTIVE = "active"
    REPORTED_DEAD = "reported_dead"
    DEAD = "dead"
    DISSOLVED = "dissolved"
    MERGED = "merged"


STATE_TEXTS: Mapping[SubjectState, Text] = {
    SubjectState.ACTIVE: Text("正常", "active"),
    SubjectState.REPORTED_DEAD: Text("死亡信息待核实", "reported dead, not confirmed"),
    SubjectState.DEAD: Text("已死亡", "dead"),
    SubjectState.DISSOLVED: Text("已终止", "dissolved"),
    SubjectState.MERGED: Text("已被合并", "merged into another"),
}
_LEADS_TO: Mapping[EventKind, SubjectState] = {
    EventKind.MERGED: SubjectState.MERGED,
    EventKind.DISSOLVED: SubjectState.DISSOLVED,
    EventKind.DEATH_REPORTED: SubjectState.REPORTED_DEAD,
    EventKind.DEATH_CONFIRMED: SubjectState.DEAD,
}
_BEGUN = (EventState.RUNNING, EventState.DONE)
_FROM: Mapping[EventKind, tuple[SubjectState, ...]] = {
    EventKind.RENAMED: (SubjectState.ACTIVE,),
    EventKind.REPRESENTATIVE_CHANGED: (SubjectState.ACTIVE,),
    EventKind.MERGED: (SubjectState.ACTIVE,),
    EventKind.DISSOLVED: (SubjectState.ACTIVE,),
    EventKind.DEATH_REPORTED: (SubjectState.ACTIVE,),
    EventKind.DEATH_CONTESTED: (SubjectState.REPORTED_DEAD,),
    EventKind.DEATH_CONFIRMED: (SubjectState.ACTIVE, SubjectState.REPORTED_DEAD),
    EventKind.RESTORED: tuple(SubjectState),
}


def standing_events(events: Sequence[SubjectEvent]) -> list[SubjectEvent]:
    """Those that were run and not taken back, in the order in which they were."""
    found = [
        one
        for one in events
        if one.state is EventState.DONE and one.undone_by is None and one.facts.kind not in TAKING_BACK
    ]
    return sorted(found, key=lambda one: (one.begun_at or one.planned_at, one.id))


def subject_state(events: Sequence[SubjectEvent]) -> SubjectState:
    """What a subject is after these events of it."""
    state = SubjectState.ACTIVE
    for one in standing_events(events):
        state = _LEADS_TO.get(one.facts.kind, state)
    return state


def state_on_record(events: Sequence[SubjectEvent]) -> SubjectState:
    """What a subject is for whoever would make something new for it.

    An event counts as soon as a second person agreed to it and it was begun, and no more as soon as it is
    being taken back.
    """
    taken_back = {one.facts.undoes for one in events if one.state is EventState.RUNNING}
    found = [
        one
        for one in events
        if one.state in _BEGUN
        and one.undone_by is None
        and one.id not in taken_back
        and one.facts.kind in _LEADS_TO
    ]
    last = max(found, key=lambda one: (one.begun_at or one.planned_at, one.id), default=None)
    return _LEADS_TO[last.facts.kind] if last else SubjectState.ACTIVE


def to_take_back(events: Sequence[SubjectEvent], kind: EventKind) -> SubjectEvent:
    """The event that a contest or a restoration takes back: the last that stands; `Conflict` for none."""
    found = standing_events(events)
    if kind is EventKind.DEATH_CONTESTED:
        found = [one for one in found if one.facts.kind is EventKind.DEATH_REPORTED]
    if not found:
        raise Conflict("there is no event of this subject to take back")
    return found[-1]


def require_possible(events: Sequence[SubjectEvent], kind: EventKind, undoes: str | None) -> None:
    """`Conflict` unless an event of this kind can happen now; only the last one is taken back."""
    state = subject_state(events)
    if state not in _FROM[kind]:
        raise Conflict(f"{KIND_NAMES[kind].en}: the subject is {STATE_TEXTS[state].en}")
    if undoes is not None and to_take_back(events, kind).id != undoes:
        raise Conflict("only the subject's last event can be taken back")

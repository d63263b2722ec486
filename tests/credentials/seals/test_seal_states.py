"""Whatever is tried in whatever order: a seal's states never skip, and two decide what takes two."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.sealing import FACTS, SealOffice

from credentials.office.seals import SealState
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from credentials.office.seals import Seal

NEXT: dict[str, set[str]] = {
    "applied": {"approved", "cancelled"},
    "approved": {"made", "cancelled"},
    "made": {"filed", "stopped", "cancelled"},
    "filed": {"in_use", "stopped", "cancelled"},
    "in_use": {"stopped", "cancelled"},
    "stopped": {"made", "filed", "in_use", "cancelled"},
    "cancelled": set(),
}
BY_TWO = {("applied", "approved"), ("stopped", "made"), ("stopped", "filed"), ("stopped", "in_use")}
STEPS = ("approve", "refuse", "make", "file", "begin", "stop", "resume", "cancel", "compromise")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=14))
def test_states_never_skip(office: SealOffice, steps: list[str]) -> None:
    seal, before = office.applied(f"第{id(steps)}号章"), "applied"
    stopped_from = ""
    for step in steps:
        agreed = False
        with suppress(YinxinError):
            agreed = take(office, seal, step)
        now = str(office.state(seal))
        if now != before:
            assert now in NEXT[before]
            assert agreed or (before, now) not in BY_TWO
            if before == SealState.STOPPED and now != SealState.CANCELLED:
                assert now == stopped_from
            stopped_from = before if now == SealState.STOPPED else stopped_from
        before = now


def take(office: SealOffice, seal: Seal, step: str) -> bool:
    """Whether a second person agreed in it."""
    ask: dict[str, Any] = {"resume": office.seals.ask_to_resume, "cancel": office.seals.ask_to_cancel}
    if step in ask:
        office.agreed(ask[step](seal.id, **FACTS, actor=office.keeper))
        return True
    if step == "approve":
        office.agreed(office.asked(seal))
        return True
    if step == "refuse":
        office.seals.refuse(office.asked(seal).id, actor=office.zhao)
    elif step == "make":
        key = office.pki.signer("seal")
        office.seals.make(seal.id, certificate=key.certificate, actor=office.keeper)
    elif step == "file":
        office.seals.file(seal.id, number="津印备〔2026〕9号", actor=office.keeper)
    elif step == "begin":
        office.seals.begin(seal.id, actor=office.keeper)
    elif step == "stop":
        office.seals.stop(seal.id, **FACTS, actor=office.keeper)
    else:
        office.compromise.begin(seal.id, since=office.now, **FACTS, actor=office.keeper)
    return False

"""Small things that staff read at the command line: times of their own clocks, and what was mistyped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from credentials.licence import agency_day, agency_time, start_of_day
from yinxin.app.commands.person import _require_well_typed
from yinxin.base.errors import MalformedInput

EVENING = datetime(2026, 11, 22, 16, 30, 5, tzinfo=UTC)


def test_a_moment_is_told_by_the_agencys_clocks() -> None:
    assert agency_time(EVENING) == "2026-11-23 00:30:05 UTC+8"
    assert agency_day(start_of_day(agency_day(EVENING))) == agency_day(EVENING)


@pytest.mark.parametrize("code", ["11010519491231002X", "91350100M000100Y43"])
def test_a_code_that_can_be_somebodys_is_no_slip(code: str) -> None:
    _require_well_typed(code)


@pytest.mark.parametrize(
    "code", ["110105194912310021", "91350100M000100Y44", "1101051949123100", "李明", "", "11010519491331002X"]
)
def test_a_code_that_can_be_nobodys_is_called_mistyped(code: str) -> None:
    with pytest.raises(MalformedInput, match="mistyped") as refused:
        _require_well_typed(code)
    assert not code or code not in str(refused.value.detail)

"""How reading a printed code declines when the counter's camera gets worse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world.sheets import COUNTER, printed_sheets, read_in

if TYPE_CHECKING:
    from collections.abc import Callable

# What a counter may get wrong, one thing at a time, and how many pictures in a hundred are read all the same:
# floors below what was counted, so that the shape of the decline is held and not its last picture.
DECLINE = (
    ("quality", COUNTER.quality, 96), ("quality", 40, 92), ("pixels_per_mm", 8.0, 88),
    ("pixels_per_mm", 7.0, 55),
    ("blur", 1.5, 90), ("blur", 1.8, 70), ("shake", 4, 70), ("tilt", 0.3, 70), ("turn", 45.0, 80),
    ("shade", 0.85, 92), ("noise", 15.0, 82), ("noise", 20.0, 50),
)  # fmt: skip
GLANCE, FULL = 1, 60


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_how_it_declines(rounds: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]) -> None:
    """The full round prints a table; the short one is a glance at each condition."""
    sheets, said, wrong = printed_sheets(), [], []
    tries = rounds(GLANCE, FULL)
    for name, value, floor in DECLINE:
        count = read_in(sheets, replace(COUNTER, **{name: value}), tries)
        said.append(f"{name} {value}: {count} of {tries}")
        if tries == FULL and count * 100 < floor * tries:
            wrong.append(said[-1])
    if tries == FULL:
        with capsys.disabled():
            print("\n".join(["", *said]))  # noqa: T201 - what a long round is for
    assert wrong == []

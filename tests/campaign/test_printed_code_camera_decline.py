"""How reading a printed code declines when the counter's camera gets worse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world.sheets import COUNTER, printed_sheets, read_in

if TYPE_CHECKING:
    from collections.abc import Callable

# What a counter may get wrong, one thing at a time, and how many of a hundred pictures are read all the same:
# floors a few below what was counted, so that the shape of the decline is held and not its last picture.
DECLINE = (
    ("pixels_per_mm", 8.0, 92), ("pixels_per_mm", 7.0, 65), ("blur", 1.5, 92), ("blur", 1.8, 75),
    ("shake", 4, 75), ("tilt", 0.3, 92), ("turn", 45.0, 85), ("shade", 0.85, 95), ("noise", 15.0, 92),
    ("noise", 20.0, 65), ("quality", 40, 92),
)  # fmt: skip


@pytest.mark.campaign
def test_how_it_declines(rounds: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]) -> None:
    """The full round prints a table; the short one is a glance at each condition."""
    sheets, said, wrong = printed_sheets(), [], []
    tries = rounds(2, 100)
    for name, value, floor in (("quality", COUNTER.quality, 96), *DECLINE):
        count = read_in(sheets, replace(COUNTER, **{name: value}), tries)
        said.append(f"{name} {value}: {count} of {tries}")
        if tries >= 100 and count < floor:
            wrong.append(said[-1])
    if tries >= 100:
        with capsys.disabled():
            print("\n".join(["", *said]))  # noqa: T201 - what a long round is for
    assert wrong == []

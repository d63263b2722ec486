"""Every bit of an mdoc response flipped, one after the other: none passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.mdocs import ELEMENTS, TRANSCRIPT, MdocWorld

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.campaign
def test_no_bit_can_be_flipped(rounds: Callable[[int, int], int]) -> None:
    world = MdocWorld()
    good, counter = world.show(None, *ELEMENTS), world.mdoc_counter()
    assert counter.verify(good, transcript=TRANSCRIPT).passed
    for place in range(0, len(good) * 8, rounds(101, 1)):
        changed = bytearray(good)
        changed[place // 8] ^= 1 << place % 8
        assert not counter.verify(bytes(changed), transcript=TRANSCRIPT).passed, place

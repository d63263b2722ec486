"""Long rounds: a short form runs with every test, the full one by `python3 run.py campaign`."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Rounds = Callable[[int, int], int]


@pytest.fixture(scope="session")
def rounds() -> Rounds:
    """How many rounds to go: `rounds(short, full)`."""
    full = os.environ.get("YINXIN_CAMPAIGN") == "full"
    return lambda short, long: long if full else short

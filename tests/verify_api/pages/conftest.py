"""One city with pages for all stories; each uses licences and clerks of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.counters import CounterCity

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def pages() -> Iterator[CounterCity]:
    made = CounterCity()
    yield made
    made.close()

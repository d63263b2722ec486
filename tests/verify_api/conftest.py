"""One city for all stories of the verification service; each story uses its own licences."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from world.departments import City

if TYPE_CHECKING:
    from collections.abc import Iterator

_serials = itertools.count(100)


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    made = City()
    yield made
    made.close()


@pytest.fixture
def serial() -> str:
    """A serial that no other test uses."""
    return f"{next(_serials):09d}"

"""A served city with an identity platform, and a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.browser import browser, find_program, visit
from world.platform import ServedPlatform
from world.served import ServedCity

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["browser", "visit"]


@pytest.fixture(scope="session")
def platform() -> Iterator[ServedPlatform]:
    with ServedPlatform() as made:
        yield made


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, platform: ServedPlatform) -> Iterator[ServedCity]:
    find_program()
    place = tmp_path_factory.mktemp("city")
    with ServedCity(place, platform.settings(place)) as made:
        yield made

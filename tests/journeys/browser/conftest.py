"""A served city, a browser, and the words that people look for on the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.browser import browser, visit
from world.served import ServedCity

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["browser", "visit"]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    with ServedCity(tmp_path_factory.mktemp("city")) as made:
        yield made

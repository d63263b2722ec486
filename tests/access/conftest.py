"""Access is tested on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.access import AccessWorld
from world.databases import database, database_url, postgresql, with_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def counter(database: Database) -> AccessWorld:
    return AccessWorld(database)


@pytest.fixture
def light() -> Iterator[Database]:
    """An empty database in memory, for what no database judges."""
    made = with_tables()
    yield made
    made.close()


@pytest.fixture
def light_counter(light: Database) -> AccessWorld:
    return AccessWorld(light)

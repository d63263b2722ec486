"""Access is tested on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.access import AccessWorld
from world.databases import database, database_url, postgresql

if TYPE_CHECKING:
    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def counter(database: Database) -> AccessWorld:
    return AccessWorld(database)

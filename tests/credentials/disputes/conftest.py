"""An office with disputes; what runs beside something else runs on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.disputes import DisputeWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki) -> Iterator[DisputeWorld]:
    memory = with_tables()
    yield DisputeWorld(pki, memory)
    memory.close()


@pytest.fixture
def both(pki: Pki, database: Database) -> DisputeWorld:
    return DisputeWorld(pki, database)

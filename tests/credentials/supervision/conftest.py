"""An office under supervision; what runs beside something else runs on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.supervision import SupervisionWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def memory() -> Iterator[Database]:
    found = with_tables()
    yield found
    found.close()


@pytest.fixture
def office(pki: Pki, memory: Database) -> SupervisionWorld:
    return SupervisionWorld(pki, memory)

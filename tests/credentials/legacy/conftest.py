"""An office with older registers, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.legacy import LegacyWorld

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, database: Database) -> LegacyWorld:
    return LegacyWorld(pki, database)

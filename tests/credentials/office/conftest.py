"""A desk with its people, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.desks import DeskWorld

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def desk(pki: Pki, database: Database) -> DeskWorld:
    return DeskWorld(pki, database)

"""An agency, its authority, and subjects that things happen to; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.subjects import SubjectWorld

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def city(pki: Pki, database: Database) -> SubjectWorld:
    return SubjectWorld(pki, database)

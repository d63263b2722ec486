"""An office whose catalogue changes, on both databases; and one for what leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.types import TypesWorld

from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, database: Database) -> TypesWorld:
    return TypesWorld(pki, database)


@pytest.fixture(scope="module")
def drafting(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypesWorld]:
    """One office for many proposals that nobody approves."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('drafts') / 'types.db'}")
    database.create_schema()
    yield TypesWorld(pki, database)
    database.close()

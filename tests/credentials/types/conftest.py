"""An office whose catalogue changes, on both databases; and one for what leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.types import TypesWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, database: Database) -> TypesWorld:
    return TypesWorld(pki, database)


@pytest.fixture(scope="module")
def drafting(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypesWorld]:
    """One office for many proposals that nobody approves."""
    database = with_tables(f"sqlite:///{tmp_path_factory.mktemp('drafts') / 'types.db'}")
    yield TypesWorld(pki, database)
    database.close()

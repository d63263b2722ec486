"""The office, in memory and on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.authority import Office
from world.databases import database, database_url, postgresql, with_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def memory() -> Iterator[Database]:
    """A database in memory, for stories that are not about storage."""
    found = with_tables()
    yield found
    found.close()


@pytest.fixture
def office(memory: Database) -> Office:
    return Office(memory)


@pytest.fixture
def stored_office(database: Database) -> Office:
    """The same on a file of SQLite and on PostgreSQL."""
    return Office(database)

"""An office with a register of seals; on both databases where it matters that there are two."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from world.databases import database_url, postgresql
from world.sealing import SealOffice

from credentials.documents import DocumentStore
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

__all__ = ["database_url", "postgresql"]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, which take longer to make than most of these tests."""
    file = tmp_path_factory.mktemp("empty") / "empty.db"
    made = Database(f"sqlite:///{file}")
    made.create_schema()
    with made.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.close()
    return file


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database of one's own."""
    file = tmp_path / "office.db"
    shutil.copy(empty, file)
    found = Database(f"sqlite:///{file}")
    yield found
    found.close()


@pytest.fixture
def office(pki: Pki, database: Database, tmp_path: Path) -> SealOffice:
    return SealOffice(pki, database, documents=DocumentStore(tmp_path / "documents", b"d" * 32))


@pytest.fixture
def stored_office(pki: Pki, database_url: str) -> Iterator[SealOffice]:
    """On SQLite in a file, and on PostgreSQL."""
    found = Database(database_url)
    found.create_schema()
    yield SealOffice(pki, found)
    found.close()

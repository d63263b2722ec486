"""An office with a register of seals; on both databases where it matters that there are two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database_url, postgresql, with_tables
from world.sealing import SealOffice

from credentials.documents import DocumentStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database_url", "postgresql"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database of one's own, in a file."""
    found = with_tables(f"sqlite:///{tmp_path / 'office.db'}")
    yield found
    found.close()


@pytest.fixture
def office(pki: Pki, database: Database, tmp_path: Path) -> SealOffice:
    return SealOffice(pki, database, documents=DocumentStore(tmp_path / "documents", b"d" * 32))


@pytest.fixture
def stored_office(pki: Pki, database_url: str) -> Iterator[SealOffice]:
    """On SQLite in a file, and on PostgreSQL."""
    found = with_tables(database_url)
    yield SealOffice(pki, found)
    found.close()

"""A desk whose personal data somebody looks after, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.persons import PersonWorld

from credentials.documents import DocumentStore
from yinxin.base.database import Database
from yinxin.base.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def register(database_url: str, database: Database) -> Iterator[Database]:
    """The database of the fixture, through a vault."""
    found = Database(database_url, vault=Vault.of(b"\x07" * 32))
    yield found
    found.close()


@pytest.fixture
def world(pki: Pki, register: Database, tmp_path: Path) -> PersonWorld:
    return PersonWorld(pki, register, DocumentStore(tmp_path / "documents", b"d" * 32))

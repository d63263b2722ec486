"""An office with older registers, in memory; `everywhere` is one on each of both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.legacy import LegacyWorld

from credentials.documents import DocumentStore
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, tmp_path: Path) -> Iterator[LegacyWorld]:
    kept = Database("sqlite://")
    kept.create_schema()
    yield LegacyWorld(pki, kept, documents=DocumentStore(tmp_path / "documents", b"k" * 32))
    kept.close()


@pytest.fixture
def everywhere(pki: Pki, database: Database, tmp_path: Path) -> LegacyWorld:
    return LegacyWorld(pki, database, documents=DocumentStore(tmp_path / "documents", b"k" * 32))

"""An office with older registers, in memory; `everywhere` is one on each of both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.legacy import LegacyWorld

from credentials.documents import DocumentStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, tmp_path: Path) -> Iterator[LegacyWorld]:
    kept = with_tables()
    yield LegacyWorld(pki, kept, documents=DocumentStore(tmp_path / "documents", b"k" * 32))
    kept.close()


@pytest.fixture
def everywhere(pki: Pki, database: Database, tmp_path: Path) -> LegacyWorld:
    return LegacyWorld(pki, database, documents=DocumentStore(tmp_path / "documents", b"k" * 32))

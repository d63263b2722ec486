"""An office with a register of seals, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.sealing import SealOffice

from credentials.documents import DocumentStore

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, database: Database, tmp_path: Path) -> SealOffice:
    return SealOffice(pki, database, documents=DocumentStore(tmp_path / "documents", b"d" * 32))

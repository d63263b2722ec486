"""An agency, its authority, and subjects that things happen to; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.subjects import SubjectWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def city(pki: Pki, tmp_path: Path) -> Iterator[SubjectWorld]:
    """On a file; what two databases could do differently is asked of `city_on_both`."""
    found = with_tables(f"sqlite:///{tmp_path / 'city.db'}")
    yield SubjectWorld(pki, found).without_pages()
    found.close()


@pytest.fixture
def city_on_both(pki: Pki, database: Database) -> SubjectWorld:
    return SubjectWorld(pki, database).without_pages()

"""Delegations on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql
from world.delegating import DelegatingOffice
from world.pki import Pki

if TYPE_CHECKING:
    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki()


@pytest.fixture
def office(pki: Pki, database: Database) -> DelegatingOffice:
    return DelegatingOffice(pki, database)

"""An office that keeps delegations: one for a whole file, or a fresh one on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.delegating import DelegatingOffice
from world.pki import Pki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="module")
def shared(pki: Pki) -> DelegatingOffice:
    database = with_tables()
    return DelegatingOffice(pki, database)


@pytest.fixture
def office(shared: DelegatingOffice) -> Iterator[DelegatingOffice]:
    """The file's office, with no open delegation and the time that it began with."""
    began = shared.now
    yield shared
    shared.clock.advance(began - shared.now)
    facts = {"ground": "测试结束", "document_number": "1"}
    shared.delegations.recall_of(shared.business.holder_code, actor=shared.clerk, **facts)


@pytest.fixture
def lone(pki: Pki) -> DelegatingOffice:
    """An office whose company may change for good."""
    database = with_tables()
    return DelegatingOffice(pki, database)


@pytest.fixture
def fresh(pki: Pki, database: Database) -> DelegatingOffice:
    return DelegatingOffice(pki, database)

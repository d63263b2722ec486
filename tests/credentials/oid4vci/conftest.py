"""An office that issues to wallets, on both databases or on one in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql, with_tables
from world.vci import IssuingOffice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki
    from world.vci import Wallet

    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]


@pytest.fixture
def office(pki: Pki, database: Database) -> IssuingOffice:
    return IssuingOffice(pki, database)


@pytest.fixture
def light_office(pki: Pki) -> Iterator[IssuingOffice]:
    """The same in memory: for what does not hang on the database."""
    memory = with_tables()
    yield IssuingOffice(pki, memory)
    memory.close()


@pytest.fixture
def wallet(light_office: IssuingOffice) -> Wallet:
    """A wallet that has its token and may fetch."""
    found = light_office.wallet()
    found.redeem(light_office.offer())
    return found

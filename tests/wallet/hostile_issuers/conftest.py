"""One office for all: every story here ends where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import with_tables
from world.vci import IssuingOffice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki


@pytest.fixture(scope="session")
def office(pki: Pki) -> Iterator[IssuingOffice]:
    database = with_tables()
    yield IssuingOffice(pki, database, metadata_signer=pki.signer("metadata"))
    database.close()

"""An office that issues, and a citizen's wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import with_tables
from world.receiving import Citizen
from world.vci import CLIENT, IssuingOffice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki


@pytest.fixture
def office(pki: Pki) -> Iterator[IssuingOffice]:
    database = with_tables()
    yield IssuingOffice(pki, database, metadata_signer=pki.signer("metadata", "津城市市场监督管理局"))
    database.close()


@pytest.fixture
def citizen(office: IssuingOffice, tmp_path: Path) -> Citizen:
    return Citizen(office, tmp_path, client_id=CLIENT)


@pytest.fixture
def stranger(office: IssuingOffice, tmp_path: Path) -> Citizen:
    """The same without a client_id, as a wallet at the counter is."""
    return Citizen(office, tmp_path / "stranger")

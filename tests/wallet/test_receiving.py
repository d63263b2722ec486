"""A baker's wallet receives licences from the office: every way that an offer can go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.office import URL
from world.receiving import Citizen
from world.vci import CLIENT, REDIRECT, IssuingOffice, query_of

from credentials.oid4vci.offers import Flow
from credentials.sd_jwt import SdJwt
from wallet.activity import ActivityKind
from yinxin.base.database import Database
from yinxin.base.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki


@pytest.fixture
def office(pki: Pki) -> Iterator[IssuingOffice]:
    database = Database("sqlite://")
    database.create_schema()
    yield IssuingOffice(pki, database, metadata_signer=pki.signer("metadata", "津城市市场监督管理局"))
    database.close()


@pytest.fixture
def citizen(office: IssuingOffice, tmp_path: Path) -> Citizen:
    return Citizen(office, tmp_path)


@pytest.mark.parametrize("by_value", [False, True], ids=["by reference", "by value"])
def test_a_pre_authorized_offer(office: IssuingOffice, citizen: Citizen, by_value: bool) -> None:  # noqa: FBT001 - a case
    offer = office.offer()
    considered = citizen.receiving.consider(offer.by_value if by_value else offer.by_reference)
    assert considered.issuer == URL
    assert considered.is_verified
    assert considered.needs_tx_code
    assert not citizen.internet.to("/oid4vci/token"), "nothing is spent before the yes"
    assert "将领取：食品经营许可证" in considered.consent.zh
    assert "身份已核验" in considered.consent.zh
    assert "You receive: Food" in considered.consent.en
    (held,) = citizen.receiving.accept(considered, tx_code=offer.tx_code)
    assert held.id == office.licence.identifier
    assert (held.copies, held.unused, held.uses) == (5, 5, 0)
    assert held.can_refresh
    assert held.name.zh == "食品经营许可证"
    (entry,) = citizen.holder.activity()
    assert (entry.kind, entry.licence, entry.verified) == (ActivityKind.RECEIVED, held.id, True)

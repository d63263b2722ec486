"""All copies of a licence say the same: an issuer that gives out others, and one that changed its mind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.receiving import Citizen
from world.vci import IssuingOffice

from credentials.copies import CopyMaker
from wallet import contents as kept
from wallet.receiving import DeliveryRefused
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

    from wallet.holder import HeldLicence

NAME, OTHER = "operator_name", "津城大麦面包坊"
BOTH = ("dc+sd-jwt", "mso_mdoc")


@pytest.fixture
def baker(pki: Pki, tmp_path: Path) -> Iterator[Citizen]:
    database = with_tables()
    office = IssuingOffice(pki, database, mdoc=True, metadata_signer=pki.signer("metadata", "签发服务"))
    yield Citizen(office, tmp_path / "baker")
    database.close()


def receive(baker: Citizen, *, copies: int = 2) -> HeldLicence:
    offer = baker.office.offer()
    found = baker.receiving.consider(offer.by_reference)
    (held,) = baker.receiving.accept(found, tx_code=offer.tx_code, copies=copies)
    return held


def change(monkeypatch: pytest.MonkeyPatch, *methods: str, after: int = 0) -> None:
    """The office says another name in copies of these kinds, beginning with the one after so many."""
    made: list[None] = []
    for method in methods:
        original = getattr(CopyMaker, method)

        def sign(maker: CopyMaker, licence: Any, *rest: Any, _as: Any = original) -> str:
            made.append(None)
            if len(made) > after:
                licence = replace(licence, claims={**licence.claims, NAME: OTHER})
            return str(_as(maker, licence, *rest))

        monkeypatch.setattr(CopyMaker, method, sign)


@pytest.mark.parametrize(
    ("methods", "after"),
    [(("_sign_mdoc",), 0), (("_sign",), 0), (("_sign",), 1), (("_sign_mdoc",), 1)],
    ids=["the forms differ", "the other form", "one of a batch", "one mdoc of a batch"],
)
def test_copies_that_differ_are_not_taken_in(
    baker: Citizen, monkeypatch: pytest.MonkeyPatch, methods: tuple[str, ...], after: int
) -> None:
    """The holder reads one and would show another; nothing of such a delivery is kept."""
    change(monkeypatch, *methods, after=after)
    with pytest.raises(DeliveryRefused, match="do not say the same"):
        receive(baker)
    assert baker.holder.licences() == []
    assert not baker.contents().get("copies")


def test_what_an_issuer_says_no_more_is_not_shown_any_more(
    baker: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = receive(baker, copies=3)
    change(monkeypatch, "_sign", "_sign_mdoc")
    fresh = baker.receiving.refresh(held.id, copies=1)
    assert (fresh.forms, fresh.copies, fresh.claims[NAME]) == (BOTH, 1, OTHER)
    rows = list(baker.contents()["copies"].values())
    assert {kept.read_row(row).claims[NAME] for row in rows} == {OTHER}
    assert len(baker.contents()["keys"]) == len(rows), "keys of copies that went are gone"


def test_more_of_the_same_stays_beside_what_was_there(baker: Citizen) -> None:
    held = receive(baker, copies=3)
    assert baker.receiving.refresh(held.id, copies=1).copies == 4


def test_a_copy_by_hand_says_what_the_others_say(baker: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    held = receive(baker, copies=1)
    office = baker.office

    def one_more() -> str:
        (made,) = office.copies.make(held.id, [baker.holder.new_key()], actor=office.clerk)[1]
        return made

    assert baker.holder.receive(one_more()).copies == 1, "of the form that is used up first"
    change(monkeypatch, "_sign")
    with pytest.raises(Conflict, match="otherwise"):
        baker.holder.receive(one_more())

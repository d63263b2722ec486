"""Deliveries of what was not asked for: other keys, other types, other licences, twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.asgi import Client
from world.databases import with_tables
from world.hostile_issuers import (
    CREDENTIAL,
    NOTIFICATION,
    TYPE,
    change,
    deliver,
    forged,
    instead,
    refused,
)
from world.office import URL
from world.pki import Pki
from world.receiving import Citizen, answered
from world.vci import IssuingOffice

from credentials import samples
from credentials.sd_jwt import SdJwt
from wallet.receiving import DeliveryRefused, IssuerRefused
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from world.receiving import Asked

    from yinxin.base.outbound import Response


def told(citizen: Citizen) -> list[str]:
    return [one.json["event"] for one in citizen.internet.to(NOTIFICATION)]


def test_a_copy_that_comes_twice(stranger: Citizen) -> None:
    stranger.internet.twist = deliver(lambda texts, _: [*texts[:2], texts[0]])
    refused(stranger, DeliveryRefused)
    assert told(stranger) == ["credential_failure"]


def test_more_copies_than_asked_for(stranger: Citizen) -> None:
    stranger.internet.twist = deliver(lambda texts, _: [*texts, texts[0]])
    assert "more copies" in refused(stranger, DeliveryRefused).detail


@pytest.mark.parametrize("rows", [[], None, {}, [None], [{}], [{"credential": 7}], ["eyJ"]], ids=str)
def test_a_delivery_without_credentials(stranger: Citizen, rows: Any) -> None:
    stranger.internet.twist = change(CREDENTIAL, credentials=rows)
    refused(stranger, DeliveryRefused)


def test_what_is_not_ready_is_told_so(stranger: Citizen) -> None:
    stranger.internet.twist = instead(
        CREDENTIAL, answered({"transaction_id": "t", "interval": 5}, status=202)
    )
    assert "not ready" in refused(stranger, IssuerRefused).detail


def test_a_credential_for_another_key(office: IssuingOffice, stranger: Citizen) -> None:
    other = office.wallet()
    (foreign,) = other.receive(office.offer())
    stranger.internet.twist = deliver(lambda texts, _: [*texts[:1], foreign])
    refused(stranger, DeliveryRefused)
    assert told(stranger)[-1] == "credential_failure"


@pytest.mark.parametrize("broken", ["", "x", "a~b~", "eyJ.eyJ.eyJ~", "\x1b[2J~", "é~", "~" * 2000])
def test_a_credential_that_is_none(stranger: Citizen, broken: str) -> None:
    stranger.internet.twist = deliver(lambda _, __: [broken])
    refused(stranger, DeliveryRefused)


def test_a_presentation_instead_of_a_credential(stranger: Citizen) -> None:
    stranger.internet.twist = deliver(lambda texts, _: [texts[0] + "eyJ.eyJ.eyJ"])
    refused(stranger, DeliveryRefused)


def test_a_credential_of_an_issuer_that_is_not_trusted(stranger: Citizen) -> None:
    stranger.internet.twist = deliver(forged(Pki().signer("credential")))
    assert "no_certificate_chain_found" in refused(stranger, DeliveryRefused).detail
    uri = f"{URL}/status/"
    assert not [one for one in stranger.internet.asked if one.url.startswith(uri)], "nobody sends us there"


def test_a_credential_signed_with_a_certificate_for_something_else(
    office: IssuingOffice, stranger: Citizen
) -> None:
    stranger.internet.twist = deliver(forged(office.pki.signer("seal")))
    refused(stranger, DeliveryRefused)


def test_a_credential_of_another_type(office: IssuingOffice, stranger: Citizen) -> None:
    stranger.internet.twist = deliver(forged(office.pki.signer("credential"), vct="urn:other"))
    assert "another type" in refused(stranger, DeliveryRefused).detail


def test_copies_of_different_licences(office: IssuingOffice, stranger: Citizen) -> None:
    made = forged(office.pki.signer("credential"), licence_identifier="other")
    stranger.internet.twist = deliver(lambda texts, asked: [texts[0], made(texts[1:2], asked)[0]])
    assert "different licences" in refused(stranger, DeliveryRefused).detail


def test_copies_that_can_be_linked_by_their_status(office: IssuingOffice, stranger: Citizen) -> None:
    def same(texts: list[str], asked: Asked) -> list[Any]:
        status = SdJwt.parse(texts[0]).payload["status"]
        return [texts[0], *forged(office.pki.signer("credential"), status=status)(texts[1:], asked)]

    stranger.internet.twist = deliver(same)
    assert "linked" in refused(stranger, DeliveryRefused).detail


def test_two_copies_for_one_key(office: IssuingOffice, stranger: Citizen) -> None:
    signer = office.pki.signer("credential")
    stranger.internet.twist = deliver(
        lambda texts, asked: [texts[0], forged(signer, status=None)(texts[:1], asked)[0]]
    )
    refused(stranger, DeliveryRefused)


@pytest.mark.parametrize(
    "claim",
    [
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"status": {"status_list": {"idx": -1, "uri": URL}}},
        {"status": {"status_list": {"idx": 10**9, "uri": f"{URL}/status/none"}}},
    ],
    ids=range(4),
)
def test_a_credential_that_does_not_stand_today(
    office: IssuingOffice, stranger: Citizen, claim: dict[str, Any]
) -> None:
    stranger.internet.twist = deliver(forged(office.pki.signer("credential"), **claim))
    refused(stranger, DeliveryRefused)


def test_where_the_status_list_cannot_be_had_nothing_is_taken(stranger: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        return answered({}, status=503) if "/status/" in asked.path else answer

    stranger.internet.twist = twist
    assert "status_unknown" in refused(stranger, DeliveryRefused).detail


def test_another_office_cannot_slip_its_licence_under_the_name_of_ours(
    office: IssuingOffice, stranger: Citizen, tmp_path: Any
) -> None:
    """Both are trusted; each may issue, but neither into the other's licence."""
    offer = office.offer()
    stranger.receiving.accept(stranger.receiving.consider(offer.by_reference), tx_code=offer.tx_code)
    database = with_tables()
    elsewhere = "https://licences.other.example"
    other = IssuingOffice(office.pki, database, url=elsewhere)
    stranger.internet.hosts["licences.other.example"] = Client(other.app)
    signer = office.pki.signer("credential")
    own = office.licence.identifier
    stranger.internet.twist = deliver(forged(signer, licence_identifier=own, iss=URL))
    offer = other.offer()
    before = stranger.contents()
    considered = stranger.receiving.consider(offer.by_reference)
    with pytest.raises(Conflict):
        stranger.receiving.accept(considered, tx_code=offer.tx_code)
    stranger.internet.twist = deliver(forged(signer, licence_identifier=own))
    offer = other.offer()
    considered = stranger.receiving.consider(offer.by_reference)
    with pytest.raises(Conflict):
        stranger.receiving.accept(considered, tx_code=offer.tx_code)
    assert stranger.contents() == before
    database.close()


def test_nor_under_the_name_of_one_that_was_handed_in(office: IssuingOffice, stranger: Citizen) -> None:
    """Of that the wallet knows no source, only what the credential says."""
    made = office.issuer.issue(
        TYPE, samples.application(TYPE, 4), holder=stranger.holder.new_key(), actor=office.clerk
    )
    held = stranger.holder.receive(made.credential or "")
    signer = office.pki.signer("credential")
    elsewhere = "https://licences.other.example"
    stranger.internet.twist = deliver(forged(signer, licence_identifier=held.id, iss=elsewhere))
    refused(stranger, Conflict)
    stranger.internet.twist = deliver(forged(signer, licence_identifier=held.id))
    offer = office.offer()
    stranger.receiving.accept(stranger.receiving.consider(offer.by_reference), tx_code=offer.tx_code)

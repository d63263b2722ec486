"""A holder at the counter gets a licence into the wallet: pre-authorised code with tx_code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.office import WHY
from world.vci import query_of

from credentials.licence import EndingKind
from credentials.oid4vci.offers import AuthenticationMethod, Holder, Offer
from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE, TX_CODE_TRIES
from credentials.repository import LicenceRepository
from credentials.sd_jwt import SdJwt
from credentials.status_snapshot import StatusSnapshot
from credentials.verifier import Verifier
from signing.jose import load_json_object
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.vci import IssuingOffice


def revocation(office: IssuingOffice) -> RevocationSnapshot:
    return RevocationSnapshot(
        Crl.from_der(one.crl(office.now)) for one in (office.pki.root, office.pki.issuing)
    )


def wrong_pin(pin: str | None) -> str:
    return f"{(int(pin or '0') + 1) % 1_000_000:06}"


def test_a_licence_reaches_the_wallet_and_verifies(office: IssuingOffice) -> None:
    offer = office.offer()
    (credential,) = office.wallet().receive(offer)
    trust = TrustStore([office.pki.root.certificate])
    uri = SdJwt.parse(credential).payload["status"]["status_list"]["uri"]
    snapshot = StatusSnapshot.from_token(
        office.status.token(uri), trust, uri=uri, at=office.now, revocation=revocation(office)
    )
    verifier = Verifier(trust, revocation=revocation(office), statuses={uri: snapshot}, clock=office.clock)
    report = verifier.verify(credential, require_key_binding=False)
    assert report.passed, report.reasons
    assert report.require().claims["licence_identifier"] == office.licence.identifier


def test_each_copy_of_a_batch_has_its_own_key_index_and_row(office: IssuingOffice) -> None:
    credentials = office.wallet().receive(office.offer(), keys=10)
    payloads = [SdJwt.parse(one).payload for one in credentials]
    assert len({one["cnf"]["jwk"]["x"] for one in payloads}) == 10
    places = {(one["status"]["status_list"]["uri"], one["status"]["status_list"]["idx"]) for one in payloads}
    with office.database.reading() as session:
        copies = LicenceRepository(session).copies(office.licence.identifier)
    assert {(one.status_uri, one.status_index) for one in copies} == places
    assert len(places) == 10


def test_the_offer_is_the_same_until_it_is_redeemed(office: IssuingOffice) -> None:
    offer = office.offer()
    by_reference = query_of(offer.by_reference)["credential_offer_uri"]
    first, second = office.client.get(by_reference), office.client.get(by_reference)
    assert first.json() == second.json() == offer.document
    assert load_json_object(query_of(offer.by_value)["credential_offer"]) == offer.document
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "no-store"
    office.wallet().receive(offer)
    assert office.client.get(by_reference).status_code == 404
    assert office.client.get(offer.page).status_code == 404


def test_the_page_shows_a_code_and_neither_secret_in_words(office: IssuingOffice) -> None:
    offer = office.offer()
    page = office.client.get(offer.page)
    assert page.status_code == 200
    assert 'src="data:image/svg+xml' in page.text
    assert "食品经营许可证" in page.text
    assert offer.tx_code not in page.text
    assert offer.document["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"] not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"


def test_a_wrong_pin_does_not_burn_the_code_before_the_limit(office: IssuingOffice) -> None:
    offer, wallet = office.offer(), office.wallet()
    for _ in range(TX_CODE_TRIES - 1):
        answer = wallet.redeem(offer, tx_code=wrong_pin(offer.tx_code))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert wallet.redeem(offer).status_code == 200


def test_at_the_limit_the_code_is_burnt(office: IssuingOffice) -> None:
    offer, wallet = office.offer(), office.wallet()
    for _ in range(TX_CODE_TRIES):
        wallet.redeem(offer, tx_code=wrong_pin(offer.tx_code))
    answer = wallet.redeem(offer)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert office.client.get(offer.uri).status_code == 404


@pytest.mark.parametrize("pin", [None, "  "])
def test_a_missing_pin_uses_up_no_try(office: IssuingOffice, pin: str | None) -> None:
    offer, wallet = office.offer(), office.wallet()
    if pin is None:
        for _ in range(TX_CODE_TRIES + 1):
            assert wallet.redeem(offer, tx_code=None).json()["error"] == "invalid_request"
    else:
        assert wallet.redeem(offer, tx_code=pin).json()["error"] == "invalid_grant"
    assert wallet.redeem(offer).status_code == 200


def test_a_pin_where_none_is_asked_for_is_refused(light_office: IssuingOffice) -> None:
    offer = light_office.offer(with_tx_code=False)
    assert "tx_code" not in offer.document["grants"][PRE_AUTHORIZED_CODE]
    assert light_office.wallet().redeem(offer, tx_code="123456").json()["error"] == "invalid_request"
    assert light_office.wallet().redeem(offer).status_code == 200


def test_of_two_concurrent_redemptions_exactly_one_wins(office: IssuingOffice) -> None:
    for _ in range(3):
        offer = office.offer()
        wallets = [office.wallet() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda wallet, offer=offer: wallet.redeem(offer), wallets))  # type: ignore[misc]
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]


def test_concurrent_guesses_get_no_more_tries_than_the_limit(office: IssuingOffice) -> None:
    offer = office.offer()
    with ThreadPoolExecutor(8) as pool:
        wallets = [office.wallet(bound=False) for _ in range(12)]
        list(pool.map(lambda wallet: wallet.redeem(offer, tx_code=wrong_pin(offer.tx_code)), wallets))
    assert office.wallet().redeem(offer).json()["error"] == "invalid_grant"
    with office.database.reading() as session:
        (tries,) = session.execute(text("SELECT tries FROM oid4vci_offer")).one()
    assert tries == TX_CODE_TRIES


def test_an_offer_lives_a_quarter_of_an_hour(office: IssuingOffice) -> None:
    offer = office.offer()
    office.clock.advance(timedelta(minutes=15))
    assert office.wallet().redeem(offer).json()["error"] == "invalid_grant"
    assert office.client.get(offer.uri).status_code == 404


def test_the_database_holds_no_secret_of_an_offer(office: IssuingOffice) -> None:
    offer, wallet = office.offer(), office.wallet()
    assert wallet.redeem(offer).status_code == 200
    kept = ""
    with office.database.reading() as session:
        for table in ("oid4vci_offer", "oid4vci_token", "oid4vci_grant", "audit_inbox"):
            kept += str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - our own names
    secrets = [
        offer.uri.rpartition("/")[2],
        offer.document["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"],
        wallet.tokens["access_token"],
        wallet.tokens["refresh_token"],
    ]
    assert not [secret for secret in secrets if secret in kept]


def test_the_audit_log_says_how_the_holder_was_authenticated(office: IssuingOffice) -> None:
    office.wallet().receive(office.offer())
    with office.database.reading() as session:
        entries = [row[0] for row in session.execute(text("SELECT body FROM audit_inbox ORDER BY number"))]
    offers = [one for one in entries if "oid4vci.offer" in one]
    assert len(offers) == 1
    assert '"authentication":"counter"' in offers[0].replace(" ", "")
    assert "窗口核验" not in "".join(entries), "evidence is kept as a digest"
    assert office.licence.holder_code not in "".join(entries)
    assert any("credential.copy" in one for one in entries)
    assert any("oid4vci.redeem" in one for one in entries)


def test_a_licence_is_offered_to_its_own_holder_only(light_office: IssuingOffice) -> None:
    stranger = Holder("91120199MA0000000X", AuthenticationMethod.COUNTER, "…")
    with pytest.raises(NotPermitted):
        light_office.server.offers.make(
            Offer((light_office.licence.identifier,), stranger), actor=light_office.clerk
        )


def test_what_is_not_in_force_is_not_offered(light_office: IssuingOffice) -> None:
    light_office.issuer.suspend(light_office.licence.identifier, actor=light_office.clerk, **WHY)
    with pytest.raises(Conflict):
        light_office.offer()


def test_an_unknown_licence_is_not_offered(light_office: IssuingOffice) -> None:
    other = light_office.licence.identifier[:-1]
    holder = light_office.holder_of(light_office.licence)
    with pytest.raises((NotFound, UsageError, Exception)) as caught:
        light_office.server.offers.make(Offer((other,), holder), actor=light_office.clerk)
    assert not isinstance(caught.value, AssertionError)


def test_a_licence_suspended_after_the_offer_is_not_handed_out(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    office.issuer.suspend(office.licence.identifier, actor=office.clerk, **WHY)
    answer = wallet.fetch()
    assert (answer.status_code, answer.json()["error"]) == (400, "credential_request_denied")
    office.issuer.resume(office.licence.identifier, actor=office.clerk, **WHY)
    assert wallet.fetch().status_code == 200


def test_copies_fetched_later_are_revoked_with_the_licence(office: IssuingOffice) -> None:
    (credential,) = office.wallet().receive(office.offer())
    office.issuer.end(office.licence.identifier, EndingKind.REVOKED, actor=office.clerk, **WHY)
    place = SdJwt.parse(credential).payload["status"]["status_list"]
    snapshot = StatusSnapshot.from_token(
        office.status.token(place["uri"]),
        TrustStore([office.pki.root.certificate]),
        uri=place["uri"],
        at=office.now,
        revocation=revocation(office),
    )
    assert snapshot.status(place["idx"]) == 1


def test_two_licences_of_one_type_are_fetched_by_identifier(office: IssuingOffice) -> None:
    from credentials import samples  # noqa: PLC0415 - one test

    claims: dict[str, Any] = dict(samples.application("food-business-licence", 1))
    second = office.issuer.issue("food-business-licence", claims, holder=None, actor=office.clerk).licence
    wallet = office.wallet()
    wallet.redeem(office.offer(office.licence, second))
    (detail,) = wallet.tokens["authorization_details"]
    assert detail["credential_identifiers"] == [office.licence.identifier, second.identifier]
    answer = wallet.fetch(credential_identifier=second.identifier)
    payload = SdJwt.parse(answer.json()["credentials"][0]["credential"]).payload
    assert payload["licence_identifier"] == second.identifier

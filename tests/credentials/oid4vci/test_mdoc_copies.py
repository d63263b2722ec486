"""A licence reaches a wallet as an mdoc, by the same offer, and is shown to a counter that never met it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE
from world.databases import with_tables
from world.vci import CLIENT, IssuingOffice

from credentials.mdoc import MdocVerifier, mdoc_elements, openid4vp_transcript, present_mdoc
from credentials.mdoc.structures import read_issuer_signed
from credentials.status_snapshot import StatusSnapshot
from credentials.vocabulary import INVALID
from signing.base64url import decode_base64url
from signing.jose import dump_json
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from yinxin.base.actor import system
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki
    from world.vci import Wallet

    from credentials.licence import Licence

TYPE = "urn:yinxin:licence:food-business-licence:1"
FORMS = ["food-business-licence", "food-business-licence.mdoc"]
TRANSCRIPT = openid4vp_transcript(client_id=f"x509_san_dns:{COUNTER}", nonce=NONCE, response_uri=COUNTER)


@pytest.fixture
def office(pki: Pki) -> Iterator[IssuingOffice]:
    memory = with_tables()
    yield IssuingOffice(pki, memory, mdoc=True)
    memory.close()


def fetched(office: IssuingOffice, wallet: Wallet, **options: Any) -> bytes:
    answer = wallet.fetch(configuration=FORMS[1], **options)
    assert answer.status_code == 200, answer.text
    return decode_base64url(answer.json()["credentials"][0]["credential"])


def counter(office: IssuingOffice, uri: str) -> MdocVerifier:
    trust = TrustStore([office.pki.root.certificate])
    lists = RevocationSnapshot(
        Crl.from_der(one.crl(office.now)) for one in (office.pki.root, office.pki.issuing)
    )
    statuses = {
        uri: StatusSnapshot.from_token(
            office.status.cwt(uri), trust, uri=uri, at=office.now, revocation=lists
        )
    }
    return MdocVerifier(trust, revocation=lists, statuses=statuses, clock=office.clock)


def test_the_same_offer_leads_to_an_mdoc(office: IssuingOffice) -> None:
    offer, wallet = office.offer(), office.wallet()
    assert offer.document["credential_configuration_ids"] == FORMS
    assert wallet.redeem(offer).status_code == 200
    issued = fetched(office, wallet)
    holder = wallet.keys[0]
    status = read_issuer_signed(issued).security_object().status["status_list"]
    response = present_mdoc(
        issued, disclose={TYPE: ["operator_name", "valid_until"]}, holder=holder, transcript=TRANSCRIPT
    )
    shown = counter(office, status["uri"]).verify(response, transcript=TRANSCRIPT).require()
    assert shown.doc_type == TYPE
    assert shown.holder_key == holder.public_key
    assert shown.elements[TYPE]["operator_name"] == office.licence.claims["operator_name"]
    assert shown.elements[TYPE]["valid_until"] == office.licence.valid_until.isoformat()  # type: ignore[union-attr]


def test_it_says_what_the_other_form_says(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    elements = mdoc_elements(fetched(office, wallet))[TYPE]
    licence: Licence = office.licence
    assert elements["licence_identifier"] == licence.identifier
    assert elements.items() >= dict(licence.claims).items()
    assert not elements.keys() & {"iss", "vct", "iat", "nbf", "exp", "status", "cnf"}


def test_days_are_days(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    items = read_issuer_signed(fetched(office, wallet)).namespaces[TYPE]
    tags = {item.identifier: getattr(item.value, "number", None) for item in items}
    assert {tags["issued_on"], tags["valid_from"], tags["valid_until"]} == {1004}
    assert tags["operator_name"] is None


def test_a_copy_ends_with_the_licence_and_with_its_signer(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    secured = read_issuer_signed(fetched(office, wallet)).security_object()
    signer = office.copies.mdoc_signer
    assert signer is not None
    assert office.licence.ends_at is not None
    assert secured.signed_at == secured.valid_from == office.now.replace(microsecond=0)
    assert secured.valid_until == min(office.licence.ends_at, signer.certificate.not_after)


def test_a_revoked_copy_is_seen_in_the_list_as_cwt(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    issued = fetched(office, wallet)
    place = read_issuer_signed(issued).security_object().status["status_list"]
    response = present_mdoc(issued, disclose={}, holder=wallet.keys[0], transcript=TRANSCRIPT)
    assert counter(office, place["uri"]).verify(response, transcript=TRANSCRIPT).passed
    with office.database.transaction() as session:
        office.status.set(session, place["uri"], place["idx"], INVALID, actor=system("tests"))
    office.clock.advance(timedelta(minutes=2))
    report = counter(office, place["uri"]).verify(response, transcript=TRANSCRIPT)
    assert report.reasons == {Reason.CREDENTIAL_REVOKED}


def test_each_copy_of_a_batch_stands_alone(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    answer = wallet.fetch(configuration=FORMS[1], keys=5)
    read = [read_issuer_signed(decode_base64url(one["credential"])) for one in answer.json()["credentials"]]
    objects = [one.security_object() for one in read]
    assert [one.device_key for one in objects] == [key.public_key for key in wallet.keys]
    assert len({one.status["status_list"]["idx"] for one in objects}) == 5
    randoms = {item.encoded for one in read for items in one.namespaces.values() for item in items}
    assert len(randoms) == sum(len(items) for one in read for items in one.namespaces.values())


def test_who_signs_in_may_fetch_either_form(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    code = office.server.login_codes.hand_out(office.holder_of(office.licence), actor=office.clerk)
    answer = wallet.authorize(code)
    wallet.exchange(answer.headers["location"].partition("code=")[2].partition("&")[0])
    assert wallet.fetch().status_code == 200
    assert wallet.fetch(configuration=FORMS[1]).status_code == 200


def test_an_identifier_says_which_form_is_meant(office: IssuingOffice) -> None:
    wallet, offer = office.wallet(), office.offer()
    wanted = [{"type": "openid_credential", "credential_configuration_id": FORMS[1]}]
    wallet.redeem(offer, authorization_details=dump_json(wanted).decode())
    (detail,) = wallet.tokens["authorization_details"]
    assert detail["credential_identifiers"] == [office.licence.identifier + ".mdoc"]
    assert read_issuer_signed(fetched(office, wallet))
    refused = wallet.fetch(credential_identifier=office.licence.identifier)
    assert refused.json()["error"] == "unknown_credential_identifier"


def test_the_metadata_announce_both(office: IssuingOffice) -> None:
    found = office.client.get("/.well-known/openid-credential-issuer").json()
    one = found["credential_configurations_supported"][FORMS[1]]
    assert (one["format"], one["doctype"]) == ("mso_mdoc", TYPE)
    assert one["cryptographic_binding_methods_supported"] == ["cose_key"]
    assert all(
        claim["path"][0] == TYPE and len(claim["path"]) == 2 for claim in one["credential_metadata"]["claims"]
    )


def test_an_issuer_without_a_key_for_it_says_nothing_of_mdocs(light_office: IssuingOffice) -> None:
    offer = light_office.offer()
    assert offer.document["credential_configuration_ids"] == FORMS[:1]
    wallet = light_office.wallet()
    wallet.redeem(offer)
    assert wallet.fetch(configuration=FORMS[1]).json()["error"] == "unknown_credential_configuration"
    copies = light_office.copies
    key = wallet.keys[0].public_key
    with pytest.raises(UsageError, match="no mdoc"):
        copies.make(light_office.licence.identifier, [key], actor=system("tests"), form="mso_mdoc")

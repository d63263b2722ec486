"""Issuers that lie, stall, swell and send elsewhere: each leaves the wallet as it was."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.asgi import Client
from world.databases import with_tables
from world.office import URL
from world.pki import Pki
from world.receiving import Citizen, answered
from world.vci import REDIRECT, IssuingOffice, query_of

from credentials import samples
from credentials.oid4vci.offers import Flow
from credentials.oid4vci.vocabulary import METADATA_TYP, PRE_AUTHORIZED_CODE
from credentials.sd_jwt import SdJwt, chain_header, issue_sd_jwt
from signing.jose import sign_jws
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from wallet.receiving import DeliveryRefused, IssuerRefused, OfferRefused, Receiving
from wallet.receiving.offers import CredentialOffer, OfferLink
from yinxin.base.errors import Conflict, NotFound, NotPermitted, TooLarge, Unreachable, YinxinError
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from world.receiving import Asked

ISSUER, SERVER = "/.well-known/openid-credential-issuer", "/.well-known/oauth-authorization-server"
TOKEN, CREDENTIAL, NONCE = "/oid4vci/token", "/oid4vci/credential", "/oid4vci/nonce"
NOTIFICATION = "/oid4vci/notification"
TYPE = "food-business-licence"
ES256_PROOFS = {"proof_signing_alg_values_supported": ["ES256"]}
DETAIL = {"type": "openid_credential", "credential_configuration_id": TYPE}


@pytest.fixture(scope="module")
def office(pki: Pki) -> Iterator[IssuingOffice]:
    """One for all: every story here ends where it began."""
    database = with_tables()
    yield IssuingOffice(pki, database, metadata_signer=pki.signer("metadata"))
    database.close()


def change(path: str, **members: Any) -> Callable[[Asked, Response], Response]:
    """A twist: some members of one document are others; None takes one away."""

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != path or answer.status != 200:
            return answer
        body = plain(answer)
        return answered({name: value for name, value in {**body, **members}.items() if value is not None})

    return twist


def plain(answer: Response) -> dict[str, Any]:
    """The document, whether it was signed or not."""
    text = answer.body.decode()
    found: dict[str, Any] = (
        json.loads(text) if text.startswith("{") else SdJwt.parse(text + "~").issuer_jwt.claims()
    )
    return {name: value for name, value in found.items() if name not in {"iat", "sub", "iss"}}


def instead(path: str, answer: Response) -> Callable[[Asked, Response], Response]:
    """A twist: another answer altogether."""
    return lambda asked, good: answer if asked.path == path and good.status == 200 else good


def refused(citizen: Citizen, kind: type[YinxinError], **options: Any) -> YinxinError:
    """Receiving fails so, and the wallet is what it was."""
    offer = citizen.office.offer()
    before = citizen.contents()
    with pytest.raises(kind) as caught:
        citizen.receiving.accept(
            citizen.receiving.consider(offer.by_reference), tx_code=offer.tx_code, **options
        )
    assert citizen.contents() == before
    return caught.value


# The offer


def link(document: Any) -> str:
    return "openid-credential-offer://?" + urlencode({"credential_offer": json.dumps(document)})


def offered(**members: Any) -> dict[str, Any]:
    good = {
        "credential_issuer": URL,
        "credential_configuration_ids": [TYPE],
        "grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "code"}},
    }
    return {name: value for name, value in {**good, **members}.items() if value is not None}


@pytest.mark.parametrize(
    "document",
    [
        [],
        offered(credential_issuer=None),
        offered(credential_issuer="http://licences.jincheng.example"),
        offered(credential_issuer="https://a@b.example"),
        offered(credential_issuer=URL + "?x=1"),
        offered(credential_issuer=URL + "#x"),
        offered(credential_issuer="file:///etc/passwd"),
        offered(credential_issuer=["https://a.example"]),
        offered(credential_configuration_ids=None),
        offered(credential_configuration_ids=[]),
        offered(credential_configuration_ids=[TYPE, TYPE]),
        offered(credential_configuration_ids=[str(number) for number in range(21)]),
        offered(credential_configuration_ids=[7]),
        offered(credential_configuration_ids=["\x1b[2J"]),
        offered(grants=[]),
        offered(grants={PRE_AUTHORIZED_CODE: "code"}),
        offered(grants={PRE_AUTHORIZED_CODE: {}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "a\r\nb"}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c" * 5000}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": 6}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {"length": 10**9}}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "authorization_server": "x"}}),
        offered(grants={"authorization_code": {"issuer_state": 7}}),
    ],
    ids=range(23),
)
def test_an_offer_that_is_not_in_order(stranger: Citizen, document: Any) -> None:
    with pytest.raises(OfferRefused):
        stranger.receiving.consider(link(document))
    assert stranger.internet.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openid-credential-offer://",
        "openid-credential-offer://?credential_offer_uri=http://office.example/o",
        "openid-credential-offer://?credential_offer_uri=https://a.example/o&credential_offer={}",
        "openid-credential-offer://?credential_offer={}&credential_offer={}",
        "openid-credential-offer://?credential_offer=%ff",
        "openid-credential-offer://?credential_offer=" + "[" * 1000,
        "https://[",
        "openid-credential-offer://?" + "a" * (64 * 1024),
        "openid4vp://?client_id=x",
    ],
    ids=range(10),
)
def test_a_link_that_holds_no_offer(text: str) -> None:
    with pytest.raises(OfferRefused):
        OfferLink.parse(text)


_NAMES = ["credential_issuer", "credential_configuration_ids", "grants", "pre-authorized_code", "tx_code"]
_WORDS = st.sampled_from([*_NAMES, PRE_AUTHORIZED_CODE]) | st.text()
_LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_WORDS, inner)))
def test_any_offer_is_read_or_refused(document: Any) -> None:
    with suppress(OfferRefused):
        found = OfferLink.parse(link(document))
        CredentialOffer.from_document(found.document or {})


def test_an_offer_by_reference_is_not_followed_elsewhere(stranger: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        moved = answered({}, status=302, location="https://elsewhere.example/offer")
        return moved if "/offers/" in asked.path else answer

    stranger.internet.twist = twist
    assert "302" in refused(stranger, OfferRefused).detail
    assert len(stranger.internet.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(200, {"content-type": "text/html"}, b"{}"), OfferRefused),
        (answered(b"{", status=200), OfferRefused),
        (answered(b'{"a":1,"a":2}'), OfferRefused),
        (answered(b"\xff"), OfferRefused),
        (answered([]), OfferRefused),
        (answered({}, status=404), OfferRefused),
        (answered(b" " * (65 * 1024)), TooLarge),
    ],
    ids=range(7),
)
def test_what_lies_at_the_reference_is_no_offer(
    stranger: Citizen, answer: Response, kind: type[YinxinError]
) -> None:
    stranger.internet.twist = lambda asked, good: answer if "/offers/" in asked.path else good
    refused(stranger, kind)


# Metadata: other issuers', swollen, without what is needed


@pytest.mark.parametrize(
    "members",
    [
        {"credential_issuer": "https://other.example"},
        {"credential_issuer": URL + "/"},
        {"credential_issuer": URL.upper()},
        {"credential_issuer": None},
        {"credential_endpoint": None},
        {"credential_endpoint": "http://licences.jincheng.example/c"},
        {"credential_endpoint": "https://user@evil.example/c"},
        {"nonce_endpoint": "javascript:alert(1)"},
        {"notification_endpoint": 7},
        {"authorization_servers": []},
        {"authorization_servers": "https://as.example"},
        {"authorization_servers": ["ftp://as.example"]},
        {"batch_credential_issuance": {"batch_size": 0}},
        {"batch_credential_issuance": {"batch_size": True}},
        {"batch_credential_issuance": {"batch_size": "10"}},
        {"batch_credential_issuance": []},
        {"credential_configurations_supported": None},
        {"credential_configurations_supported": {}},
        {"credential_configurations_supported": {TYPE: []}},
        {"credential_response_encryption": {"encryption_required": True}},
    ],
    ids=str,
)
def test_metadata_that_are_not_in_order(stranger: Citizen, members: dict[str, Any]) -> None:
    stranger.internet.twist = change(ISSUER, **members)
    refused(stranger, OfferRefused)
    assert not stranger.internet.to(TOKEN)


@pytest.mark.parametrize(
    "members",
    [
        {"format": "mso_mdoc"},
        {"vct": None},
        {"vct": ""},
        {"cryptographic_binding_methods_supported": ["did:jwk"]},
        {"cryptographic_binding_methods_supported": None},
        {"proof_types_supported": {"attestation": {}}},
        {"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["RS256"]}}},
        {"proof_types_supported": {"jwt": {**ES256_PROOFS, "key_attestations_required": {}}}},
    ],
    ids=range(8),
)
def test_licences_that_the_wallet_could_not_keep(stranger: Citizen, members: dict[str, Any]) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != ISSUER:
            return answer
        body = plain(answer)
        kind = body["credential_configurations_supported"][TYPE]
        body["credential_configurations_supported"] = {
            TYPE: {name: value for name, value in {**kind, **members}.items() if value is not None}
        }
        return answered(body)

    stranger.internet.twist = twist
    refused(stranger, OfferRefused)
    assert not stranger.internet.to(TOKEN)


@pytest.mark.parametrize(
    "members",
    [
        {"issuer": "https://other.example"},
        {"issuer": URL + "/"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://licences.jincheng.example/t"},
        {"token_endpoint": "https://licences.jincheng.example\\@evil.example/t"},
    ],
    ids=str,
)
def test_an_authorization_server_that_is_another(stranger: Citizen, members: dict[str, Any]) -> None:
    stranger.internet.twist = change(SERVER, **members)
    refused(stranger, OfferRefused)
    assert not stranger.internet.to(TOKEN)


def test_an_offer_cannot_name_a_server_that_is_not_the_issuers(stranger: Citizen) -> None:
    """Mix-up: the code of an honest issuer would go to the attacker's token endpoint."""
    grant = {"pre-authorized_code": "secret", "authorization_server": "https://evil.example"}
    with pytest.raises(OfferRefused):
        stranger.receiving.consider(link(offered(grants={PRE_AUTHORIZED_CODE: grant})))
    assert all(urlsplit(one.url).netloc != "evil.example" for one in stranger.internet.asked)


def test_swollen_metadata(stranger: Citizen) -> None:
    stranger.internet.twist = change(ISSUER, filler="x" * (1 << 20))
    refused(stranger, TooLarge)


def test_metadata_that_nest_without_end(stranger: Citizen) -> None:
    stranger.internet.twist = instead(ISSUER, answered(b'{"a":' * 100_000))
    refused(stranger, OfferRefused)


def test_names_cannot_steer_a_terminal(stranger: Citizen) -> None:
    evil = [{"name": "\x1b[2J\x1b[1;1H机关\u202e\n是否领取？", "locale": "zh-CN"}, {"name": "x" * 10_000}]
    stranger.internet.twist = change(ISSUER, display=evil)
    considered = stranger.receiving.consider(stranger.office.offer().by_reference)
    for text in (considered.consent.zh, considered.consent.en):
        assert all(one.isprintable() for line in text.splitlines() for one in line)
        assert len(text) < 2000
    assert considered.consent.zh.count("是否领取？") == 2, "it stands in the name's own line"
    assert len(considered.consent.zh.splitlines()) == 4


# Signed metadata


def signed(claims: dict[str, Any], signer: FileSigner, **headers: Any) -> Response:
    head = {"typ": METADATA_TYP, **chain_header(signer.chain), **headers}
    return Response(200, {"content-type": "application/jwt"}, sign_jws(claims, signer, headers=head).encode())


def test_only_who_is_trusted_vouches_for_a_name(office: IssuingOffice, stranger: Citizen) -> None:
    claims = {**office.server.issuer_metadata(), "sub": URL, "iat": 1}
    somebody = Pki().signer("metadata", "津城市市场监督管理局")
    stranger.internet.twist = instead(ISSUER, signed(claims, somebody))
    considered = stranger.receiving.consider(office.offer().by_reference)
    assert not considered.is_verified
    assert "身份未核验" in considered.consent.zh
    stranger.internet.twist = instead(ISSUER, signed(claims, office.pki.signer("credential")))
    assert not stranger.receiving.consider(office.offer().by_reference).is_verified, "another usage"


def test_signed_metadata_that_are_not_in_order(office: IssuingOffice, stranger: Citizen) -> None:
    claims = {**office.server.issuer_metadata(), "sub": URL, "iat": 1}
    good = office.pki.signer("metadata")
    broken = signed(claims, good)
    turned = broken.body[:-4] + (b"AAAA" if broken.body[-4:] != b"AAAA" else b"BBBB")
    for answer in (
        signed({**claims, "sub": "https://other.example"}, good),
        signed({**claims, "sub": None}, good),
        signed({**claims, "credential_issuer": "https://other.example"}, good),
        signed(claims, good, typ="JWT"),
        Response(200, broken.headers, turned),
        Response(200, broken.headers, b"eyJ"),
        Response(200, broken.headers, "é".encode()),
        signed(claims, FileSigner.generate()),
    ):
        stranger.internet.twist = instead(ISSUER, answer)
        with pytest.raises(OfferRefused):
            stranger.receiving.consider(office.offer().by_reference)


# Tokens


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"token_type": "Bearer"}, DeliveryRefused),
        ({"token_type": None}, DeliveryRefused),
        ({"access_token": None}, DeliveryRefused),
        ({"access_token": "a\r\nX: y"}, DeliveryRefused),
        ({"access_token": "a" * 20_000}, DeliveryRefused),
        ({"authorization_details": {}}, DeliveryRefused),
        ({"authorization_details": [{**DETAIL, "credential_identifiers": "x"}]}, DeliveryRefused),
        ({"authorization_details": [{**DETAIL, "credential_identifiers": ["x"] * 51}]}, DeliveryRefused),
        ({"error": "server_error"}, IssuerRefused),
    ],
    ids=range(9),
)
def test_tokens_that_are_not_in_order(
    stranger: Citizen, members: dict[str, Any], kind: type[YinxinError]
) -> None:
    stranger.internet.twist = change(TOKEN, **members)
    refused(stranger, kind)
    assert not stranger.internet.to(CREDENTIAL)


def test_a_server_that_always_wants_another_nonce_is_asked_twice(stranger: Citizen) -> None:
    counted: list[int] = []

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != TOKEN:
            return answer
        counted.append(1)
        body = {"error": "use_dpop_nonce"}
        return answered(body, status=400, dpop_nonce=f"n{len(counted)}")

    stranger.internet.twist = twist
    assert refused(stranger, IssuerRefused).detail == "use_dpop_nonce"
    assert len(counted) == 2


def test_a_dpop_nonce_that_is_no_header_is_left_alone(stranger: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path == TOKEN and answer.status == 400:
            return answered({"error": "use_dpop_nonce"}, status=400, dpop_nonce="n" * 5000)
        return answer

    stranger.internet.twist = twist
    refused(stranger, IssuerRefused)


@pytest.mark.parametrize(
    "answer",
    [
        answered({"error": "\x1b[31m" + "x" * 5000, "error_description": "\u202e\n" * 3000}, status=400),
        answered({"error": {"a": 1}}, status=400),
        answered({"error": []}, status=400),
    ],
    ids=range(3),
)
def test_errors_cannot_steer_a_terminal(stranger: Citizen, answer: Response) -> None:
    stranger.internet.twist = lambda asked, good: answer if asked.path == TOKEN else good
    caught = refused(stranger, IssuerRefused)
    assert caught.detail.isprintable()
    assert len(caught.detail) < 400
    assert isinstance(caught, IssuerRefused)
    assert caught.advice.zh


@pytest.mark.parametrize(
    "answer",
    [
        answered({}, status=302, location="https://evil.example/"),
        answered({}, status=500),
        answered(b"<html>", kind="text/html"),
        answered({}),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("path", [TOKEN, NONCE, CREDENTIAL])
def test_answers_that_are_none(stranger: Citizen, path: str, answer: Response) -> None:
    stranger.internet.twist = lambda asked, good: answer if asked.path == path else good
    refused(stranger, YinxinError)
    assert all(urlsplit(one.url).netloc != "evil.example" for one in stranger.internet.asked)


def test_swollen_answers(stranger: Citizen) -> None:
    for path, size in ((TOKEN, 65 << 10), (NONCE, 65 << 10), (CREDENTIAL, (16 << 20) + 1)):
        stranger.internet.twist = instead(path, answered(b" " * size))
        refused(stranger, TooLarge)


def test_an_issuer_that_falls_silent(stranger: Citizen) -> None:
    for path in (ISSUER, SERVER, TOKEN, NONCE, CREDENTIAL):

        def twist(asked: Asked, answer: Response, path: str = path) -> Response:
            if asked.path == path:
                raise Unreachable("no answer in time")
            return answer

        stranger.internet.twist = twist
        refused(stranger, Unreachable)


# The delivery


def deliver(make: Callable[[list[str], Asked], list[Any]]) -> Callable[[Asked, Response], Response]:
    """A twist: the credentials of the response are others."""

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != CREDENTIAL or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        texts = [one["credential"] for one in body["credentials"]]
        return answered({**body, "credentials": [{"credential": one} for one in make(texts, asked)]})

    return twist


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


def forged(signer: FileSigner, **changes: Any) -> Callable[[list[str], Asked], list[Any]]:
    """Credentials of our own making, with right keys: what an issuer can say that is not the office."""

    def make(texts: list[str], _: Asked) -> list[Any]:
        made = []
        for text in texts:
            claims = dict(SdJwt.parse(text).claims)
            key = claims.pop("cnf")
            body = {name: value for name, value in {**claims, **changes}.items() if value is not None}
            made.append(issue_sd_jwt({**body, "cnf": key}, signer=signer))
        return made

    return make


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


# The code flow: answers of others


def begun(citizen: Citizen) -> str:
    considered = citizen.receiving.consider(citizen.office.offer(flow=Flow.CODE).by_reference)
    return citizen.receiving.begin_authorization(considered, redirect_uri=REDIRECT)


def state(citizen: Citizen) -> str:
    (found,) = citizen.contents()["sign_ins"]
    return str(found)


def back(**values: str) -> str:
    return f"{REDIRECT}?{urlencode(values)}"


def test_an_answer_to_nothing(citizen: Citizen) -> None:
    for callback in (back(code="c", iss=URL), back(code="c", state="", iss=URL), "", "https://["):
        with pytest.raises(NotPermitted):
            citizen.receiving.finish_authorization(callback)
    with pytest.raises(NotFound):
        citizen.receiving.finish_authorization(back(code="c", state="unknown", iss=URL))
    assert citizen.contents() == {}
    assert citizen.internet.asked == []


@pytest.mark.parametrize(
    "values",
    [
        {"code": "c", "iss": "https://evil.example"},
        {"code": "c", "iss": URL + "/"},
        {"code": "c"},
        {"iss": URL},
        {"error": "access_denied", "iss": "https://evil.example"},
    ],
    ids=str,
)
def test_an_answer_of_another_server(citizen: Citizen, values: dict[str, str]) -> None:
    begun(citizen)
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(back(state=state(citizen), **values))
    assert not citizen.internet.to(TOKEN)
    assert citizen.contents() == {"sign_ins": {}}


def test_an_answer_counts_once(citizen: Citizen) -> None:
    begun(citizen)
    answer = back(state=state(citizen), code="guessed", iss=URL)
    with pytest.raises(IssuerRefused):
        citizen.receiving.finish_authorization(answer)
    with pytest.raises(NotFound):
        citizen.receiving.finish_authorization(answer)


def test_an_answer_at_another_address_or_with_repeated_parts(citizen: Citizen) -> None:
    begun(citizen)
    known = state(citizen)
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(f"{REDIRECT}?state={known}&state={known}&code=c&iss={URL}")
    elsewhere = f"https://other.example/cb?{urlencode({'state': known, 'code': 'c', 'iss': URL})}"
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(elsewhere)
    assert not citizen.internet.to(TOKEN), "the code goes nowhere"


def test_the_server_cannot_be_changed_while_the_holder_signs_in(citizen: Citizen) -> None:
    """Mix-up: between question and answer the metadata name another token endpoint's server."""
    begun(citizen)
    citizen.internet.twist = change(ISSUER, authorization_servers=["https://evil.example"])
    with pytest.raises(OfferRefused):
        citizen.receiving.finish_authorization(back(state=state(citizen), code="secret", iss=URL))
    assert all("secret" not in one.body.decode() for one in citizen.internet.asked)


@pytest.mark.parametrize(
    "members",
    [
        {"authorization_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"authorization_endpoint": "http://licences.jincheng.example/a"},
    ],
    ids=range(3),
)
def test_a_server_that_does_not_protect_its_codes(citizen: Citizen, members: dict[str, Any]) -> None:
    citizen.internet.twist = change(SERVER, **members)
    with pytest.raises(OfferRefused):
        begun(citizen)
    assert citizen.contents() == {}


@pytest.mark.parametrize("handle", [None, 7, "", "u" * 3000], ids=range(4))
def test_a_pushed_request_without_a_handle(citizen: Citizen, handle: Any) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != "/oid4vci/par" or answer.status != 201:
            return answer
        return answered({"expires_in": 5, "request_uri": handle}, status=201)

    citizen.internet.twist = twist
    with pytest.raises(OfferRefused):
        begun(citizen)
    assert citizen.contents() == {}


def test_a_handle_stays_one_parameter(citizen: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        body = {"request_uri": "urn:x&redirect_uri=https://evil.example#", "expires_in": 5}
        return answered(body, status=201) if asked.path == "/oid4vci/par" and answer.status == 201 else answer

    citizen.internet.twist = twist
    url = begun(citizen)
    assert set(query_of(url)) == {"client_id", "request_uri"}
    assert "#" not in url


def test_only_so_many_sign_ins_wait(citizen: Citizen) -> None:
    considered = citizen.receiving.consider(citizen.office.offer(flow=Flow.CODE).by_reference)
    for _ in range(25):
        citizen.receiving.begin_authorization(considered, redirect_uri=REDIRECT)
    assert len(citizen.contents()["sign_ins"]) == 20


# Refresh


def test_a_hostile_refresh_leaves_the_copies(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    (held,) = stranger.receiving.accept(
        stranger.receiving.consider(offer.by_reference), tx_code=offer.tx_code
    )
    copies = stranger.contents()["copies"]
    stranger.internet.twist = deliver(forged(Pki().signer("credential")))
    with pytest.raises(DeliveryRefused):
        stranger.receiving.refresh(held.id)
    stranger.internet.twist = change(ISSUER, credential_issuer="https://other.example")
    with pytest.raises(OfferRefused):
        stranger.receiving.refresh(held.id)
    stranger.internet.twist = lambda _, answer: answer
    after = stranger.contents()
    assert (after["copies"], len(after["keys"])) == (copies, len(copies))
    assert stranger.receiving.refresh(held.id).copies == 10


def test_the_wallet_trusts_whom_it_trusts_at_that_moment(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    nobody = stranger.trusted(trust=TrustStore(()))
    receiving = Receiving(stranger.holder, stranger.outbound, trusted=nobody, clock=office.clock)
    considered = receiving.consider(offer.by_reference)
    assert not considered.is_verified
    with pytest.raises(DeliveryRefused):
        receiving.accept(considered, tx_code=offer.tx_code)
    assert stranger.contents() == {}

"""Metadata of others, swollen, without what is needed, signed by nobody we trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from world.hostile_issuers import (
    ES256_PROOFS,
    ISSUER,
    SERVER,
    TOKEN,
    TYPE,
    change,
    instead,
    link,
    offered,
    plain,
    refused,
)
from world.office import URL
from world.pki import Pki
from world.receiving import Citizen, answered

from credentials.oid4vci.vocabulary import METADATA_TYP, PRE_AUTHORIZED_CODE
from credentials.sd_jwt import chain_header
from signing.jose import sign_jws
from signing.signers.file import FileSigner
from wallet.receiving import OfferRefused
from yinxin.base.errors import TooLarge
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from world.receiving import Asked
    from world.vci import IssuingOffice


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

"""The issuer modules of the OpenID Foundation's conformance suite, by their names, as far as we reach.

Not mirrored, because we announce none of it: key attestations, client attestations, response encryption (its
refusal is `fail_unsupported_encryption_algorithm`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.office import URL
from world.vci import CLIENT, IssuingOffice, query_of

from credentials.sd_jwt import SdJwt
from signing.jose import parse_jws
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki
    from world.vci import Wallet

CREDENTIAL = "/oid4vci/credential"


@pytest.fixture(scope="module")
def issuer(pki: Pki) -> Iterator[IssuingOffice]:
    database = with_tables()
    yield IssuingOffice(pki, database, metadata_signer=pki.signer("metadata"))
    database.close()


@pytest.fixture
def wallet(issuer: IssuingOffice) -> Wallet:
    return authorized(issuer)


def authorized(issuer: IssuingOffice) -> Wallet:
    """HAIP's way: code flow with PAR, PKCE, DPoP and scope."""
    found = issuer.wallet(client_id=CLIENT)
    code = issuer.server.login_codes.hand_out(issuer.holder_of(issuer.licence), actor=issuer.clerk)
    answer = found.authorize(code)
    assert found.exchange(query_of(answer.headers["location"])["code"]).status_code == 200
    return found


def refused(wallet: Wallet, *proofs: Any, **more: Any) -> str:
    body = {"credential_configuration_id": "food-business-licence", "proofs": {"jwt": list(proofs)}, **more}
    answer = wallet.call(CREDENTIAL, {name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 400
    error: str = answer.json()["error"]
    return error


def good(wallet: Wallet) -> str:
    return wallet.prove(FileSigner.generate(), wallet.nonce())


def test_metadata_test(issuer: IssuingOffice) -> None:
    answer = issuer.client.get("/.well-known/openid-credential-issuer")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["credential_issuer"] == URL
    for one in found["credential_configurations_supported"].values():
        assert ("proof_types_supported" in one) == ("cryptographic_binding_methods_supported" in one)
        assert one["scope"], "HAIP: a scope for every configuration"


def test_metadata_test_signed(issuer: IssuingOffice) -> None:
    answer = issuer.client.get("/.well-known/openid-credential-issuer", headers={"Accept": "application/jwt"})
    token = parse_jws(answer.text)
    assert token.header["typ"] == "openidvci-issuer-metadata+jwt"
    assert token.header["x5c"]
    assert token.claims()["sub"] == URL


def test_happy_flow(wallet: Wallet) -> None:
    answer = wallet.fetch()
    assert answer.status_code == 200
    header = SdJwt.parse(answer.json()["credentials"][0]["credential"]).issuer_jwt.header
    assert header["typ"] == "dc+sd-jwt"
    assert header["x5c"]


def test_happy_flow_additional_requests(wallet: Wallet) -> None:
    first, second = wallet.fetch(), wallet.fetch()
    assert first.status_code == second.status_code == 200
    assert first.json()["notification_id"] != second.json()["notification_id"]


def test_happy_flow_multiple_clients(issuer: IssuingOffice) -> None:
    for wallet in (authorized(issuer), authorized(issuer)):
        assert wallet.fetch().status_code == 200


def test_happy_flow_skip_notification(wallet: Wallet) -> None:
    assert wallet.fetch().status_code == 200
    assert wallet.refresh().status_code == 200


def test_batch_issuance(wallet: Wallet, issuer: IssuingOffice) -> None:
    size = issuer.server.issuer_metadata()["batch_credential_issuance"]["batch_size"]
    credentials = wallet.fetch(keys=size).json()["credentials"]
    payloads = [SdJwt.parse(one["credential"]).payload for one in credentials]
    assert len({str(one["cnf"]) for one in payloads}) == size
    assert len({one["status"]["status_list"]["idx"] for one in payloads}) == size


def test_fail_invalid_nonce(wallet: Wallet) -> None:
    assert refused(wallet, wallet.prove(FileSigner.generate(), "not-a-nonce")) == "invalid_nonce"


def test_fail_missing_proof(wallet: Wallet) -> None:
    assert refused(wallet, proofs=None) == "invalid_proof"


def test_fail_invalid_jwt_proof_signature(wallet: Wallet) -> None:
    head, payload, signature = good(wallet).split(".")
    turned = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert refused(wallet, f"{head}.{payload}.{turned}") == "invalid_proof"


def test_fail_unknown_credential_configuration(wallet: Wallet) -> None:
    error = refused(wallet, good(wallet), credential_configuration_id="unknown")
    assert error == "unknown_credential_configuration"


def test_fail_unknown_credential_identifier(issuer: IssuingOffice) -> None:
    wallet = issuer.wallet(client_id=CLIENT)
    details = '[{"type":"openid_credential","credential_configuration_id":"food-business-licence"}]'
    code = issuer.server.login_codes.hand_out(issuer.holder_of(issuer.licence), actor=issuer.clerk)
    answer = wallet.authorize(code, scope=None, authorization_details=details)
    wallet.exchange(query_of(answer.headers["location"])["code"])
    asked = {"credential_configuration_id": None, "credential_identifier": "unknown"}
    assert refused(wallet, good(wallet), **asked) == "unknown_credential_identifier"


def test_fail_unsupported_encryption_algorithm(wallet: Wallet) -> None:
    wanted = {"jwk": wallet.key.public_key.to_jwk(), "alg": "unknown", "enc": "A256GCM"}
    error = refused(wallet, good(wallet), credential_response_encryption=wanted)
    assert error == "invalid_encryption_parameters"


def test_fail_on_access_token_in_query(wallet: Wallet, issuer: IssuingOffice) -> None:
    place = f"{CREDENTIAL}?access_token={wallet.tokens['access_token']}"
    answer = issuer.client.post(place, json={"credential_configuration_id": "food-business-licence"})
    assert answer.status_code == 401

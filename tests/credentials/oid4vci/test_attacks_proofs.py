"""Key proofs and requests for credentials as their attacker sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.office import URL

from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from world.vci import IssuingOffice, Wallet


CREDENTIAL, NOTIFICATION, TOKEN = "/oid4vci/credential", "/oid4vci/notification", "/oid4vci/token"


def ask(wallet: Wallet, *proofs: Any, **more: Any) -> tuple[int, str]:
    body = {"credential_configuration_id": "food-business-licence", "proofs": {"jwt": list(proofs)}, **more}
    answer = wallet.call(CREDENTIAL, {name: value for name, value in body.items() if value is not None})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json().get("error", "")


@pytest.mark.parametrize(
    "changed",
    [
        {"headers": {"typ": "JWT"}},
        {"headers": {"typ": ""}},
        {"headers": {"typ": "openid4vci-proof+JWT"}},
        {"headers": {"kid": "did:example:1#0"}},
        {"headers": {"x5c": ["MII="]}},
        {"headers": {"jwk": None}},
        {"headers": {"jwk": None, "kid": "did:example:1#0"}},
        {"headers": {"trust_chain": []}},
        {"headers": {"crit": ["x"], "x": 1}},
        {"headers": {"jwk": "text"}},
        {"headers": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"headers": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
        {"aud": "https://evil.example"},
        {"aud": [URL]},
        {"aud": None},
        {"aud": URL + "/"},
        {"iss": "somebody"},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": 0},
        {"iat": 1 << 60},
        {"exp": 1},
        {"nbf": 1 << 60},
        {"exp": "never"},
        {"nonce": None},
        {"nonce": 5},
        {"nonce": ""},
    ],
    ids=str,
)
def test_a_proof_that_breaks_a_rule_is_refused(wallet: Wallet, changed: dict[str, Any]) -> None:
    proof = wallet.prove(FileSigner.generate(), wallet.nonce(), **changed)
    assert ask(wallet, proof) == (400, "invalid_proof")


def test_the_private_key_in_a_proof_is_refused(wallet: Wallet) -> None:
    holder = FileSigner.generate()
    jwk = {**holder.public_key.to_jwk(), "d": encode_base64url(bytes(32))}
    assert ask(wallet, wallet.prove(holder, wallet.nonce(), headers={"jwk": jwk})) == (400, "invalid_proof")


def test_a_proof_signed_by_another_key_is_refused(wallet: Wallet) -> None:
    proof = wallet.prove(FileSigner.generate(), wallet.nonce(), signer=FileSigner.generate())
    assert ask(wallet, proof) == (400, "invalid_proof")


@pytest.mark.parametrize("kind", ["P-384", "Ed25519"])
def test_the_algorithm_is_pinned(wallet: Wallet, kind: Any) -> None:
    assert ask(wallet, wallet.prove(FileSigner.generate(kind), wallet.nonce())) == (400, "invalid_proof")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256K", "", None, 5])
def test_algorithm_confusion_is_refused(wallet: Wallet, algorithm: Any) -> None:
    holder = FileSigner.generate()
    head, payload, signature = wallet.prove(holder, wallet.nonce()).split(".")
    del head
    header = {"typ": "openid4vci-proof+jwt", "alg": algorithm, "jwk": holder.public_key.to_jwk()}
    for end in (signature, ""):
        forged = f"{encode_base64url(dump_json(header))}.{payload}.{end}"
        assert ask(wallet, forged) == (400, "invalid_proof")


def test_a_nonce_serves_one_request(wallet: Wallet) -> None:
    nonce = wallet.nonce()
    assert ask(wallet, wallet.prove(FileSigner.generate(), nonce))[0] == 200
    assert ask(wallet, wallet.prove(FileSigner.generate(), nonce)) == (400, "invalid_nonce")


def test_a_bad_proof_does_not_burn_a_nonce(wallet: Wallet) -> None:
    nonce, holder = wallet.nonce(), FileSigner.generate()
    assert ask(wallet, wallet.prove(holder, nonce, aud="https://evil.example"))[0] == 400
    assert ask(wallet, wallet.prove(holder, nonce))[0] == 200


def test_a_nonce_is_over_after_five_minutes(wallet: Wallet, light_office: IssuingOffice) -> None:
    nonce = wallet.nonce()
    light_office.clock.advance(timedelta(minutes=5))
    refreshed = light_office.wallet(key=wallet.key, tokens=wallet.tokens)
    assert refreshed.refresh().status_code == 200
    assert ask(refreshed, refreshed.prove(FileSigner.generate(), nonce)) == (400, "invalid_nonce")


@pytest.mark.parametrize("nonce", ["x", "A" * 50, "A" * 49 + "=", "ü" * 50])
def test_a_nonce_of_ones_own_making_is_refused(wallet: Wallet, nonce: str) -> None:
    assert ask(wallet, wallet.prove(FileSigner.generate(), nonce)) == (400, "invalid_nonce")


def test_a_dpop_nonce_is_no_c_nonce(wallet: Wallet) -> None:
    assert wallet.dpop_nonce
    assert ask(wallet, wallet.prove(FileSigner.generate(), wallet.dpop_nonce)) == (400, "invalid_nonce")


def test_batches_are_bounded_and_hold_no_key_twice(wallet: Wallet) -> None:
    nonce, holder = wallet.nonce(), FileSigner.generate()
    twins = [wallet.prove(holder, nonce), wallet.prove(holder, nonce)]
    assert ask(wallet, *twins) == (400, "invalid_proof")
    many = [wallet.prove(FileSigner.generate(), nonce) for _ in range(11)]
    assert ask(wallet, *many) == (400, "invalid_proof")
    mixed = [wallet.prove(FileSigner.generate(), nonce), wallet.prove(FileSigner.generate(), wallet.nonce())]
    assert ask(wallet, *mixed) == (400, "invalid_proof")
    assert ask(wallet) == (400, "invalid_proof")
    assert ask(wallet, *many[:10])[0] == 200


@pytest.mark.parametrize("proof", [5, None, {}, [], "", ".", "a.b.c", "x" * 9000, "é.é.é"])
def test_what_is_no_proof_is_refused(wallet: Wallet, proof: Any) -> None:
    assert ask(wallet, proof) == (400, "invalid_proof")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"proofs": None}, "invalid_proof"),
        ({"proofs": []}, "invalid_proof"),
        ({"proofs": {}}, "invalid_proof"),
        ({"proofs": {"jwt": "x"}}, "invalid_proof"),
        ({"proofs": {"attestation": ["x"]}}, "invalid_proof"),
        ({"proofs": {"jwt": ["x"], "attestation": ["x"]}}, "invalid_proof"),
        ({"proof": {"proof_type": "jwt", "jwt": "x"}}, "invalid_credential_request"),
        ({"credential_configuration_id": None}, "invalid_credential_request"),
        ({"credential_configuration_id": 5}, "invalid_credential_request"),
        ({"credential_identifier": "x"}, "invalid_credential_request"),
        ({"credential_configuration_id": "nothing"}, "unknown_credential_configuration"),
        ({"credential_configuration_id": "business-licence"}, "credential_request_denied"),
        ({"credential_response_encryption": {}}, "invalid_encryption_parameters"),
    ],
    ids=str,
)
def test_a_credential_request_that_breaks_a_rule(wallet: Wallet, more: dict[str, Any], error: str) -> None:
    assert ask(wallet, wallet.prove(FileSigner.generate(), wallet.nonce()), **more) == (400, error)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"credential_configuration_id":"a","credential_configuration_id":"b"}',
        b'{"a":NaN}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":"\xff"}',
        b'{"a":"' + b"x" * 140_000 + b'"}',
    ],
    ids=lambda content: str(content[:30]),
)
def test_json_traps_are_refused(wallet: Wallet, content: bytes) -> None:
    answer = wallet.call(CREDENTIAL, content)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_credential_request")

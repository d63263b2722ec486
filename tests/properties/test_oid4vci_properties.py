"""Whatever a stranger sends to the issuer: a refusal in the protocol's words, never anything else."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from credentials.http.wallets import prefers_jwt
from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.clients import WalletClient, read_clients
from credentials.oid4vci.dpop import check_dpop
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.nonces import Nonces
from credentials.oid4vci.proofs import check_key_proofs
from credentials.oid4vci.pushed import read_pushed_request
from credentials.oid4vci.requests import (
    read_authorization_details,
    read_credential_request,
    read_notification,
    read_token_request,
)
from signing.base64url import encode_base64url
from signing.jose import sign_jws
from signing.signers.file import FileSigner
from yinxin.base.errors import UsageError, YinxinError
from yinxin.base.randomness import UnsafeSeededRandomness
from yinxin.web.bodies import parse_form

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://licences.example"
NONCES = Nonces(bytes(32), "c_nonce", randomness=UnsafeSeededRandomness("nonces"))
OTHERS = Nonces(bytes(32), "dpop", randomness=UnsafeSeededRandomness("nonces"))
KEY = FileSigner.generate()
CONFIGURATIONS = frozenset({"a", "b"})
CLIENTS = read_clients(("app https://wallet.example/cb", "native http://127.0.0.1/cb"))
DESCRIPTION = {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}  # RFC 6749, 5.2

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def members(*known: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose members are often those that count."""
    return st.dictionaries(st.sampled_from(known) | st.text(max_size=8), json_values, max_size=8)


def forms(*known: str) -> st.SearchStrategy[dict[str, str]]:
    values = st.text(max_size=60) | st.sampled_from(
        ["a", "code", "S256", "query", "app", "https://wallet.example/cb", "A" * 43, *_GRANTS]
    )
    return st.dictionaries(st.sampled_from(known) | st.text(max_size=8), values, max_size=12)


_GRANTS = [names.PRE_AUTHORIZED_CODE, names.AUTHORIZATION_CODE, names.REFRESH_TOKEN]


def fits_oauth(refused: Refused, *expected: str) -> None:
    assert refused.error in (expected or {refused.error} - {""})
    assert refused.status in {400, 401}
    assert set(refused.detail) <= DESCRIPTION


@given(
    forms(
        "grant_type", "pre-authorized_code", "tx_code", "code", "code_verifier", "redirect_uri",
        "client_id", "refresh_token", "authorization_details", "client_secret",
    )
)  # fmt: skip
def test_token_requests(form: dict[str, str]) -> None:
    try:
        read_token_request(form, configurations=CONFIGURATIONS)
    except Refused as refused:
        fits_oauth(refused)


@given(
    forms(
        "client_id", "redirect_uri", "response_type", "scope", "code_challenge", "code_challenge_method",
        "state", "issuer_state", "dpop_jkt", "authorization_details", "request", "response_mode",
    )
)  # fmt: skip
def test_pushed_requests(form: dict[str, str]) -> None:
    try:
        found = read_pushed_request(form, clients=CLIENTS, configurations=CONFIGURATIONS, proven_key=None)
    except Refused as refused:
        fits_oauth(refused)
    else:
        assert CLIENTS[found.client_id].allows(found.redirect_uri)
        assert set(found.wanted) <= CONFIGURATIONS


@given(json_values | st.lists(members("type", "credential_configuration_id", "claims", "locations")))
def test_authorization_details(value: Any) -> None:
    try:
        found = read_authorization_details(json.dumps(value), configurations=CONFIGURATIONS)
    except Refused as refused:
        fits_oauth(refused, "invalid_authorization_details")
    else:
        assert set(found) <= CONFIGURATIONS


@given(
    members(
        "credential_identifier", "credential_configuration_id", "proofs", "proof",
        "credential_response_encryption",
    )
)  # fmt: skip
def test_credential_requests(body: dict[str, Any]) -> None:
    try:
        found = read_credential_request(body)
    except Refused as refused:
        fits_oauth(refused)
    else:
        assert (found.identifier is None) != (found.configuration is None)
        assert 1 <= len(found.proofs) <= names.BATCH_SIZE


@given(members("notification_id", "event", "event_description"))
def test_notifications(body: dict[str, Any]) -> None:
    with suppress(Refused):
        read_notification(body)


@given(st.binary(max_size=400))
def test_forms_of_any_bytes(data: bytes) -> None:
    with suppress(YinxinError):
        parse_form(data)


@given(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=10), max_size=10))
def test_forms_come_back(values: dict[str, str]) -> None:
    with suppress(UnicodeEncodeError):
        assert parse_form(urlencode(values).encode()) == values


@given(st.text(max_size=200) | json_values)
def test_what_is_no_proof(text: Any) -> None:
    with suppress(Refused):
        check_key_proofs([text], issuer=URL, client_id=None, nonces=NONCES, now=NOW)
        raise AssertionError("it passed")
    with suppress(Refused):
        check_dpop(text, method="POST", url=URL, nonces=OTHERS, now=NOW)
        raise AssertionError("it passed")


@given(members("typ", "jwk", "kid", "x5c", "crit"), members("aud", "iat", "nonce", "iss", "exp", "nbf"))
def test_signed_proofs_of_any_content(header: dict[str, Any], claims: dict[str, Any]) -> None:
    header.pop("alg", None)
    given_header = {"typ": names.PROOF_TYP, "jwk": KEY.public_key.to_jwk(), **header}
    with suppress(UnicodeEncodeError):
        proof = sign_jws(claims, KEY, headers=given_header)
        with suppress(Refused):
            check_key_proofs([proof], issuer=URL, client_id=None, nonces=NONCES, now=NOW)
            raise AssertionError("it passed without a nonce of ours")


@given(members("typ", "jwk"), members("htm", "htu", "iat", "jti", "nonce", "ath"))
def test_signed_dpop_proofs_of_any_content(header: dict[str, Any], claims: dict[str, Any]) -> None:
    header.pop("alg", None)
    given_header = {"typ": names.DPOP_TYP, "jwk": KEY.public_key.to_jwk(), **header}
    right = {"htm": "POST", "htu": URL, "iat": int(NOW.timestamp()), "jti": "1"}
    with suppress(UnicodeEncodeError):
        proof = sign_jws({**right, **claims}, KEY, headers=given_header)
        with suppress(Refused):
            check_dpop(proof, method="POST", url=URL, nonces=OTHERS, now=NOW)
            raise AssertionError("it passed without a nonce of ours")


@given(st.text(max_size=60) | st.binary(min_size=37, max_size=37).map(encode_base64url))
def test_nonces_of_others_are_nothing(text: str) -> None:
    assert NONCES.expires_at(text, now=NOW) is None


@given(st.integers(0, 600))
def test_a_nonce_lives_its_time_and_serves_its_purpose(seconds: int) -> None:
    nonce = NONCES.make(now=NOW)
    later = NOW + timedelta(seconds=seconds)
    assert (NONCES.expires_at(nonce, now=later) is not None) == (later < NOW + names.NONCE_LIFE)
    assert OTHERS.expires_at(nonce, now=NOW) is None


@given(st.text(max_size=80))
def test_redirect_uris_of_any_text(uri: str) -> None:
    for client in CLIENTS.values():
        if client.allows(uri):
            assert uri in client.redirect_uris or uri.startswith("http://127.0.0.1:")
    with suppress(UsageError):
        WalletClient("x", (uri,))
        assert ":" in uri


@given(st.text(max_size=200))
def test_accept_headers_of_any_text(accept: str) -> None:
    assert prefers_jwt(accept) in {True, False}

"""The verifier modules of the OpenID Foundation's conformance suite, by their names, over loopback HTTP.

The wallet is the test's own: it answers rightly but for the one thing that the module is about. A module
that expects a refusal sees the wallet told so, the session ended with a verdict that fails, and its reason.
Which modules are here and which cannot be: docs/reference/conformance.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from world.departments import FORM, TYPE
from world.presentations import AskingCity, request_id_of

from credentials.key_binding import withhold
from credentials.mdoc import MdocValidity, issue_mdoc, present_mdoc
from credentials.oid4vp.responses import answer
from credentials.oid4vp.transcripts import transcript_of
from credentials.sd_jwt import SdJwt
from credentials.vocabulary import LICENCE_IDENTIFIER
from signing.base64url import encode_base64url
from signing.jose import parse_jws, sign_jws
from wallet.exchange import Reply as Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.oid4vp.requests import AuthorizationRequest


@pytest.fixture(scope="module")
def city() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.fixture
def credential(city: AskingCity) -> str:
    number = int.from_bytes(city.randomness.bytes(3), "big")
    return city.credential(city.licence(f"{number:09d}"))


def bind(city: AskingCity, request: AuthorizationRequest, credential: str, **changed: Any) -> str:
    """The credential with what was asked for and a key binding; `changed` replaces claims of it."""
    parsed = SdJwt.parse(credential)
    chosen = withhold(parsed, disclose=[("operator_name",), ("credit_code",), ("business_premises",)])
    claims = {
        "iat": int(city.clock.now().timestamp()),
        "aud": str(request.client_id),
        "nonce": request.nonce,
        "sd_hash": encode_base64url(hashlib.sha256(chosen.encode()).digest()),
        **changed,
    }
    return chosen + sign_jws(claims, city.baker, headers={"typ": "kb+jwt"})


def post(city: AskingCity, request: AuthorizationRequest, presentation: str) -> int:
    """What the verifier answers the wallet."""
    form = answer(request, {request.query.credentials[0].id: [presentation]})
    return city.post(Sent(request.response_uri, form)).status


def passes(city: AskingCity, credential: str, **wish: Any) -> None:
    started = city.started(**wish)
    request = city.fetch(started["link"]).request
    assert post(city, request, bind(city, request, credential)) == 200
    outcome = city.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "passed")
    assert outcome["results"][TYPE][0]["claims"]["operator_name"] == "津城小麦面包坊"


def fails(city: AskingCity, reason: str, credential: str, **changed: Any) -> None:
    started = city.started()
    request = city.fetch(started["link"]).request
    presentation = bind(city, request, credential, **changed)
    if reason == "key_binding_invalid" and not changed:
        presentation = turned(presentation, part=-1)
    assert post(city, request, presentation) == 400
    outcome = city.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "failed")
    assert outcome["reasons"] == [reason]


def turned(text: str, *, part: int) -> str:
    """With one character of a signature turned: of the issuer's (0) or the holder's (-1) token."""
    parts = text.split("~")
    head, payload, signature = parts[part].split(".")
    parts[part] = f"{head}.{payload}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"
    return "~".join(parts)


@pytest.mark.parametrize("encrypted", [True, False], ids=["direct_post.jwt", "direct_post"])
def test_happy_flow(city: AskingCity, credential: str, *, encrypted: bool) -> None:
    passes(city, credential, encrypted=encrypted)


def test_request_uri_method_post(city: AskingCity, credential: str) -> None:
    """By POST the request object comes with the wallet's nonce, and never without."""
    started = city.started()
    path = f"/oid4vp/requests/{request_id_of(started['link'])}"
    assert "request_uri_method=post" in started["link"]
    reply = city.call("POST", path, b"wallet_nonce=wallet-nonce-1&wallet_metadata=%7B%7D", FORM)
    assert reply.headers["content-type"] == "application/oauth-authz-req+jwt"
    assert parse_jws(reply.body.decode()).claims()["wallet_nonce"] == "wallet-nonce-1"
    request = city.fetch(started["link"]).request
    assert post(city, request, bind(city, request, credential)) == 200


def test_request_uri_fetched_twice(city: AskingCity, credential: str) -> None:
    started = city.started()
    first, second = (city.fetch(started["link"]).request for _ in range(2))
    assert (first.nonce, first.state) == (second.nonce, second.state)
    assert post(city, second, bind(city, second, credential)) == 200


def test_minimal_cnf_jwk(city: AskingCity, credential: str) -> None:
    """The holder's key has its members and nothing else: no kid, no alg, no use."""
    assert set(SdJwt.parse(credential).payload["cnf"]["jwk"]) == {"kty", "crv", "x", "y"}
    passes(city, credential)


def test_invalid_kb_jwt_signature(city: AskingCity, credential: str) -> None:
    fails(city, "key_binding_invalid", credential)


def test_invalid_credential_signature(city: AskingCity, credential: str) -> None:
    fails(city, "sig_crypto_failure", turned(credential, part=0))


def test_invalid_sd_hash(city: AskingCity, credential: str) -> None:
    fails(city, "key_binding_invalid", credential, sd_hash=encode_base64url(bytes(32)))


def test_invalid_kb_jwt_nonce(city: AskingCity, credential: str) -> None:
    fails(city, "wrong_nonce", credential, nonce="another-nonce")


def test_invalid_kb_jwt_aud(city: AskingCity, credential: str) -> None:
    fails(city, "wrong_audience", credential, aud="x509_hash:another")


def test_kb_jwt_iat_in_past(city: AskingCity, credential: str) -> None:
    past = city.clock.now() - timedelta(days=1)
    fails(city, "key_binding_stale", credential, iat=int(past.timestamp()))


def test_kb_jwt_iat_in_future(city: AskingCity, credential: str) -> None:
    future = city.clock.now() + timedelta(days=1)
    fails(city, "key_binding_stale", credential, iat=int(future.timestamp()))


def test_invalid_session_transcript(city: AskingCity) -> None:
    """Of an mdoc: the device signed the transcript of another nonce, and otherwise all is right."""
    started = city.started(forms=["mdoc"])
    request = city.fetch(started["link"]).request
    shown = mdoc_for(city, replace(request, nonce="another-nonce"))
    assert post(city, request, shown) == 400
    outcome = city.outcome(started["id"]).json
    assert (outcome["indication"], outcome["reasons"]) == ("failed", ["key_binding_invalid"])
    again = city.started(forms=["mdoc"])
    request = city.fetch(again["link"]).request
    assert post(city, request, mdoc_for(city, request)) == 200
    assert city.outcome(again["id"]).json["indication"] == "passed"


def mdoc_for(city: AskingCity, request: AuthorizationRequest) -> str:
    """A licence as mdoc, made just now and shown as the request asks."""
    licence, now = city.licence(f"{int.from_bytes(city.randomness.bytes(3), 'big'):09d}"), city.clock.now()
    (asked,) = request.query.credentials
    (kind,) = asked.types
    issued = issue_mdoc(
        kind,
        {kind: {LICENCE_IDENTIFIER: licence.identifier, **licence.claims}},
        signer=city.pki.signer("mdoc", "津城市市场监督管理局"),
        holder_key=city.baker.public_key,
        valid=MdocValidity(now, now, now + timedelta(days=30)),
        randomness=city.randomness,
    )
    names = [str(one.path[1]) for one in asked.claims or ()]
    shown = present_mdoc(issued, disclose={kind: names}, holder=city.baker, transcript=transcript_of(request))
    return encode_base64url(shown)


def test_the_response_goes_to_the_verifier_itself(city: AskingCity) -> None:
    """HAIP: response_uri on the verifier's own host, by https, and no redirect_uri beside it."""
    token = city.call("GET", f"/oid4vp/requests/{request_id_of(city.started()['link'])}").body.decode()
    claims = parse_jws(token).claims()
    assert urlsplit(claims["response_uri"]).scheme == "https"
    assert "redirect_uri" not in claims
    assert claims["client_id"].startswith("x509_hash:")
    assert set(claims["client_metadata"]["encrypted_response_enc_values_supported"]) == {"A128GCM", "A256GCM"}

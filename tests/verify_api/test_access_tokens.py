"""Who gets an access token, and what happens to everybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from world.departments import BUREAU, FIRE, FORM, MATTER, PURPOSE, REVIEWER, URL, City

from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from verify_api.http import Limits

if TYPE_CHECKING:
    from world.departments import Reply


def refused(reply: Reply, error: str = "invalid_client", status: int = 401) -> None:
    assert reply.status == status, reply.body
    assert reply.json["error"] == error
    assert set(reply.json) == {"error", "error_description"}
    assert reply.headers["cache-control"] == "no-store"


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def hand_made(header: Any, claims: Any, signature: bytes = b"x" * 64) -> str:
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}.{encode(signature)}"


def test_a_registered_key_gets_a_token_for_five_minutes(city: City) -> None:
    for audience in (f"{URL}/v1/token", URL, [URL]):
        reply = city.ask_token(city.assertion(aud=audience))
        assert reply.status == 200
        assert reply.json["token_type"] == "Bearer"
        assert reply.json["expires_in"] == 300
        assert reply.json["scope"] == "verify"


def test_every_algorithm_that_a_department_may_register(city: City) -> None:
    for kind in ("P-256", "P-384", "Ed25519", "RSA-2048"):
        name, signer = f"urn:jincheng:{kind.lower()}", FileSigner.generate(kind)  # type: ignore[arg-type]
        city.register(name, signer)
        city.clock.advance(timedelta(seconds=6))  # the directory looks again after five
        named = {"typ": "client-authentication+jwt", "kid": signer.public_key.thumbprint}
        for headers in ({"typ": "JWT"}, {"typ": "JWT", "kid": "unknown"}, named):
            reply = city.ask_token(city.assertion(name, signer=signer, headers=headers))
            assert reply.status == 200, (kind, reply.body)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example/v1/token"},
        {"aud": [URL, "https://other.example"]},
        {"aud": []},
        {"aud": None},
        {"aud": 7},
        {"iss": FIRE},
        {"iss": None},
        {"sub": FIRE},
        {"sub": "https://nobody.example"},
        {"sub": ["x"]},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**19},
        {"iat": -(10**19)},
        {"iat": 1e300},
        {"nbf": 10**11},
        {"nbf": "x"},
        {"jti": None},
        {"jti": ""},
        {"jti": "short"},
        {"jti": "x" * 129},
        {"jti": 12345678},
        {"jti": {"a": 1}},
    ],
    ids=str,
)
def test_an_assertion_with_a_wrong_claim(city: City, changes: dict[str, Any]) -> None:
    refused(city.ask_token(city.assertion(**changes)))


def test_an_assertion_lives_five_minutes_at_most_and_not_in_the_past_or_future(city: City) -> None:
    now = int(city.clock.now().timestamp())
    for issued, ends in (
        (now, now + 301),
        (now - 100, now),
        (now - 400, now - 100),
        (now + 31, now + 60),
        (now + 10, now + 5),
    ):
        refused(city.ask_token(city.assertion(iat=issued, exp=ends)))
    assert city.ask_token(city.assertion(iat=now + 20, exp=now + 300)).status == 200


def test_an_assertion_is_good_once(city: City) -> None:
    assertion = city.assertion()
    assert city.ask_token(assertion).status == 200
    refused(city.ask_token(assertion))
    # The same jti in another assertion is a replay too; another department may use it.
    jti = "the-same-identifier"
    assert city.ask_token(city.assertion(jti=jti)).status == 200
    refused(city.ask_token(city.assertion(jti=jti, exp=int(city.clock.now().timestamp()) + 200)))
    assert city.ask_token(city.assertion(FIRE, jti=jti)).status == 200


def test_one_of_many_at_the_same_time_wins(city: City) -> None:

    assertion = city.assertion()
    with ThreadPoolExecutor(16) as pool:
        statuses = [reply.status for reply in pool.map(lambda _: city.ask_token(assertion), range(48))]
    assert sorted(set(statuses)) == [200, 401]
    assert statuses.count(200) == 1


def test_keys_and_algorithms_are_not_confused(city: City) -> None:
    key = city.keys[BUREAU].public_key
    now = int(city.clock.now().timestamp())
    claims = {"iss": BUREAU, "sub": BUREAU, "aud": URL, "iat": now, "exp": now + 60, "jti": "confused-12345"}
    refused(city.ask_token(city.assertion(signer=city.keys[FIRE])))  # another department's key
    refused(city.ask_token(city.assertion(signer=FileSigner.generate())))
    refused(city.ask_token(hand_made({"alg": "none", "typ": "JWT"}, claims, b"")))
    refused(city.ask_token(hand_made({"alg": "None", "typ": "JWT"}, claims, b"")))
    secrets = (key.spki, dump_json(key.to_jwk()), key.point, b"")
    for secret in secrets:  # the public key as an HMAC secret
        head = (
            encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
            + "."
            + encode(json.dumps(claims).encode())
        )
        mac = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        refused(city.ask_token(f"{head}.{encode(mac)}"))
    own = FileSigner.generate()  # a key that the token brings along
    for header in (
        {"jwk": own.public_key.to_jwk()},
        {"jku": "http://127.0.0.1/keys"},
        {"x5u": "http://127.0.0.1/c"},
    ):
        refused(city.ask_token(city.assertion(signer=own, headers={"typ": "JWT", **header})))
    refused(city.ask_token(city.assertion(headers={"typ": "JWT", "crit": ["x"], "x": 1})))
    refused(city.ask_token(city.assertion(headers={"typ": "at+jwt"})))
    refused(city.ask_token(city.assertion(headers={"typ": "yinxin-receipt+jwt"})))


def test_a_signature_has_one_spelling(city: City) -> None:
    assertion = city.assertion()
    for changed in (
        assertion + "=",
        assertion + "==",
        assertion[:-1] + "\n",
        assertion.replace("-", "+"),
        assertion[:-4],
    ):
        if changed != assertion:
            refused(city.ask_token(changed))
    r_s = sign_jws({"sub": BUREAU}, city.keys[BUREAU], headers={"typ": "JWT"})
    refused(city.ask_token(r_s))


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials\x00"}, "unsupported_grant_type", 400),
        ({"client_assertion_type": "x"}, "invalid_client", 401),
        ({"client_assertion": ""}, "invalid_client", 401),
        ({"client_assertion": "a.b"}, "invalid_client", 401),
        ({"client_assertion": "\x00" * 40}, "invalid_client", 401),
        ({"client_assertion": "e30." * 3000}, "invalid_client", 401),
        ({"scope": "everything"}, "invalid_scope", 400),
        ({"scope": "verify everything"}, "invalid_scope", 400),
    ],
    ids=str,
)
def test_token_requests_that_are_none(city: City, changes: dict[str, str], error: str, status: int) -> None:
    refused(city.ask_token(city.assertion(), **changes), error, status)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", FORM),
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM),
        (b"&".join(b"a%d=1" % n for n in range(100)), FORM),
        (b"\xff\xfe=%zz", FORM),
        (b"grant_type=%ff", FORM),
        (b"{}", {"Content-Type": "application/json"}),
        (b"x" * 20_000, FORM),
        (b"a=1", {**FORM, "Content-Encoding": "gzip"}),
    ],
    ids=["empty", "repeated", "many", "not-ascii", "not-utf8", "json", "large", "gzip"],
)
def test_bodies_that_are_no_token_request(city: City, body: bytes, headers: dict[str, str]) -> None:
    reply = city.call("POST", "/v1/token", body, headers)
    assert reply.status == 400
    assert reply.json["error"] in {"invalid_request", "unsupported_grant_type"}


def test_a_token_is_ours_in_date_and_of_its_kind(city: City) -> None:
    now = int(city.clock.now().timestamp())
    good = {
        "iss": URL, "sub": BUREAU, "client_id": BUREAU, "aud": URL,
        "iat": now, "exp": now + 300, "jti": "x", "scope": "verify",
    }  # fmt: skip
    ours = city.service.tokens._signer

    def use(claims: dict[str, Any], *, signer: FileSigner = ours, typ: str = "at+jwt", **headers: Any) -> int:  # type: ignore[assignment]
        token = sign_jws(claims, signer, headers={"typ": typ, **headers})
        return city.call("POST", "/v1/nonces", b"", {"Authorization": f"Bearer {token}"}).status

    assert use(good) == 200
    assert use(good, signer=FileSigner.generate()) == 401
    assert use(good, signer=city.keys[BUREAU]) == 401
    assert use(good, signer=city.service.receipt_signer) == 401  # type: ignore[arg-type]
    assert use(good, typ="JWT") == 401
    assert use(good, crit=["x"], x=1) == 401
    for change in (
        {"iss": "https://other.example"},
        {"aud": "https://other.example"},
        {"exp": now},
        {"iat": now + 3600, "exp": now + 7200},
        {"exp": "later"},
        {"scope": "other"},
        {"scope": 5},
        {"sub": "https://nobody.example"},
        {"sub": None},
    ):
        assert use({**good, **change}) == 401, change
    assertion = city.assertion()
    assert city.call("POST", "/v1/nonces", b"", {"Authorization": f"Bearer {assertion}"}).status == 401


def test_a_token_ends_after_five_minutes(city: City) -> None:
    token = city.token()
    headers = {"Authorization": f"Bearer {token}"}
    assert city.call("POST", "/v1/nonces", b"", headers).status == 200
    city.clock.advance(timedelta(minutes=5))
    late = city.call("POST", "/v1/nonces", b"", headers)
    assert late.status == 401
    assert late.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "bearer x.y.z",
        "Bearer a b",
        "Bearer " + "x" * 9000,
        "DPoP x",
        "Bearer \x80",
    ],
)
def test_a_bad_authorization_is_never_treated_as_none(city: City, value: str) -> None:
    reply = city.ask({"licence": "x"}, as_=None, headers={"Authorization": value})
    assert reply.status == 401
    assert reply.json["code"] == "unauthenticated"


def test_two_authorizations_are_refused(city: City) -> None:
    token = city.token()
    head = f"Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"
    answer = city.raw(f"POST /v1/nonces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode())
    assert b" 401 " in answer.split(b"\r\n")[0]


def test_a_suspended_department_is_refused_with_its_old_token_too(city: City) -> None:

    name, signer = "urn:jincheng:short-lived", FileSigner.generate()
    city.register(name, signer)
    city.keys[name] = signer
    city.clock.advance(timedelta(seconds=6))
    token = city.token(name)
    city.registry.suspend(name, actor=REVIEWER)
    city.clock.advance(timedelta(seconds=6))
    body = dump_json({"licence": "x", "purpose": PURPOSE, "matter": MATTER})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    assert city.call("POST", "/v1/verifications", body, headers).status == 401
    refused(city.ask_token(city.assertion(name)))


def test_the_published_keys_and_metadata(city: City) -> None:

    keys = KeySet.import_key_set(city.call("GET", "/v1/jwks").json)
    claims = jwt.decode(city.token(), keys, algorithms=["ES256"]).claims
    assert claims["sub"] == BUREAU
    metadata = city.call("GET", "/.well-known/oauth-authorization-server").json
    assert metadata["token_endpoint"] == f"{URL}/v1/token"
    assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]


def test_many_wrong_attempts_are_slowed_down() -> None:

    city = City(limits=Limits())
    try:
        replies = [
            city.call("POST", "/v1/token", urlencode({"grant_type": "x"}).encode(), FORM) for _ in range(31)
        ]
        assert [reply.status for reply in replies] == [400] * 30 + [429]
        assert replies[-1].headers["content-type"] == "application/problem+json"
    finally:
        city.close()

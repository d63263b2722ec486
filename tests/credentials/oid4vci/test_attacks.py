"""Each endpoint as its attacker sees it: forged, replayed, stolen, doubled, oversized."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.office import URL
from world.vci import CLIENT, SECRET, ath

from credentials.http import wallet_router
from credentials.oid4vci.nonces import Nonces
from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.signers.file import FileSigner
from yinxin.app import problems
from yinxin.base.buckets import Limit
from yinxin.base.errors import UsageError
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from world.pki import Pki
    from world.vci import IssuingOffice, Wallet

CREDENTIAL, NOTIFICATION, TOKEN = "/oid4vci/credential", "/oid4vci/notification", "/oid4vci/token"

STRANGER = {  # RFC 7517, appendix A.1
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


@pytest.fixture
def wallet(light_office: IssuingOffice) -> Wallet:
    """A wallet that has its token and may fetch."""
    found = light_office.wallet()
    found.redeem(light_office.offer())
    return found


def ask(wallet: Wallet, *proofs: Any, **more: Any) -> tuple[int, str]:
    body = {"credential_configuration_id": "food-business-licence", "proofs": {"jwt": list(proofs)}, **more}
    answer = wallet.call(CREDENTIAL, {name: value for name, value in body.items() if value is not None})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json().get("error", "")


# Key proofs (appendix F)


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


# Access tokens and DPoP


def send(wallet: Wallet, headers: list[tuple[str, str]], path: str = CREDENTIAL) -> tuple[int, str, str]:
    answer = wallet.office.client.post(path, headers=headers, json={})
    challenge = answer.headers.get("www-authenticate", "")
    return answer.status_code, answer.json().get("error", ""), challenge


def dpop_headers(wallet: Wallet, scheme: str = "DPoP", **changed: Any) -> list[tuple[str, str]]:
    token = wallet.tokens["access_token"]
    proof = wallet.dpop(CREDENTIAL, access=token, **changed)
    return [("Authorization", f"{scheme} {token}"), ("DPoP", proof)]


def test_a_good_proof_gets_as_far_as_the_body(wallet: Wallet) -> None:
    assert send(wallet, dpop_headers(wallet))[:2] == (400, "invalid_credential_request")


@pytest.mark.parametrize("path", [CREDENTIAL, NOTIFICATION])
def test_without_a_token_one_is_told_how_to_come(light_office: IssuingOffice, path: str) -> None:
    answer = light_office.client.post(path, json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'DPoP algs="ES256"'
    assert answer.json() == {}


def test_a_token_in_the_query_or_the_body_counts_for_nothing(wallet: Wallet) -> None:
    token = wallet.tokens["access_token"]
    answer = wallet.office.client.post(f"{CREDENTIAL}?access_token={token}", json={"access_token": token})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": URL + TOKEN},
        {"htu": "https://evil.example" + CREDENTIAL},
        {"htu": None},
        {"htu": URL + CREDENTIAL + "/"},
        {"htu": "https://u@licences.jincheng.example" + CREDENTIAL},
        {"htu": "https://[licences" + CREDENTIAL},
        {"ath": ath("another token")},
        {"ath": None},
        {"ath": "ü"},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 300},
        {"jti": 7},
        {"iat": None},
        {"iat": 0},
        {"iat": 1 << 60},
        {"iat": False},
        {"headers": {"typ": "JWT"}},
        {"headers": {"jwk": None}},
        {"headers": {"jwk": STRANGER}},
    ],
    ids=str,
)
def test_a_dpop_proof_that_breaks_a_rule(wallet: Wallet, changed: dict[str, Any]) -> None:
    status, error, challenge = send(wallet, dpop_headers(wallet, **changed))
    assert (status, error) == (401, "invalid_dpop_proof")
    assert challenge == 'DPoP error="invalid_dpop_proof", algs="ES256"'


@pytest.mark.parametrize(
    "htu", [URL + CREDENTIAL + "?q=1#f", "https://LICENCES.jincheng.example:443" + CREDENTIAL]
)
def test_an_address_is_compared_in_its_normal_form(wallet: Wallet, htu: str) -> None:
    assert send(wallet, dpop_headers(wallet, htu=htu))[0] == 400


@pytest.mark.parametrize("nonce", [None, "x", 5])
def test_a_dpop_proof_without_our_nonce_learns_one(wallet: Wallet, nonce: Any) -> None:
    answer = wallet.office.client.post(CREDENTIAL, headers=dpop_headers(wallet, nonce=nonce), json={})
    assert (answer.status_code, answer.json()["error"]) == (401, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]


def test_a_dpop_proof_serves_one_request(wallet: Wallet) -> None:
    headers = dpop_headers(wallet)
    assert send(wallet, headers)[0] == 400
    assert send(wallet, headers)[:2] == (401, "invalid_dpop_proof")


def test_a_dpop_proof_is_not_replayed_at_the_token_endpoint(light_office: IssuingOffice) -> None:
    first, second = light_office.offer(with_tx_code=False), light_office.offer(with_tx_code=False)
    wallet = light_office.wallet()
    wallet.redeem(first)
    headers = {"DPoP": wallet.dpop(TOKEN)}
    code = second.document["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"]
    form = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": "wrong"}
    assert light_office.client.post(TOKEN, headers=headers, data=form).json()["error"] == "invalid_grant"
    form["pre-authorized_code"] = code
    answer = light_office.client.post(TOKEN, headers=headers, data=form)
    assert answer.json()["error"] == "invalid_dpop_proof"


def test_a_stolen_bound_token_is_of_no_use(wallet: Wallet) -> None:
    token = wallet.tokens["access_token"]
    thief = wallet.office.wallet(tokens=wallet.tokens, dpop_nonce=wallet.dpop_nonce)
    assert send(thief, dpop_headers(thief))[:2] == (401, "invalid_token")
    assert send(wallet, [("Authorization", f"Bearer {token}")])[:2] == (401, "invalid_token")
    assert thief.refresh().json()["error"] == "invalid_grant"
    assert wallet.refresh().status_code == 200, "the thief's try ended nothing"


def test_doubled_headers_are_refused(wallet: Wallet) -> None:
    headers = dpop_headers(wallet)
    assert send(wallet, [headers[0], *headers])[0] == 401
    assert send(wallet, [*headers, ("DPoP", wallet.dpop(CREDENTIAL))])[:2] == (401, "invalid_dpop_proof")
    assert send(wallet, headers[:1])[:2] == (401, "invalid_dpop_proof")
    answer = wallet.office.client.post(
        TOKEN, headers=[("DPoP", "a"), ("DPoP", "b")], data={"grant_type": "x"}
    )
    assert answer.json()["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize(
    "value", ["", "DPoP", "DPoP ", "Basic eDp5", "Bearer " + "x" * 600, "Bearer é", "Bearer x y"]
)
def test_other_authorizations_are_refused(light_office: IssuingOffice, value: str) -> None:
    answer = light_office.client.post(CREDENTIAL, headers=[("Authorization", value)], json={})
    assert answer.status_code == 401


def test_a_bearer_token_lives_five_minutes_and_brings_no_refresh_token(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(bound=False)
    wallet.redeem(light_office.offer())
    assert (wallet.tokens["token_type"], wallet.tokens["expires_in"]) == ("Bearer", 300)
    assert "refresh_token" not in wallet.tokens
    assert wallet.fetch().status_code == 200
    light_office.clock.advance(timedelta(minutes=5))
    answer = wallet.fetch()
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_refresh_token_is_no_access_token(wallet: Wallet) -> None:
    wallet.tokens["access_token"] = wallet.tokens["refresh_token"]
    assert send(wallet, dpop_headers(wallet))[:2] == (401, "invalid_token")


# The token endpoint


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (b"", "invalid_request"),
        (b"grant_type=password&username=a&password=b", "unsupported_grant_type"),
        (b"grant_type=client_credentials", "unsupported_grant_type"),
        (b"grant_type=authorization_code", "invalid_request"),
        (b"grant_type=refresh_token", "invalid_request"),
        (b"grant_type=refresh_token&grant_type=refresh_token", "invalid_request"),
        (f"grant_type={PRE_AUTHORIZED_CODE}".encode(), "invalid_request"),
        (f"grant_type={PRE_AUTHORIZED_CODE}&pre-authorized_code=x".encode(), "invalid_grant"),
        (f"grant_type={PRE_AUTHORIZED_CODE}&pre-authorized_code=%00".encode(), "invalid_request"),
        (f"grant_type={PRE_AUTHORIZED_CODE}&pre-authorized_code=%ff".encode(), "invalid_request"),
        (f"grant_type={PRE_AUTHORIZED_CODE}&pre-authorized_code={'x' * 5000}".encode(), "invalid_request"),
        (f"grant_type={PRE_AUTHORIZED_CODE}&client_id={'x' * 201}".encode(), "invalid_request"),
        (b"a" * 40_000, "invalid_request"),
        ("&".join(f"p{i}=1" for i in range(60)).encode(), "invalid_request"),
        (b"grant_type=refresh_token&refresh_token=x&client_secret=y", "invalid_client"),
    ],
)
def test_a_token_request_that_breaks_a_rule(light_office: IssuingOffice, form: bytes, error: str) -> None:
    answer = light_office.client.post(TOKEN, data=form)
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


def test_other_content_types_are_refused(light_office: IssuingOffice) -> None:
    answer = light_office.client.post(TOKEN, json={"grant_type": PRE_AUTHORIZED_CODE})
    assert answer.json()["error"] == "invalid_request"
    packed = light_office.client.request(
        "POST",
        TOKEN,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"},
        content=b"x",
    )
    assert packed.json()["error"] == "invalid_request"


def test_error_descriptions_repeat_nothing_and_fit_oauth(light_office: IssuingOffice) -> None:
    evil = "<script>evil</script>"
    for form in ({"grant_type": evil}, {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": evil}):
        answer = light_office.client.post(TOKEN, data=form)
        assert evil not in answer.text
        assert not set(answer.json()["error_description"]) & set('"\\')


# Refresh


def test_a_refresh_token_rotates_and_its_replay_ends_the_grant(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    first = wallet.tokens["refresh_token"]
    assert wallet.refresh().status_code == 200
    assert wallet.tokens["refresh_token"] != first
    assert wallet.fetch().status_code == 200
    assert wallet.refresh(refresh_token=first).json()["error"] == "invalid_grant"
    assert wallet.refresh().json()["error"] == "invalid_grant"
    assert wallet.fetch().status_code == 401


def test_a_refresh_token_ends_after_its_time(light_office: IssuingOffice, wallet: Wallet) -> None:
    light_office.clock.advance(timedelta(days=90))
    assert wallet.refresh().json()["error"] == "invalid_grant"


def test_a_refresh_token_belongs_to_its_client(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id=CLIENT)
    wallet.redeem(light_office.offer())
    wallet.client_id = "native-wallet"
    assert wallet.refresh().json()["error"] == "invalid_grant"
    wallet.client_id = CLIENT
    assert wallet.refresh().status_code == 200


def test_a_refreshed_wallet_gets_the_version_that_is_current(office: IssuingOffice) -> None:
    from world.office import WHY  # noqa: PLC0415 - one test

    from credentials.sd_jwt import SdJwt  # noqa: PLC0415 - one test

    wallet = office.wallet()
    wallet.receive(office.offer())
    office.clock.advance(timedelta(days=30))
    claims = {**office.licence.claims, "domicile": "津城区鼓楼东街 9 号"}
    issued = office.issuer.replace(
        office.licence.identifier, claims, holder=None, actor=office.clerk, **WHY
    ).licence
    assert wallet.refresh().status_code == 200
    answer = wallet.fetch()
    payload = SdJwt.parse(answer.json()["credentials"][0]["credential"]).payload
    assert payload["licence_identifier"] == issued.identifier
    assert payload["iat"] == int(office.now.timestamp())


def test_copies_of_a_grant_are_bounded(light_office: IssuingOffice, wallet: Wallet) -> None:
    for _ in range(10):
        assert wallet.fetch(keys=10).status_code == 200
    assert wallet.fetch().json()["error"] == "credential_request_denied"
    light_office.clock.advance(timedelta(days=1))
    wallet.refresh()
    assert wallet.fetch().status_code == 200


# Notification


def test_notifying_twice_changes_nothing(office: IssuingOffice) -> None:
    from sqlalchemy import text  # noqa: PLC0415 - one test

    wallet = office.wallet()
    wallet.redeem(office.offer())
    body = {"notification_id": wallet.fetch().json()["notification_id"], "event": "credential_accepted"}
    for _ in range(2):
        answer = wallet.call(NOTIFICATION, body)
        assert (answer.status_code, answer.content) == (204, b"")
    with office.database.reading() as session:
        query = text("SELECT count(*) FROM audit_inbox WHERE body LIKE '%oid4vci.credential_accepted%'")
        assert session.execute(query).scalar_one() == 1
    assert wallet.call(NOTIFICATION, {**body, "event": "credential_deleted"}).status_code == 204


def test_a_notification_of_another_grant_is_refused(light_office: IssuingOffice, wallet: Wallet) -> None:
    notification = wallet.fetch().json()["notification_id"]
    other = light_office.wallet()
    other.redeem(light_office.offer())
    body = {"notification_id": notification, "event": "credential_deleted"}
    assert other.call(NOTIFICATION, body).json()["error"] == "invalid_notification_id"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"notification_id": "x"},
        {"notification_id": "", "event": "credential_accepted"},
        {"notification_id": 5, "event": "credential_accepted"},
        {"notification_id": "x", "event": "credential_eaten"},
        {"notification_id": "x", "event": ["credential_accepted"]},
        {"notification_id": "x", "event": "credential_accepted", "event_description": 5},
        [],
    ],
    ids=str,
)
def test_a_notification_that_breaks_a_rule(wallet: Wallet, body: Any) -> None:
    assert wallet.call(NOTIFICATION, body).json()["error"] == "invalid_notification_request"


def test_a_notification_id_that_the_database_cannot_hold(office: IssuingOffice) -> None:
    wallet = office.wallet()
    wallet.redeem(office.offer())
    body = {"notification_id": "a\x00b", "event": "credential_accepted"}
    assert wallet.call(NOTIFICATION, body).json()["error"].startswith("invalid_notification")


# The rest


@pytest.mark.parametrize("reference", ["x", "..%2f..%2fetc", "%00", "a" * 3000, "é"])
def test_unknown_offers_are_not_found(light_office: IssuingOffice, reference: str) -> None:
    assert light_office.client.get(f"/oid4vci/offers/{reference}").status_code == 404


def test_the_nonce_endpoint_writes_nothing_and_reads_little(light_office: IssuingOffice) -> None:
    assert light_office.client.post("/oid4vci/nonce", data=b"x" * 5000).status_code == 400
    assert light_office.client.get("/oid4vci/nonce").status_code == 405


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(UsageError):
        Nonces(SECRET[:31], "x", randomness=SystemRandomness())


def test_purging_forgets_what_is_over(office: IssuingOffice) -> None:
    from sqlalchemy import text  # noqa: PLC0415 - one test

    office.wallet().receive(office.offer())
    office.offer()
    office.wallet(client_id=CLIENT).push()
    office.clock.advance(timedelta(days=91))
    assert office.server.purge() > 0
    with office.database.reading() as session:
        for table in ("offer", "login", "authorization", "grant", "token", "delivery"):
            assert session.execute(text(f"SELECT count(*) FROM oid4vci_{table}")).scalar_one() == 0  # noqa: S608 - our own names


def test_one_address_does_not_ask_without_end(pki: Pki) -> None:
    from fastapi import FastAPI  # noqa: PLC0415 - one test
    from world.asgi import Client  # noqa: PLC0415 - the same
    from world.vci import IssuingOffice as Office  # noqa: PLC0415 - the same

    database = with_tables()
    office = Office(pki, database)
    app = FastAPI()
    problems.install(app)
    app.include_router(wallet_router(office.server, limit=Limit("wallets", 3, 60)))
    noisy, other = Client(app, address="2001:db8::1"), Client(app, address="2001:db8:0:1::1")
    answers = [noisy.post(TOKEN, data={}).status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]
    assert other.post(TOKEN, data={}).status_code == 400
    office.clock.advance(timedelta(seconds=1))
    assert noisy.post("/oid4vci/par", data={}).status_code == 400
    assert noisy.post("/oid4vci/authorize", data={}).status_code == 429
    database.close()

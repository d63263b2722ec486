"""Access tokens and DPoP proofs: forged, replayed, stolen, doubled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.office import URL
from world.vci import ath

from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE

if TYPE_CHECKING:
    from world.vci import IssuingOffice, Wallet


CREDENTIAL, NOTIFICATION, TOKEN = "/oid4vci/credential", "/oid4vci/notification", "/oid4vci/token"

STRANGER = {  # RFC 7517, appendix A.1
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


def ask(wallet: Wallet, *proofs: Any, **more: Any) -> tuple[int, str]:
    body = {"credential_configuration_id": "food-business-licence", "proofs": {"jwt": list(proofs)}, **more}
    answer = wallet.call(CREDENTIAL, {name: value for name, value in body.items() if value is not None})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json().get("error", "")


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

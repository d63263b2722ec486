"""A holder signs in and sends licences to a registered wallet: PAR, PKCE, DPoP, code; and who attacks it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.office import URL
from world.vci import CLIENT, REDIRECT, ath, query_of

from credentials.oid4vci.clients import WalletClient, read_clients
from credentials.oid4vci.offers import AuthenticationMethod, Flow, Holder
from credentials.oid4vci.vocabulary import LOGIN_TRIES
from credentials.sd_jwt import SdJwt
from signing.jose import dump_json
from signing.signers.file import FileSigner
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import NotPermitted, UsageError

if TYPE_CHECKING:
    from world.vci import IssuingOffice, Wallet


def login_code(office: IssuingOffice) -> str:
    return office.server.login_codes.hand_out(office.holder_of(office.licence), actor=office.clerk)


def code_of(office: IssuingOffice, wallet: Wallet, **changed: str | None) -> str:
    answer = wallet.authorize(login_code(office), **changed)
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["location"])["code"]


def test_the_holder_signs_in_and_the_wallet_fetches(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    answer = wallet.authorize(login_code(office))
    found = query_of(answer.headers["location"])
    assert answer.headers["location"].startswith(REDIRECT + "?")
    assert (found["iss"], found["state"]) == (URL, "a state & more")
    assert wallet.exchange(found["code"]).status_code == 200
    assert wallet.tokens["token_type"] == "DPoP"
    answer = wallet.fetch()
    payload = SdJwt.parse(answer.json()["credentials"][0]["credential"]).payload
    assert payload["licence_identifier"] == office.licence.identifier


def test_authorization_details_bring_credential_identifiers(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id=CLIENT)
    wanted = [{"type": "openid_credential", "credential_configuration_id": "food-business-licence"}]
    code = code_of(light_office, wallet, scope=None, authorization_details=dump_json(wanted).decode())
    wallet.exchange(code)
    (detail,) = wallet.tokens["authorization_details"]
    assert detail["credential_identifiers"] == [light_office.licence.identifier]
    by_configuration = wallet.fetch(
        credential_identifier=None, credential_configuration_id="food-business-licence"
    )
    assert by_configuration.json()["error"] == "invalid_credential_request"
    unknown = wallet.fetch(credential_identifier="somebody-elses")
    assert unknown.json()["error"] == "unknown_credential_identifier"
    assert wallet.fetch().status_code == 200


def test_an_offer_leads_to_the_code_flow(office: IssuingOffice) -> None:
    offer = office.offer(flow=Flow.CODE)
    assert offer.tx_code is None
    state = offer.document["grants"]["authorization_code"]["issuer_state"]
    wallet = office.wallet(client_id=CLIENT)
    assert wallet.exchange(code_of(office, wallet, issuer_state=state)).status_code == 200
    assert office.client.get(offer.uri).status_code == 404
    again = wallet.push(issuer_state=state)
    assert again.json()["error"] == "invalid_request"


def test_an_offer_is_not_taken_by_somebody_else_who_signs_in(light_office: IssuingOffice) -> None:
    offer = light_office.offer(flow=Flow.CODE)
    state = offer.document["grants"]["authorization_code"]["issuer_state"]
    stranger = Holder("91120199MA0000000X", AuthenticationMethod.PASSKEY, "…")
    code = light_office.server.login_codes.hand_out(stranger, actor=light_office.clerk)
    answer = light_office.wallet(client_id=CLIENT).authorize(code, issuer_state=state)
    assert query_of(answer.headers["location"])["error"] == "access_denied"


def test_refusing_is_told_with_the_issuer(light_office: IssuingOffice) -> None:
    answer = light_office.wallet(client_id=CLIENT).authorize("", decision="refuse")
    found = query_of(answer.headers["location"])
    assert (found["error"], found["iss"], found["state"]) == ("access_denied", URL, "a state & more")


def test_a_login_code_is_good_once_and_for_a_quarter_of_an_hour(office: IssuingOffice) -> None:
    code = login_code(office)
    assert office.wallet(client_id=CLIENT).authorize(code.lower().replace("-", " ")).status_code == 303
    assert office.wallet(client_id=CLIENT).authorize(code).status_code == 200
    code = login_code(office)
    office.clock.advance(timedelta(minutes=15))
    assert office.wallet(client_id=CLIENT).authorize(code).status_code == 200


def test_guessing_login_codes_ends_the_request(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id=CLIENT)
    answer = wallet.authorize("0000-0000-0000")
    for _ in range(LOGIN_TRIES - 1):
        assert answer.status_code == 200
        assert "还可尝试" in answer.text
        answer = wallet.answer("0000-0000-0001")
    assert query_of(answer.headers["location"])["error"] == "access_denied"
    assert wallet.answer(login_code(light_office)).status_code == 400


def test_only_staff_hands_out_login_codes(light_office: IssuingOffice) -> None:
    with pytest.raises(NotPermitted):
        light_office.server.login_codes.hand_out(
            light_office.holder_of(light_office.licence), actor=Actor(ActorKind.HOLDER, "me")
        )


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "https://evil.example"}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "/../x"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "?x=1"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "#f"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example@evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": "https://WALLET.example/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": None, "authorization_details": "[{}]"}, "invalid_authorization_details"),
        ({"scope": None, "authorization_details": "{"}, "invalid_authorization_details"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request": "e.y.J"}, "request_not_supported"),
        ({"client_secret": "s"}, "invalid_client"),
        ({"issuer_state": "somebody's"}, "invalid_request"),
        ({"dpop_jkt": ath("another key")}, "invalid_dpop_proof"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"state": "x" * 1001}, "invalid_request"),
        ({"state": "line\nfeed"}, "invalid_request"),
    ],
)
def test_a_pushed_request_that_breaks_a_rule_is_refused(
    light_office: IssuingOffice, changed: dict[str, Any], error: str
) -> None:
    answer = light_office.wallet(client_id=CLIENT).push(**changed)
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


def test_the_authorization_endpoint_takes_nothing_but_pushed_requests(light_office: IssuingOffice) -> None:
    asked = f"/oid4vci/authorize?client_id={CLIENT}&redirect_uri=https://evil.example&response_type=code"
    answer = light_office.client.get(asked)
    assert answer.status_code == 400
    assert "evil.example" not in answer.text
    assert "location" not in answer.headers


def test_a_request_belongs_to_its_client(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id=CLIENT)
    wallet.request_uri = wallet.push().json()["request_uri"]
    wallet.client_id = "native-wallet"
    assert light_office.client.get(wallet.page).status_code == 400
    assert wallet.answer(login_code(light_office)).status_code == 400


def test_a_request_is_answered_once(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    assert wallet.authorize(login_code(office)).status_code == 303
    assert wallet.answer(login_code(office)).status_code == 400
    assert office.client.get(wallet.page).status_code == 400


def test_an_injected_code_is_of_no_use_to_another_wallet(office: IssuingOffice) -> None:
    victim, attacker = office.wallet(client_id=CLIENT), office.wallet(client_id=CLIENT)
    code = code_of(office, victim)
    assert attacker.exchange(code).json()["error"] == "invalid_grant"
    thief = office.wallet(client_id=CLIENT, verifier=victim.verifier)
    assert thief.exchange(code).json()["error"] == "invalid_grant", "the code is bound to a DPoP key too"
    other = office.wallet(client_id="native-wallet", verifier=victim.verifier, key=victim.key)
    assert other.exchange(code).json()["error"] == "invalid_grant"
    assert victim.exchange(code, redirect_uri="https://evil.example").json()["error"] == "invalid_grant"
    assert victim.exchange(code, code_verifier=None).json()["error"] == "invalid_request"
    assert victim.exchange(code).status_code == 200, "none of this used it up"


def test_a_code_that_comes_twice_ends_its_grant(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    code = code_of(office, wallet)
    assert wallet.exchange(code).status_code == 200
    assert wallet.exchange(code).json()["error"] == "invalid_grant"
    answer = wallet.fetch()
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert wallet.refresh().json()["error"] == "invalid_grant"


def test_of_concurrent_exchanges_one_wins(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    code = code_of(office, wallet)
    twins = [office.wallet(client_id=CLIENT, key=wallet.key, verifier=wallet.verifier) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: one.exchange(code), twins))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_a_code_lives_a_minute(office: IssuingOffice) -> None:
    wallet = office.wallet(client_id=CLIENT)
    code = code_of(office, wallet)
    office.clock.advance(timedelta(seconds=60))
    assert wallet.exchange(code).json()["error"] == "invalid_grant"


def test_the_code_flow_goes_with_dpop_only(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id=CLIENT, bound=False)
    code = code_of(light_office, wallet)
    assert wallet.exchange(code).json()["error"] == "invalid_dpop_proof"


def test_the_page_is_plain_and_escapes_what_is_not_ours(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id="app")
    pushed = wallet.push(redirect_uri="org.wallet.app:/cb")
    wallet.request_uri = pushed.json()["request_uri"]
    page = light_office.client.get(wallet.page)
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' org.wallet.app:" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    assert page.headers["x-frame-options"] == "DENY"


def test_a_native_wallet_may_choose_its_loopback_port(light_office: IssuingOffice) -> None:
    wallet = light_office.wallet(client_id="native-wallet")
    assert wallet.push(redirect_uri="http://127.0.0.1:51004/done").status_code == 201
    for wrong in ("http://127.0.0.1:51004/other", "http://localhost:51004/done", "https://127.0.0.1:1/done"):
        assert wallet.push(redirect_uri=wrong).status_code == 400


def test_a_wallet_on_this_machine_is_registered_with_its_port() -> None:
    """Passkeys want `localhost`, so a wallet that is tried out here has that name."""
    client = WalletClient("http://localhost:8003", ("http://localhost:8003/receive/callback",))
    assert client.allows("http://localhost:8003/receive/callback")
    assert not client.allows("http://localhost:8004/receive/callback")
    assert not client.allows("http://localhost.evil.example:8003/receive/callback")


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://wallet.example/cb",
        "https://wallet.example/cb#f",
        "https://u@wallet.example/cb",
        "https:///cb",
        "//wallet.example/cb",
        "https://wallet.example/\\evil",
        "https://wallet.example/%2e%2e",
        "https://[::1",
        "",
    ],
)
def test_a_dangerous_redirect_uri_is_not_registered(uri: str) -> None:
    with pytest.raises(UsageError):
        WalletClient("wallet", (uri,))


def test_clients_are_rows_of_a_setting() -> None:
    found = read_clients(("a https://a.example/1", "a https://a.example/2", "b app.b:/cb"))
    assert found["a"].redirect_uris == ("https://a.example/1", "https://a.example/2")
    with pytest.raises(UsageError):
        read_clients(("only-a-name",))


def test_a_wallet_that_signs_in_gets_its_own_licences_only(light_office: IssuingOffice) -> None:
    stranger = Holder("91120199MA0000000X", AuthenticationMethod.IDENTITY_PLATFORM, "session 1")
    code = light_office.server.login_codes.hand_out(stranger, actor=light_office.clerk)
    answer = light_office.wallet(client_id=CLIENT, key=FileSigner.generate()).authorize(code)
    assert query_of(answer.headers["location"])["error"] == "access_denied"

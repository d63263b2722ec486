"""The token endpoint, refresh, notifications and the rest: forged, replayed, oversized."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.vci import CLIENT, SECRET

from credentials.http import wallet_router
from credentials.oid4vci.nonces import Nonces
from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE
from yinxin.app import problems
from yinxin.base.buckets import Limit
from yinxin.base.errors import UsageError
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from world.pki import Pki
    from world.vci import IssuingOffice, Wallet


CREDENTIAL, NOTIFICATION, TOKEN = "/oid4vci/credential", "/oid4vci/notification", "/oid4vci/token"


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

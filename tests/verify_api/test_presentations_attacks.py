"""Who should not get through: sessions fixed, replayed, mixed up, flooded; on one device and across two."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select
from world.databases import database_url, postgresql  # noqa: F401 - fixtures
from world.departments import BUREAU, FORM, TYPE
from world.presentations import AskingCity, request_id_of

from credentials.oid4vp.responses import answer
from signing.jose import dump_json
from verify_api.http import Limits
from verify_api.http.limits import Limit
from verify_api.presentations.records import PRESENTATIONS
from verify_api.presentations.sessions import MAX_TRIES, Sealer
from wallet.exchange import Reply as Sent
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallet import Holder

RETURN = f"{BUREAU}/back?case=7"


@pytest.fixture(scope="module")
def asking() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.fixture
def holder(asking: AskingCity) -> Holder:
    made = asking.wallet()
    asking.provide(made)
    return made


def reply_of(asking: AskingCity, holder: Holder, link: str) -> Sent:
    return holder.answer_presentation(holder.consider_presentation(asking.fetch(link)))


def code_of(redirect_uri: str) -> str:
    return parse_qs(urlsplit(redirect_uri).query)["response_code"][0]


def cookie_of(reply: Any) -> str:
    return str(reply.headers["set-cookie"]).partition(";")[0]


# One device: the browser that began is the one that comes back


def test_the_result_waits_for_the_code_that_the_browser_brings(asking: AskingCity, holder: Holder) -> None:
    started = asking.started(device="same", return_url=RETURN)
    assert (started["match_code"], started["qr"]) == ("", None)
    onward = asking.show(holder, started["link"]).json["redirect_uri"]
    assert onward.startswith(f"{RETURN}&response_code=")
    for code in (None, "", "x", code_of(onward) + "x"):
        waiting = asking.outcome(started["id"], code=code).json
        assert (waiting["state"], "results" in waiting) == ("answered", False)
    assert "results" in asking.outcome(started["id"], code=code_of(onward)).json


def test_a_link_passed_on_to_somebody_else_gives_nothing(asking: AskingCity, holder: Holder) -> None:
    """Session fixation: the attacker begins, the victim answers; the code is in the victim's browser."""
    attackers = asking.start(device="same")
    onward = asking.show(holder, attackers.json["link"]).json["redirect_uri"]
    place = urlsplit(onward)
    path = f"{place.path}?{place.query}"
    for cookie in ({}, {"Cookie": "__Host-yinxin-presentation=" + "A" * 43}):
        assert asking.call("GET", path, None, cookie).status in {403, 404}
    assert asking.call("GET", path, None, {"Cookie": cookie_of(attackers)}).status == 404  # it is closed
    outcome = asking.outcome(attackers.json["id"], code=code_of(onward)).json
    assert (outcome["state"], "results" in outcome) == ("closed", False)


def test_the_browser_that_began_comes_back(asking: AskingCity, holder: Holder) -> None:
    began = asking.start(device="same")
    words = began.headers["set-cookie"].lower()
    assert words.startswith("__host-yinxin-presentation=")
    assert all(word in words for word in ("httponly", "secure", "samesite=lax", "path=/"))
    onward = urlsplit(asking.show(holder, began.json["link"]).json["redirect_uri"])
    assert "results" not in asking.outcome(began.json["id"]).json
    for bad in ("", "?response_code=x", f"?{onward.query}&response_code=x", f"?{onward.query}&more=1"):
        assert asking.call("GET", onward.path + bad, None, {"Cookie": cookie_of(began)}).status == 404
    done = asking.call("GET", f"{onward.path}?{onward.query}", None, {"Cookie": cookie_of(began)})
    assert done.status == 200
    assert "请返回原页面" in done.body.decode()
    assert done.headers["content-security-policy"].startswith("default-src 'none'")
    outcome = asking.outcome(began.json["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("returned", "passed")
    assert "results" in outcome


def test_a_browser_keeps_its_cookie_over_several_sessions(asking: AskingCity) -> None:
    first = asking.start(device="same")
    second = asking.start(device="same", cookie=cookie_of(first))
    assert cookie_of(second) == cookie_of(first)
    forged = asking.start(device="same", cookie="__Host-yinxin-presentation=short")
    assert cookie_of(forged) not in {cookie_of(first), "__Host-yinxin-presentation=short"}


# Replay and mix-up


def test_a_response_is_taken_once(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    reply = reply_of(asking, holder, started["link"])
    assert asking.post(reply).status == 200
    assert asking.post(reply).status == 410
    path = f"/oid4vp/requests/{request_id_of(started['link'])}"
    assert asking.call("GET", path).status == 410


def test_of_many_at_once_exactly_one_is_taken(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    replies = [reply_of(asking, holder, started["link"]) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(reply.status for reply in pool.map(asking.post, replies))
    assert statuses == [200, *[410] * 5]
    assert len(asking.outcome(started["id"]).json["verifications"]) == 1


def test_a_response_to_one_session_is_nothing_to_another(asking: AskingCity, holder: Holder) -> None:
    """Response mix-up: encrypted to another key, with another state; and in clear with another nonce."""
    for encrypted in (True, False):
        one, other = (asking.started(encrypted=encrypted) for _ in range(2))
        reply, target = reply_of(asking, holder, one["link"]), asking.fetch(other["link"]).request
        assert asking.post(Sent(target.response_uri, reply.form)).status == 400
        assert asking.outcome(other["id"]).json["state"] == "fetched"  # and burns nothing
    swapped = {**reply.form, "state": target.state or ""}
    assert asking.post(Sent(target.response_uri, swapped)).status == 400
    outcome = asking.outcome(other["id"]).json
    assert (outcome["indication"], outcome["reasons"]) == ("failed", ["wrong_nonce"])
    assert outcome["results"][TYPE][0]["claims"] == {}


def test_a_presentation_shown_to_us_does_not_pass_as_handed_in(asking: AskingCity, holder: Holder) -> None:
    started = asking.started(encrypted=False)
    verified = asking.fetch(started["link"])
    reply = holder.answer_presentation(holder.consider_presentation(verified))
    shown = reply.form["vp_token"].split('"')[3]
    reply_ = asking.ask({"presentation": shown, "nonce": verified.request.nonce}).json
    assert reply_["indication"] == "failed"
    assert "wrong_audience" in {one["code"] for one in reply_["reasons"]}


def test_clear_text_is_no_answer_where_encryption_was_asked_for(asking: AskingCity, holder: Holder) -> None:
    """A downgrade that somebody on the way could make."""
    started = asking.started()
    request = asking.fetch(started["link"]).request
    shown = asking.present(asking.credential(asking.licence("000000077")), request.nonce)
    form = {"vp_token": dump_json({TYPE: [shown]}).decode(), "state": request.state or ""}
    assert asking.post(Sent(request.response_uri, form)).status == 400
    assert asking.outcome(started["id"]).json["state"] == "fetched"


def test_less_than_was_asked_for_is_refused_and_says_nothing(asking: AskingCity) -> None:
    licence = asking.licence("000000078")
    credential = asking.credential(licence)
    started = asking.started()
    request = asking.fetch(started["link"]).request
    shown = asking.present(credential, request.nonce, "operator_name", audience=str(request.client_id))
    refused = asking.post(Sent(request.response_uri, answer(request, {TYPE: [shown]})))
    assert (refused.status, refused.json["error"]) == (400, "invalid_request")
    outcome = asking.outcome(started["id"]).json
    assert (outcome["indication"], outcome["reasons"]) == ("failed", ["query_not_satisfied"])
    assert outcome["results"][TYPE][0]["claims"] == {}


# Noise


def test_noise_burns_no_session_until_it_is_too_much(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    reply = reply_of(asking, holder, started["link"])
    for _ in range(MAX_TRIES - 1):
        assert asking.post(Sent(reply.url, {"response": "x.x.x.x.x"})).status == 400
    assert asking.outcome(started["id"]).json["state"] == "fetched"
    assert asking.post(Sent(reply.url, {"response": "y"})).status == 400
    assert asking.post(reply).status == 410
    assert asking.outcome(started["id"]).json["state"] == "closed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"response=a&response=b",
        b"vp_token=%7B%7D&vp_token=%7B%7D",
        b"response=%ff",
        b"response=" + b"a" * (1 << 20),
        urlencode({"error": "access_denied", "state": "other"}).encode(),
        urlencode({"vp_token": "{}", "response": "x"}).encode(),
        b"&".join(b"a%d=1" % number for number in range(40)),
        b'{"vp_token":{}}',
    ],
    ids=range(9),
)
def test_a_form_of_another_kind_is_refused(asking: AskingCity, body: bytes) -> None:
    path = urlsplit(asking.fetch(asking.started()["link"]).request.response_uri).path
    reply = asking.call("POST", path, body, FORM)
    assert reply.status == 400
    assert reply.json["error_description"] == "the message was not accepted"


def test_other_media_types_and_sizes(asking: AskingCity) -> None:
    path = urlsplit(asking.fetch(asking.started()["link"]).request.response_uri).path
    assert asking.call("POST", path, b"{}", {"Content-Type": "application/json"}).status == 400
    assert asking.call("POST", path, b"a" * (3 << 20), FORM).status == 400
    assert asking.call("GET", path).status == 405


@pytest.mark.parametrize("name", ["x", "A" * 22, "A" * 500, "..%2f..%2fetc", "%00", "A" * 21 + "%0a"])
def test_sessions_that_nobody_began(asking: AskingCity, name: str) -> None:
    assert asking.call("GET", f"/oid4vp/requests/{name}").status == 404
    assert asking.call("POST", f"/oid4vp/requests/{name}", b"", FORM).status == 404
    assert asking.call("POST", f"/oid4vp/responses/{name}", b"response=x", FORM).status == 404
    assert asking.outcome(name).status == 404


@pytest.mark.parametrize("nonce", ["a b", "a" * 513, '"', "é", ""])
def test_a_wallet_nonce_is_url_safe(asking: AskingCity, nonce: str) -> None:
    path = f"/oid4vp/requests/{request_id_of(asking.started()['link'])}"
    assert asking.call("POST", path, urlencode({"wallet_nonce": nonce}).encode(), FORM).status == 400


def test_wallets_are_limited_by_their_address() -> None:
    limits = Limits(wallet=Limit("wallet", 3, 1), token=Limit("t", 1000, 1e6))
    small = AskingCity(limits=limits)
    try:
        path = f"/oid4vp/requests/{request_id_of(small.started()['link'])}"
        statuses = [small.call("GET", path).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
    finally:
        small.close()


# The database


def test_the_same_on_both_databases(database_url: str) -> None:  # noqa: F811 - the fixture
    city = AskingCity(database_url=database_url)
    try:
        holder = city.wallet()
        city.provide(holder)
        started = city.started(device="same", return_url=RETURN)
        replies = [reply_of(city, holder, started["link"]) for _ in range(4)]
        assert city.post(Sent(replies[0].url, {"response": "noise"})).status == 400
        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(city.post, replies))
        assert sorted(reply.status for reply in sent) == [200, 410, 410, 410]
        (onward,) = (reply.json["redirect_uri"] for reply in sent if reply.status == 200)
        assert city.outcome(started["id"], code=code_of(onward)).json["indication"] == "passed"
        city.clock.advance(timedelta(hours=1))
        assert asyncio.run(city.presentations.purge()) == 1
    finally:
        city.close()


def test_the_interface_is_described(asking: AskingCity) -> None:
    document = asking.call("GET", "/openapi.json").json
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(" / " in one["summary"] for one in operations)
    asked = document["paths"]["/v1/presentations"]["post"]["requestBody"]["content"]["application/json"]
    assert "$ref" not in str(asked)
    assert set(asked["schema"]["required"]) == {"purpose", "matter", "types"}


def test_the_database_alone_gives_nothing_away(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    request = asking.fetch(started["link"]).request
    asking.show(holder, started["link"])
    with asking.database.reading() as session:
        row = session.execute(select(PRESENTATIONS).where(PRESENTATIONS.c.id == started["id"])).one()
    stored = repr(tuple(row)).encode() + row.sealed + row.result
    for secret in (request.nonce, request.state or "", request_id_of(started["link"]), "小麦"):
        assert secret.encode() not in stored
    assert row.request == hashlib.sha256(request_id_of(started["link"]).encode()).digest()


def test_what_is_sealed_opens_for_its_owner_and_key_only() -> None:
    sealer, other = (Sealer(bytes([n]) * 32, SystemRandomness()) for n in (1, 2))
    sealed = sealer.seal({"a": 1}, owner="one")
    assert sealer.open(sealed, owner="one") == {"a": 1}
    for opener, owner in ((sealer, "two"), (other, "one")):
        with pytest.raises(Conflict):
            opener.open(sealed, owner=owner)
    with pytest.raises(UsageError):
        Sealer(b"short", SystemRandomness())

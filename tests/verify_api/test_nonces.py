"""One nonce, one presentation: what uses it up, and what does not."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from world.departments import BUREAU, FIRE

from signing.base64url import decode_base64url

if TYPE_CHECKING:
    from world.departments import City, Reply


def codes(reply: Reply) -> set[str]:
    assert reply.status == 200, reply.body
    return {reason["code"] for reason in reply.json["reasons"]}


def wait(city: City, by: timedelta) -> None:
    """Time passes, and the verifier fetches fresh lists."""
    city.clock.advance(by)
    city.service.use(city.snapshots())


def test_a_nonce_has_128_bits_and_names_its_audience(city: City) -> None:
    made = city.call("POST", "/v1/nonces", b"", {"Authorization": f"Bearer {city.token()}"}).json
    assert len(decode_base64url(made["nonce"])) == 16
    assert made["audience"] == BUREAU
    assert len({city.nonce() for _ in range(20)}) == 20


def test_the_same_presentation_may_be_handed_in_again_and_counts_once(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    asked = {"presentation": city.present(credential, nonce), "nonce": nonce}
    first, again = city.ask(asked), city.ask(asked)
    assert first.json["indication"] == again.json["indication"] == "passed"
    assert "repeats" not in first.json
    assert again.json["repeats"] == first.json["id"]
    assert again.json["claims"] == first.json["claims"]


def test_another_presentation_with_the_same_nonce_is_a_replay(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    first, second = (city.present(credential, nonce) for _ in range(2))  # signatures differ
    assert first != second
    assert codes(city.ask({"presentation": first, "nonce": nonce})) == set()
    replay = city.ask({"presentation": second, "nonce": nonce})
    assert codes(replay) == {"token_replayed"}
    assert replay.json["indication"] == "failed"
    assert replay.json["claims"] == {}


def test_one_of_many_at_the_same_time_is_accepted(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    shown = [city.present(credential, nonce) for _ in range(24)]
    token = city.token()
    with ThreadPoolExecutor(12) as pool:
        replies = list(
            pool.map(lambda one: city.ask({"presentation": one, "nonce": nonce}, token=token), shown)
        )
    assert sorted(codes(reply) == set() for reply in replies) == [False] * 23 + [True]


def test_a_bad_presentation_does_not_burn_the_nonce(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    good = city.present(credential, nonce)
    place = good.rindex(".") + 10
    forged = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
    assert "key_binding_invalid" in codes(city.ask({"presentation": forged, "nonce": nonce}))
    assert "wrong_audience" in codes(
        city.ask({"presentation": city.present(credential, nonce, audience=FIRE), "nonce": nonce})
    )
    assert codes(city.ask({"presentation": good, "nonce": nonce})) == set()


def test_a_presentation_for_somebody_else_says_nothing(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    reply = city.ask({"presentation": city.present(credential, nonce, audience=FIRE), "nonce": nonce})
    assert codes(reply) == {"wrong_audience"}
    assert reply.json["claims"] == {}
    assert reply.json["licence"] is None


def test_a_nonce_of_another_department_and_one_of_nobody(city: City, serial: str) -> None:
    credential = city.credential(city.issue(serial)[0])
    for nonce in (city.nonce(FIRE), "A" * 22):
        reply = city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})
        assert codes(reply) == {"nonce_unknown"}
        assert reply.json["claims"] == {}


def test_the_presentation_answers_another_nonce_than_stated(city: City, serial: str) -> None:
    credential, one, other = city.credential(city.issue(serial)[0]), city.nonce(), city.nonce()
    assert "wrong_nonce" in codes(city.ask({"presentation": city.present(credential, one), "nonce": other}))


def test_a_nonce_is_good_for_five_minutes(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    wait(city, timedelta(minutes=5))
    shown = city.present(credential, nonce)
    assert codes(city.ask({"presentation": shown, "nonce": nonce})) == {"nonce_expired"}


def test_a_repeat_after_the_nonces_life_is_over(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    asked = {"presentation": city.present(credential, nonce), "nonce": nonce}
    assert codes(city.ask(asked)) == set()
    wait(city, timedelta(minutes=4, seconds=59))
    assert codes(city.ask(asked)) == set()
    wait(city, timedelta(seconds=2))
    assert "nonce_expired" in codes(city.ask(asked))


def test_a_presentation_handed_in_as_a_file(city: City, serial: str) -> None:

    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    encoded = b64encode(city.present(credential, nonce).encode()).decode()
    reply = city.ask({"document": encoded, "nonce": nonce})
    assert reply.json["subject"] == "sd-jwt-vc"
    assert reply.json["indication"] == "passed"
    assert city.ask({"document": encoded}).status == 400


def test_what_is_long_over_is_forgotten(city: City, serial: str) -> None:
    credential, nonce = city.credential(city.issue(serial)[0]), city.nonce()
    wait(city, timedelta(minutes=6))
    asyncio.run(city.service.purge())
    assert codes(city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})) == {
        "nonce_expired"
    }
    wait(city, timedelta(hours=2))
    assert asyncio.run(city.service.purge()) > 0
    assert codes(city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})) == {
        "nonce_unknown"
    }

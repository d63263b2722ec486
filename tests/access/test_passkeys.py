"""Passkeys: a clerk comes with a code and signs in the next day; and what attackers try."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.access import SEVEN, AccessWorld
from world.databases import with_tables
from world.passkeys import PRESENT, register, sign_in

from signing.base64url import decode_base64url, encode_base64url
from yinxin.access.repository import AccessRepository
from yinxin.access.service import Access
from yinxin.base.actor import staff
from yinxin.base.database import Database
from yinxin.base.errors import Conflict, Unauthenticated, UsageError, YinxinError
from yinxin.base.randomness import UnsafeSeededRandomness
from yinxin.base.text import Text

if TYPE_CHECKING:
    from yinxin.base.actor import Actor

NAME = Text("核验", "Counter")


def test_a_clerk_registers_with_a_code_and_signs_in_the_next_day(counter: AccessWorld) -> None:
    browser, device = counter.clerk()
    page = browser.get("/account?lang=en")
    assert page.status_code == 200
    assert "clerk-17" in page.text
    assert SEVEN in page.text
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/account").status_code == 303
    counter.clock.advance(timedelta(days=1))
    answer = sign_in(browser, device, next="/verify?x=1")
    assert answer.json() == {"next": "/verify?x=1"}
    assert browser.get("/account").status_code == 200
    assert counter.actions() == [
        "staff.add",
        "staff.enrol",
        "staff.add",
        "staff.enrol",
        "access.passkey_added",
        "access.signed_in",
    ]
    assert counter.entries()[-1]["actor"] == {"agency": SEVEN, "id": "clerk-17", "kind": "staff"}


def test_holders_make_their_accounts_themselves(database: Database) -> None:
    wallet = AccessWorld(database, "holder", "https://wallet.example")
    browser, device = wallet.browser(), wallet.device()
    assert register(browser, device, name="我的手机").status_code == 200
    assert "我的手机" in browser.get("/account").text
    again = wallet.browser()
    assert sign_in(again, device).status_code == 200
    assert "access.signed_in" not in wallet.actions()  # when holders open their wallets is nobody's business


def test_the_cookie_is_bound_to_the_host_and_unreadable_for_scripts(counter: AccessWorld) -> None:
    browser = counter.browser()
    answer = register(browser, counter.device(), code=counter.enrol(registrar=counter.registrar()).code)
    (cookie,) = [value for name, value in answer.pairs if name == "set-cookie"]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-yinxin"
    for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert word in rest
    assert "Domain" not in rest


def test_on_loopback_the_cookie_goes_without_tls(database: Database) -> None:
    local = AccessWorld(database, "holder", "http://localhost:8003")
    browser = local.browser()
    answer = register(browser, local.device(), name="dev")
    (cookie,) = [value for name, value in answer.pairs if name == "set-cookie"]
    assert cookie.startswith("yinxin-8003=")
    assert "Secure" not in cookie
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://counter.example",
        "https://counter.example/",
        "https://counter.example/path",
        "HTTPS://counter.example",
        "https://Counter.example",
        "ftp://counter.example",
        "https://user@counter.example",
        "counter.example",
    ],
)
def test_an_origin_is_written_as_browsers_write_it(origin: str) -> None:
    with pytest.raises(UsageError):
        Access(Database("sqlite://"), realm="staff", origin=origin, name=NAME)


def test_a_bare_address_has_no_passkeys_and_the_page_says_so(database: Database) -> None:
    local = AccessWorld(database, "staff", "http://127.0.0.1:8002")
    assert not local.access.site.takes_passkeys
    assert "localhost" in local.browser().get("/sign-in").text


# Codes


def test_a_code_is_good_once(counter: AccessWorld) -> None:
    code = counter.enrol(registrar=counter.registrar()).code
    assert (
        register(counter.browser(), counter.device(), code=code.lower().replace("-", " ")).status_code == 200
    )
    assert register(counter.browser(), counter.device(), code=code).status_code == 401


def test_a_code_is_over_after_a_day(counter: AccessWorld) -> None:
    code = counter.enrol(registrar=counter.registrar()).code
    counter.clock.advance(timedelta(hours=24))
    assert register(counter.browser(), counter.device(), code=code).status_code == 401


def test_a_newer_code_makes_the_older_one_void(counter: AccessWorld) -> None:
    registrar = counter.registrar()
    old = counter.enrol(registrar=registrar).code
    new = counter.access.staff.enrol("clerk-17", actor=registrar).code
    assert register(counter.browser(), counter.device(), code=old).status_code == 401
    assert register(counter.browser(), counter.device(), code=new).status_code == 200


def test_guessing_codes_is_limited_for_each_address(light_counter: AccessWorld) -> None:
    light_counter.registrar()
    browser = light_counter.browser()
    guesses = [f"{number:016d}" for number in range(68)]
    answers = [browser.post("/register/begin", json={"code": guess}) for guess in guesses]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:60] == [401] * 60
    assert statuses[60:] == [429] * 8
    assert int(answers[-1].headers["retry-after"]) > 0
    other = light_counter.browser(address="198.51.100.9")
    assert other.post("/register/begin", json={"code": guesses[0]}).status_code == 401


def test_of_two_who_use_one_code_at_the_same_moment_exactly_one_gets_in(counter: AccessWorld) -> None:
    code = counter.enrol(registrar=counter.registrar()).code
    access, results = counter.access, []
    ready = threading.Barrier(4)

    def use() -> None:
        device = counter.device()
        answer = device.create(access.begin_registration(code=code)["options"])
        ready.wait()
        try:
            results.append(access.finish_registration(answer, code=code))
        except YinxinError as error:
            results.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [one for one in results if isinstance(one, YinxinError)]
    assert len(refused) == 3
    assert {type(one) for one in refused} == {Unauthenticated}
    with counter.database.reading() as session:
        account = next(
            one for one in AccessRepository(session).staff_of(SEVEN) if one.identifier == "clerk-17"
        )
        assert len(AccessRepository(session).passkeys_of(account.id)) == 1


def test_a_challenge_for_one_code_registers_nobody_elses_passkey(counter: AccessWorld) -> None:
    registrar = counter.registrar()
    mine, yours = counter.enrol("a", registrar=registrar).code, counter.enrol("b", registrar=registrar).code
    answer = counter.device().create(counter.access.begin_registration(code=mine)["options"])
    with pytest.raises(Unauthenticated):
        counter.access.finish_registration(answer, code=yours)


# Attacks on registration and sign-in


@pytest.mark.parametrize(
    "client",
    [
        {"origin": "https://counter.example.evil.example"},
        {"origin": "https://sub.counter.example"},
        {"origin": "https://counter.example:444"},
        {"origin": "http://counter.example"},
        {"type": "webauthn.create"},
        {"challenge": "AAAA"},
        {"challenge": None},
        {"challenge": ["AAAA"]},
        {"crossOrigin": True},
        {"crossOrigin": "yes"},
        {"topOrigin": "https://evil.example"},
    ],
)
def test_client_data_that_are_not_ours_let_nobody_in(
    light_counter: AccessWorld, client: dict[str, Any]
) -> None:
    browser, device = light_counter.clerk()
    device.client = client
    assert sign_in(light_counter.browser(), device).status_code in {400, 401}
    assert browser.get("/account").status_code == 200


def test_a_passkey_of_another_relying_party_lets_nobody_in(light_counter: AccessWorld) -> None:
    _, device = light_counter.clerk()
    device.rp_id = "evil.example"
    assert sign_in(light_counter.browser(), device).status_code == 401


@pytest.mark.parametrize("flags", [0, PRESENT, 0x04])
def test_nobody_comes_in_without_being_there_and_verified(light_counter: AccessWorld, flags: int) -> None:
    _, device = light_counter.clerk()
    device.flags = flags
    assert sign_in(light_counter.browser(), device).status_code == 401
    code = light_counter.access.staff.enrol("clerk-17", actor=_ren()).code
    assert register(light_counter.browser(), light_counter.device(flags=flags), code=code).status_code == 401


def test_an_answer_is_good_once(counter: AccessWorld) -> None:
    _, device = counter.clerk()
    browser = counter.browser()
    asked = browser.post("/sign-in/begin", json={}).json()
    answer = device.get(asked["options"])
    assert browser.post("/sign-in/finish", json={"answer": answer}).status_code == 200
    assert counter.browser().post("/sign-in/finish", json={"answer": answer}).status_code == 401


def test_a_challenge_is_over_after_five_minutes(counter: AccessWorld) -> None:
    _, device = counter.clerk()
    asked = counter.access.begin_sign_in()
    counter.clock.advance(timedelta(minutes=5))
    with pytest.raises(Unauthenticated, match="over"):
        counter.access.finish_sign_in(device.get(asked["options"]))


def test_a_challenge_for_registration_is_none_for_sign_in(light_counter: AccessWorld) -> None:
    _, device = light_counter.clerk()
    code = light_counter.access.staff.enrol("clerk-17", actor=_ren()).code
    asked = light_counter.access.begin_registration(code=code)["options"]
    with pytest.raises(Unauthenticated, match="not ours"):
        light_counter.access.finish_sign_in(device.get({**asked, "rpId": "counter.example"}))


def test_another_origins_challenge_is_not_ours(database: Database) -> None:
    secret = b"s" * 32
    here = AccessWorld(database, "holder", "https://wallet.example", secret=secret)
    there = AccessWorld(database, "holder", "https://other.example", secret=secret)
    device = here.device()
    register(here.browser(), device, name="x")
    asked = there.access.begin_sign_in()["options"]
    with pytest.raises(Unauthenticated, match="not ours"):
        here.access.finish_sign_in(device.get({**asked, "rpId": "wallet.example"}))


def test_a_counter_that_does_not_grow_is_a_copy(counter: AccessWorld) -> None:
    _, device = counter.clerk(counts=True)
    for _ in range(2):
        assert sign_in(counter.browser(), device).status_code == 200
    device.credentials[0].count -= 2  # a copy taken before, used after
    assert sign_in(counter.browser(), device).status_code == 401
    assert counter.actions()[-1] == "access.passkey_suspected"
    device.credentials[0].count = -1  # and one that counts no more
    assert sign_in(counter.browser(), device).status_code == 401


def test_a_signature_by_another_key_lets_nobody_in(light_counter: AccessWorld) -> None:
    _, device = light_counter.clerk()
    thief = light_counter.device()
    thief.create(
        light_counter.access.begin_registration(
            code=light_counter.access.staff.enrol("clerk-17", actor=_ren()).code
        )["options"]
    )
    thief.credentials[0].id, thief.credentials[0].user = device.credentials[0].id, device.credentials[0].user
    assert sign_in(light_counter.browser(), thief).status_code == 401


def test_a_passkey_speaks_for_its_own_account_only(light_counter: AccessWorld) -> None:
    _, device = light_counter.clerk()
    device.credentials[0].user = b"somebody else"
    assert sign_in(light_counter.browser(), device).status_code == 401


def test_holders_are_no_staff_and_staff_are_no_holders(database: Database) -> None:
    """Both in one database, even under one name: a cookie or passkey of one is nothing to the other."""
    staff = AccessWorld(database, "staff")
    holders = AccessWorld(database, "holder")
    clerk, device = staff.clerk()
    answer = sign_in(holders.browser(), device)
    assert answer.status_code == 401
    stranger = holders.browser()
    stranger.cookies = dict(clerk.cookies)
    assert stranger.get("/account").status_code == 303


def test_a_passkey_is_registered_once(counter: AccessWorld) -> None:
    registrar = counter.registrar()
    device = counter.device()
    first = counter.enrol("a", registrar=registrar).code
    register(counter.browser(), device, code=first)
    code = counter.enrol("b", registrar=registrar).code
    options = counter.access.begin_registration(code=code)["options"]
    clone = counter.device()
    answer = clone.create(options)
    known = device.credentials[0].id
    forged = _with_id(answer, clone.credentials[0].id, known)
    with pytest.raises((Conflict, Unauthenticated)):
        counter.access.finish_registration(forged, code=code)


def test_staff_accounts_are_not_open_to_everybody(light_counter: AccessWorld) -> None:
    browser = light_counter.browser()
    assert browser.post("/register/begin", json={"name": "x"}).status_code == 403
    assert browser.post("/register/begin", json={"name": "x", "code": 7}).status_code == 400


def test_a_deactivated_clerk_is_out_at_once(counter: AccessWorld) -> None:
    browser, device = counter.clerk()
    counter.access.staff.deactivate("clerk-17", actor=_ren())
    assert browser.get("/account").status_code == 303
    assert sign_in(counter.browser(), device).status_code == 401


# The own passkeys


def test_a_second_passkey_and_the_first_one_removed(counter: AccessWorld) -> None:
    browser, device = counter.clerk()
    before = dict(browser.cookies)
    second = counter.device()
    asked = browser.post("/account/passkeys/begin", json={}).json()
    done = browser.post("/account/passkeys/finish", json={"answer": second.create(asked["options"])})
    assert done.json() == {"next": "/account"}
    assert browser.cookies != before, "a fresh session"
    first = device.credentials[0]
    page = browser.get("/account").text
    assert page.count("/account/passkeys/remove") == 2
    gone = browser.post("/account/passkeys/remove", data={"passkey": encode_base64url(first.id)})
    assert gone.status_code == 303
    assert sign_in(counter.browser(), device).status_code == 401
    assert sign_in(counter.browser(), second).status_code == 200


def test_the_last_passkey_stays(light_counter: AccessWorld) -> None:
    browser, _ = light_counter.clerk()
    assert browser.post("/account/passkeys/remove", data={"passkey": "x"}).status_code == 409


def test_a_found_session_makes_no_passkey(light_counter: AccessWorld) -> None:
    browser, _ = light_counter.clerk()
    light_counter.clock.advance(timedelta(minutes=11))
    assert browser.post("/account/passkeys/begin", json={}).status_code == 403


# Anything at all


@given(
    st.binary(max_size=300),
    st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]),
)
def test_any_bytes_in_an_answer_are_refused(data: bytes, name: str) -> None:
    world = _HOLDERS
    begun = world.access.begin_registration(name="x")
    device = world.device()
    made = device.create(begun["options"])
    found = device.get({**world.access.begin_sign_in()["options"]})
    for answer, finish in (
        (made, lambda one: world.access.finish_registration(one, name="x", user=begun["user"])),
        (found, world.access.finish_sign_in),
    ):
        if name in answer["response"]:
            changed = {**answer, "response": {**answer["response"], name: encode_base64url(data)}}
            with pytest.raises(YinxinError):
                finish(changed)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "rawId", "type", "response"]), json_values))
def test_any_shape_of_an_answer_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(YinxinError):
        _HOLDERS.access.finish_sign_in(answer)
    with pytest.raises(YinxinError):
        _HOLDERS.access.finish_registration(answer, name="x", user="y")


def _holders() -> AccessWorld:
    database = with_tables()
    return AccessWorld(database, "holder", "https://wallet.example", randomness=UnsafeSeededRandomness("x"))


_HOLDERS = _holders()


def _ren() -> Actor:
    return staff("ren", agency=SEVEN, roles=("registrar",))


def _with_id(answer: dict[str, Any], made: bytes, known: bytes) -> dict[str, Any]:
    """The answer with another credential's id in the attested data."""
    attestation = decode_base64url(answer["response"]["attestationObject"]).replace(made, known)
    name = encode_base64url(known)
    response = {**answer["response"], "attestationObject": encode_base64url(attestation)}
    return {**answer, "id": name, "rawId": name, "response": response}

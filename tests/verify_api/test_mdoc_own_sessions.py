"""`POST /v1/verifications` with an mdoc that was shown to a session of the department's own software."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from world.departments import BUREAU, FIRE, GRANTED, claims_of_the_bakery
from world.mdoc_city import IDENTIFIER, VCT, MdocCity

from credentials.licence import EndingKind
from credentials.mdoc import dc_api_transcript, openid4vp_transcript, present_mdoc
from signing.base64url import encode_base64url
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.departments import Reply

    from credentials.licence import Licence

CLIENT, ADDRESS = "x509_san_dns:market.jincheng.example", f"{BUREAU}/answers"
KEY = FileSigner.generate().public_key
BY_REDIRECT = {"client_id": CLIENT, "response_uri": ADDRESS}
_SERIALS = iter(range(1200, 1300))


@pytest.fixture(scope="module")
def city() -> Iterator[MdocCity]:
    made = MdocCity()
    yield made
    made.close()


@pytest.fixture
def licence(city: MdocCity) -> Licence:
    made: Licence = city.licence(f"{next(_SERIALS):09d}")
    return made


def transcript(nonce: str, **changes: Any) -> bytes:
    return openid4vp_transcript(**{"client_id": CLIENT, "nonce": nonce, "response_uri": ADDRESS, **changes})


def shown(city: MdocCity, issued: bytes, transcript: bytes, **changes: Any) -> str:
    """What the baker's wallet sends to the bureau's own software."""
    options = {"disclose": {VCT: (IDENTIFIER, *sorted(GRANTED))}, "holder": city.baker, **changes}
    return encode_base64url(present_mdoc(issued, transcript=transcript, **options))


def codes(reply: Reply) -> set[str]:
    assert reply.status == 200, reply.body
    return {reason["code"] for reason in reply.json["reasons"]}


SESSIONS: dict[str, tuple[dict[str, Any], Any]] = {
    "by redirect": (BY_REDIRECT, transcript),
    "encrypted": (
        {**BY_REDIRECT, "encryption_thumbprint": KEY.thumbprint},
        lambda nonce: transcript(nonce, encryption_key=KEY),
    ),
    "through the browser": ({"origin": BUREAU}, lambda nonce: dc_api_transcript(origin=BUREAU, nonce=nonce)),
    "asked under its id": (
        {"client_id": BUREAU, "response_uri": "https://elsewhere.example/answers"},
        lambda nonce: transcript(nonce, client_id=BUREAU, response_uri="https://elsewhere.example/answers"),
    ),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_what_a_wallet_showed_to_its_own_session_is_verified(
    city: MdocCity, licence: Licence, name: str
) -> None:
    session, signed = SESSIONS[name]
    nonce = city.nonce()
    sent = shown(city, city.mdoc(licence), signed(nonce))
    reply = city.ask({"presentation": sent, "nonce": nonce, "session": session})
    assert codes(reply) == set()
    assert (reply.json["indication"], reply.json["subject"]) == ("passed", "mdoc")
    assert reply.json["claims"] == {one: claims_of_the_bakery()[one] for one in GRANTED}
    assert reply.json["licence"]["identifier"] == licence.identifier


def test_a_nonce_is_good_for_one_showing(city: MdocCity, licence: Licence) -> None:
    issued, nonce = city.mdoc(licence), city.nonce()
    first, second = (shown(city, issued, transcript(nonce)) for _ in range(2))
    asked = {"nonce": nonce, "session": BY_REDIRECT}
    before = city.ask({"presentation": first, **asked})
    again = city.ask({"presentation": first, **asked})
    assert codes(before) == codes(again) == set()
    assert again.json["repeats"] == before.json["id"]
    replay = city.ask({"presentation": second, **asked})
    assert (codes(replay), replay.json["claims"]) == ({"token_replayed"}, {})


def test_one_of_nobody_or_of_another_department_is_none(city: MdocCity, licence: Licence) -> None:
    issued = city.mdoc(licence)
    for nonce in ("n" * 22, city.nonce(FIRE)):
        reply = city.ask(
            {"presentation": shown(city, issued, transcript(nonce)), "nonce": nonce, "session": BY_REDIRECT}
        )
        assert (codes(reply), reply.json["claims"]) == ({"nonce_unknown"}, {})


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"client_id": "x509_san_dns:else.example"},
        {"response_uri": f"{BUREAU}/other"},
        {"encryption_key": KEY},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_answer_to_another_session_does_not_pass(
    city: MdocCity, licence: Licence, change: dict[str, Any]
) -> None:
    nonce = city.nonce()
    sent = shown(city, city.mdoc(licence), transcript(**{"nonce": nonce, **change}))
    reply = city.ask({"presentation": sent, "nonce": nonce, "session": BY_REDIRECT})
    assert (codes(reply), reply.json["claims"]) == ({"key_binding_invalid"}, {})


def test_a_copy_in_other_hands_does_not_pass(city: MdocCity, licence: Licence) -> None:
    thief, nonce = FileSigner.generate(), city.nonce()
    stolen = city.mdoc(licence, holder_key=thief.public_key)
    good = shown(city, stolen, transcript(nonce), holder=thief)
    assert codes(city.ask({"presentation": good, "nonce": nonce, "session": BY_REDIRECT})) == set()
    city.happen(licence, EndingKind.REVOKED)
    nonce = city.nonce()
    revoked = shown(city, stolen, transcript(nonce), holder=thief)
    reply = city.ask({"presentation": revoked, "nonce": nonce, "session": BY_REDIRECT})
    assert reply.json["indication"] == "failed"


FOREIGN: dict[str, dict[str, Any]] = {
    "an address": {"client_id": CLIENT, "response_uri": "https://thief.example/a"},
    "an origin": {"origin": "https://market.jincheng.example.thief.example"},
    "an address before an at sign": {
        "client_id": CLIENT,
        "response_uri": "https://market.jincheng.example@thief.example/",
    },
    "an address without encryption": {
        "client_id": CLIENT,
        "response_uri": "http://market.jincheng.example/a",
    },
    "the id of a department below": {
        "client_id": f"{BUREAU}/x",
        "response_uri": "https://thief.example/a",
    },
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_was_shown_to_somebody_else_is_nothing_to_the_department(
    city: MdocCity, licence: Licence, name: str
) -> None:
    session, nonce = FOREIGN[name], city.nonce()
    make: Any = dc_api_transcript if "origin" in session else openid4vp_transcript
    sent = shown(city, city.mdoc(licence), make(nonce=nonce, **session))
    reply = city.ask({"presentation": sent, "nonce": nonce, "session": session})
    assert (codes(reply), reply.json["claims"]) == ({"wrong_audience"}, {})


REFUSED: dict[str, dict[str, Any]] = {
    "both kinds": {"session": {**BY_REDIRECT, "origin": BUREAU}},
    "half of one": {"session": {"client_id": CLIENT}},
    "nothing in it": {"session": {}},
    "no nonce": {"nonce": None},
    "a thumbprint with a bit too many": {
        "session": {**BY_REDIRECT, "encryption_thumbprint": KEY.thumbprint[:-1] + "B"}
    },
    "no thumbprint": {"session": {**BY_REDIRECT, "encryption_thumbprint": ""}},
    "a member more": {"session": {**BY_REDIRECT, "transcript": "AA"}},
    "a text": {"session": "https://market.jincheng.example"},
    "a number": {"session": {"origin": 5}},
    "a document": {"presentation": None, "document": "AAAA"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_session_that_is_none_is_said_to_be_wrong(city: MdocCity, name: str) -> None:
    asked = {"presentation": "oA", "nonce": "n" * 22, "session": BY_REDIRECT, **REFUSED[name]}
    reply = city.ask({member: value for member, value in asked.items() if value is not None})
    assert reply.status in {400, 422}, reply.body
    assert reply.json["detail"]


def test_a_department_without_an_address_asks_under_its_id(city: MdocCity) -> None:
    issued, nonce = city.mdoc(city.licence(f"{next(_SERIALS):09d}")), city.nonce(FIRE)
    case = {"purpose": "fire-safety", "matter": "fire-1"}
    session = {"client_id": FIRE, "response_uri": "https://fire.example/answers"}
    sent = shown(city, issued, transcript(nonce, **session))
    reply = city.ask({"presentation": sent, "nonce": nonce, "session": session}, as_=FIRE, **case)
    assert codes(reply) == set()
    nonce = city.nonce(FIRE)
    sent = shown(city, issued, transcript(nonce))
    other = city.ask({"presentation": sent, "nonce": nonce, "session": BY_REDIRECT}, as_=FIRE, **case)
    assert codes(other) == {"wrong_audience"}


def test_what_is_no_mdoc_is_a_failed_report(city: MdocCity) -> None:
    for sent in ("oA", "!", "e30.e30.", "A" * 40):
        nonce = city.nonce()
        reply = city.ask({"presentation": sent, "nonce": nonce, "session": BY_REDIRECT})
        assert (reply.json["indication"], reply.json["claims"]) == ("failed", {})


def test_an_sd_jwt_in_a_session_is_no_mdoc_and_an_mdoc_without_one_no_sd_jwt(
    city: MdocCity, licence: Licence
) -> None:
    nonce = city.nonce()
    token = city.present(city.credential(licence), nonce)
    assert "format_failure" in codes(
        city.ask({"presentation": token, "nonce": nonce, "session": BY_REDIRECT})
    )
    sent = shown(city, city.mdoc(licence), transcript(nonce))
    without = city.ask({"presentation": sent, "nonce": nonce})
    assert (without.status, "nonce and session" in without.json["detail"]) == (400, True)


def test_the_digest_is_that_of_the_response(city: MdocCity, licence: Licence) -> None:
    nonce = city.nonce()
    options = {"disclose": {VCT: (IDENTIFIER,)}, "holder": city.baker, "transcript": transcript(nonce)}
    response = present_mdoc(city.mdoc(licence), **options)
    reply = city.ask({"presentation": encode_base64url(response), "nonce": nonce, "session": BY_REDIRECT})
    assert reply.json["digest"]["value"] == hashlib.sha256(response).hexdigest()

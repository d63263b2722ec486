"""A market bureau asks, a baker's wallet answers: OpenID4VP over HTTP, with nothing mocked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from world.departments import BUREAU, FIRE, GRANTED, MATTER, PURPOSE, TYPE, URL, claims_of_the_bakery
from world.presentations import AskingCity, request_id_of, signer_with_name

from credentials.catalogue import Catalogue
from credentials.licence import EndingKind
from credentials.oid4vp.client_ids import Prefix
from credentials.oid4vp.responses import decline
from credentials.oid4vp.transactions import MATTER_TYPE
from credentials.oid4vp.vocabulary import ErrorCode
from credentials.vocabulary import INVALID
from signing.jose import parse_jws
from signing.signers.file import FileSigner
from verify_api.departments import Grant
from verify_api.presentations.service import PresentationService
from verify_api.presentations.templates import templates_of
from verify_api.receipts import verify_receipt
from wallet.exchange import Reply as Sent
from yinxin.base.audit import AuditLog, Sequencer
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallet import Holder


@pytest.fixture(scope="module")
def asking() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.fixture
def holder(asking: AskingCity) -> Holder:
    """A wallet with one food business licence."""
    made = asking.wallet()
    asking.provide(made)
    return made


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_licence_is_asked_for_shown_and_verified(asking: AskingCity, *, encrypted: bool) -> None:
    holder = asking.wallet()
    licence = asking.provide(holder)
    started = asking.started(encrypted=encrypted)
    assert asking.outcome(started["id"]).json["state"] == "open"
    reply = asking.show(holder, started["link"])
    assert (reply.status, reply.json) == (200, {})
    outcome = asking.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"], outcome["reasons"]) == ("answered", "passed", [])
    (result,) = outcome["results"][TYPE]
    assert result["claims"] == {name: claims_of_the_bakery()[name] for name in GRANTED}
    assert result["licence"]["identifier"] == licence.identifier
    assert [result["id"]] == outcome["verifications"]


def test_the_result_is_what_a_verification_gives(asking: AskingCity, holder: Holder) -> None:
    """The same members, the same kind of record, a receipt that verifies."""
    started = asking.started()
    asking.show(holder, started["link"])
    (result,) = asking.outcome(started["id"]).json["results"][TYPE]
    licence = asking.licence("000000042")
    nonce = asking.nonce()
    shown = asking.present(asking.credential(licence), nonce)
    handed_in = asking.ask({"presentation": shown, "nonce": nonce}).json
    assert set(result) == set(handed_in)
    assert [one["name"] for one in result["checks"] if one["name"] != "query"] == [
        one["name"] for one in handed_in["checks"]
    ]
    kept = asking.snapshots()
    report = verify_receipt(
        result["receipt"], asking.trust, now=asking.clock.now(), revocation=kept.revocation, department=BUREAU
    )
    receipt = report.require()
    assert (receipt.purpose, receipt.matter, receipt.indication) == (PURPOSE, MATTER, "passed")
    token = {"Authorization": f"Bearer {asking.token()}"}
    recorded = asking.call("GET", f"/v1/verifications/{result['id']}", None, token).json
    assert recorded["receipt"].split(".")[1] == result["receipt"].split(".")[1]


def test_nobody_else_sees_a_session(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    asking.show(holder, started["link"])
    assert asking.outcome(started["id"], as_=FIRE).status == 404
    assert asking.call("GET", f"/v1/presentations/{started['id']}").status == 401
    assert asking.call("POST", "/v1/presentations", b"{}").status == 401
    assert asking.call("GET", "/v1/presentation-templates").status == 401
    assert (
        asking.outcome(request_id_of(started["link"])).status == 404
    )  # the wallet's name is not the session's
    assert asking.call("GET", f"/oid4vp/requests/{started['id']}").status == 404


def test_a_department_learns_what_it_may_ask_for(asking: AskingCity) -> None:
    token = {"Authorization": f"Bearer {asking.token()}"}
    (template,) = asking.call("GET", "/v1/presentation-templates", None, token).json["templates"]
    assert (template["purpose"], template["matter"]) == (PURPOSE, MATTER)
    (kind,) = template["types"]
    assert kind["type"] == TYPE
    assert {one["name"] for one in kind["fields"]} == GRANTED
    department = asking.registry.get(BUREAU)
    unknown = type(department)(
        **{**vars(department), "grants": (Grant(PURPOSE, "x", {"no-such-type": GRANTED}),)}
    )
    assert templates_of(unknown, Catalogue.load())[0]["types"] == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"purpose": "curiosity"}, 403),
        ({"matter": "other"}, 403),
        ({"types": ["construction-permit"]}, 403),
        ({"claims": ["responsible_person"]}, 403),
        ({"claims": []}, 400),
        ({"types": []}, 422),
        ({"types": [TYPE, TYPE]}, 400),
        ({"types": ["a b"]}, 422),
        ({"match": "some"}, 422),
        ({"device": "other"}, 422),
        ({"nonce": "mine"}, 422),
        ({"reason": {"zh": "办证\n第二行", "en": "x"}}, 422),
        ({"reason": {"zh": "只有中文"}}, 422),
        ({"encrypted": "no"}, 422),
        ({"return_url": "https://market.jincheng.example/x"}, 400),  # only on one device
        ({"device": "same", "return_url": "https://evil.example/"}, 403),
        ({"device": "same", "return_url": "https://market.jincheng.example.evil.example/"}, 403),
        ({"device": "same", "return_url": "https://market.jincheng.example@evil.example/"}, 400),
        ({"device": "same", "return_url": "http://market.jincheng.example/"}, 400),
        ({"transaction": {"type": "payment", "statement": {"zh": "a", "en": "b"}, "details": {}}}, 400),
    ],
    ids=range(20),
)
def test_a_wish_beyond_the_grant_or_the_form_is_refused(
    asking: AskingCity, changes: dict[str, Any], status: int
) -> None:
    assert asking.start(**changes).status == status


def test_a_wish_is_json(asking: AskingCity) -> None:
    token = {"Authorization": f"Bearer {asking.token()}"}
    assert asking.call("POST", "/v1/presentations", b"{}", token).status == 415
    token["Content-Type"] = "application/json"
    for body, status in ((b"[]", 400), (b'{"purpose":null}', 400), (b"{", 400), (b" " * 20_000, 413)):
        assert asking.call("POST", "/v1/presentations", body, token).status == status


def test_a_narrower_wish_asks_for_less(asking: AskingCity, holder: Holder) -> None:
    started = asking.started(claims=["credit_code"], reason={"zh": "核对主体", "en": "To check who you are"})
    verified = asking.fetch(started["link"])
    (credential,) = verified.request.query.credentials
    assert [claim.path for claim in credential.claims or ()] == [("credit_code",)]
    assert verified.request.about
    assert verified.request.about.purpose.en == "To check who you are"
    asking.show(holder, started["link"])
    (result,) = asking.outcome(started["id"]).json["results"][TYPE]
    assert set(result["claims"]) == {"credit_code"}


def test_the_code_on_both_screens_is_the_same(asking: AskingCity) -> None:
    started = asking.started()
    about = asking.fetch(started["link"]).request.about
    assert about
    assert about.match_code == started["match_code"]
    assert len(about.match_code) == 2
    assert started["qr"].startswith("<svg")
    assert asking.outcome(started["id"]).json["state"] == "fetched"


def test_the_request_is_fetched_twice_and_by_both_methods(asking: AskingCity) -> None:
    """request-uri-fetched-twice, request-uri-method-post: the same request, bound to each wallet's nonce."""
    started = asking.started()
    path = urlsplit(parse_qs(urlsplit(started["link"]).query)["request_uri"][0]).path
    first, second = asking.call("GET", path), asking.call("GET", path)
    by_post = [asking.fetch(started["link"], nonce=nonce) for nonce in ("a" * 22, "b" * 22)]
    nonces = {parse_jws(one.body.decode()).claims()["nonce"] for one in (first, second)}
    assert nonces == {one.request.nonce for one in by_post}
    assert len(nonces.pop()) == 43  # 256 bits
    assert "wallet_nonce" not in parse_jws(first.body.decode()).claims()
    assert parse_jws(first.body.decode()).header["x5c"]
    assert len(parse_jws(first.body.decode()).header["x5c"]) == 2  # without the anchor


def test_every_session_has_its_own_nonce_state_and_key(asking: AskingCity) -> None:
    found = [asking.fetch(asking.started()["link"]).request for _ in range(2)]
    for name in ("nonce", "state", "response_uri"):
        assert len({getattr(one, name) for one in found}) == 2
    keys = {one.encryption.keys[0]["kid"] for one in found if one.encryption}
    assert len(keys) == 2
    assert all(one.encryption.encryptions == ("A256GCM", "A128GCM") for one in found if one.encryption)


def test_what_the_holder_agrees_to_stands_in_the_key_binding(asking: AskingCity, holder: Holder) -> None:
    wish = {
        "type": MATTER_TYPE,
        "statement": {"zh": "提交申请", "en": "I apply"},
        "details": {"matter": MATTER},
    }
    started = asking.started(transaction=wish)
    asking.show(holder, started["link"])
    outcome = asking.outcome(started["id"]).json
    assert outcome["indication"] == "passed"
    assert "transaction_data" in {one["name"] for one in outcome["results"][TYPE][0]["checks"]}


def test_one_of_several_types_is_enough(asking: AskingCity, holder: Holder) -> None:
    fields = {TYPE: GRANTED, "business-licence": frozenset({"enterprise_name", "credit_code"})}
    grants = (Grant("plan", "p-1", fields),)
    asking.register("urn:jincheng:planning", asking.keys[FIRE], grants=grants)
    asking.keys["urn:jincheng:planning"] = asking.keys[FIRE]
    asking.clock.advance(timedelta(seconds=6))
    wish = {"as_": "urn:jincheng:planning", "purpose": "plan", "matter": "p-1"}
    both = asking.started(types=["business-licence", TYPE], match="any", **wish)
    assert asking.show(holder, both["link"]).status == 200
    outcome = asking.outcome(both["id"], as_="urn:jincheng:planning").json
    assert (outcome["indication"], list(outcome["results"])) == ("passed", [TYPE])


def test_a_revoked_licence_is_shown_and_fails(asking: AskingCity) -> None:
    holder = asking.wallet()
    licence = asking.provide(holder)
    asking.happen(licence, EndingKind.REVOKED)
    with asking.database.transaction() as session:
        asking.statuses.set(session, *asking.last_status, INVALID)
    asking.service.use(asking.snapshots())
    started = asking.started()
    assert asking.show(holder, started["link"]).status == 200  # the wallet did its part
    outcome = asking.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "failed")
    assert {"licence_revoked", "credential_revoked"} <= set(outcome["reasons"])


def test_a_holder_says_no(asking: AskingCity) -> None:
    started = asking.started()
    request = asking.fetch(started["link"]).request
    said = Sent(request.response_uri, decline(request, ErrorCode.ACCESS_DENIED))
    assert (asking.post(said).status, asking.post(said).status) == (200, 410)
    outcome = asking.outcome(started["id"]).json
    assert (outcome["state"], outcome["error"]) == ("declined", "access_denied")
    assert "results" not in outcome


def test_a_session_lives_two_minutes(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    answering = holder.consider_presentation(asking.fetch(started["link"]))
    reply = holder.answer_presentation(answering)
    asking.clock.advance(timedelta(seconds=121))
    assert asking.post(reply).status == 404
    path = f"/oid4vp/requests/{request_id_of(started['link'])}"
    assert asking.call("GET", path).status == 404
    assert asking.outcome(started["id"]).json["state"] == "expired"


def test_results_are_forgotten_after_ten_minutes(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    asking.show(holder, started["link"])
    assert "results" in asking.outcome(started["id"]).json
    asking.clock.advance(timedelta(minutes=10, seconds=1))
    assert asking.outcome(started["id"]).status == 404


def test_every_change_is_in_the_log_and_no_claim(asking: AskingCity, holder: Holder) -> None:
    started = asking.started()
    asking.show(holder, started["link"])
    log = FileSigner.generate("Ed25519")
    key = log.public_key.spki[-32:]
    writer = Sequencer(asking.database, origin="test/log", sign=log.sign, public_key=key, clock=asking.clock)
    writer.run_once(100_000)
    entries = AuditLog(asking.database).entries(subject=started["id"])
    assert [(one.content() or {})["action"] for one in entries] == [
        f"presentation.{v}" for v in ("start", "fetch", "receive", "answer")
    ]
    assert "小麦" not in str(entries)


def test_a_host_name_names_the_service_where_its_certificate_does(asking: AskingCity) -> None:
    def made(signer: Any, prefix: Prefix) -> PresentationService:
        return PresentationService(
            asking.service,
            database=asking.database,
            journal=asking.journal,
            request_signer=signer,
            catalogue=Catalogue.load(),
            secret=bytes(32),
            clock=asking.clock,
            prefix=prefix,
        )

    host = urlsplit(URL).hostname or ""
    named = made(signer_with_name(asking, host), Prefix.SAN_DNS)
    assert str(named.client_id) == f"x509_san_dns:{host}"
    named.close()
    for signer in (asking.request_signer, signer_with_name(asking, "other.example")):
        with pytest.raises(UsageError):
            made(signer, Prefix.SAN_DNS)

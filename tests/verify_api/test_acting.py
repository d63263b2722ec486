"""Agents at a department's window: what the verdict says, what a recall stops, and what others try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.acting import OTHER_WINDOW, WINDOW, ActingCity, Wallet
from world.delegating import BUSINESS, FOOD
from world.departments import MATTER

from credentials import key_binding
from credentials.delegations.credential import matter_check
from credentials.delegations.terms import Kind
from credentials.oid4vp.responses import answer
from credentials.vocabulary import DELEGATION
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object
from signing.reasons import Reason
from verify_api.receipts import verify_receipt
from wallet import contents as kept
from wallet.answering import make_presentation
from wallet.exchange import Reply
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.oid4vp.request_objects import VerifiedRequest


@pytest.fixture(scope="module")
def city() -> Iterator[ActingCity]:
    found = ActingCity()
    yield found
    found.close()


@pytest.fixture(scope="module")
def li(city: ActingCity) -> tuple[Wallet, str]:
    """An agent whom nobody recalls."""
    return city.agent()


def shown(city: ActingCity, wallet: Wallet, **changes: Any) -> dict[str, Any]:
    """How a presentation of this wallet comes out."""
    asked = city.asked(**changes)
    city.show(wallet.holder, asked["link"])
    return city.found(asked["id"])


def test_x_for_y_under_delegation_z(city: ActingCity, li: tuple[Wallet, str]) -> None:
    agent, delegation = li
    found = shown(city, agent)
    assert found["indication"] == "passed", found
    (result,) = found["results"][BUSINESS]
    said = f"李明华代表{city.office.business.holder_name}，依据委托书 {delegation}"
    assert result["text"]["zh"] == f"核验通过：{said}"
    assert (result["acting"]["id"], result["acting"]["kind"]) == (delegation, "agent")
    assert result["claims"]["credit_code"] == city.office.business.holder_code
    now, revocation = city.clock.now(), city.snapshots().revocation
    receipt = verify_receipt(result["receipt"], city.trust, now=now, revocation=revocation).require()
    assert receipt.content["acting"]["zh"] == said
    assert receipt.content[DELEGATION] == delegation
    headers = {"Authorization": f"Bearer {city.token(WINDOW)}"}
    again = city.call("GET", f"/v1/verifications/{result['id']}", None, headers).json
    assert again["text"]["zh"] == f"核验通过：{said}"
    assert verify_receipt(again["receipt"], city.trust, now=now, revocation=revocation).require().content == (
        receipt.content
    )
    (use,) = city.boss.delegating.uses(delegation)
    assert (use["department"], use["matter"], use["indication"]) == (WINDOW, MATTER, "passed")
    assert not {"agent", "principal", "claims"} & set(use)
    assert agent.delegating.uses(delegation) == [use]
    assert Wallet(city, "路人").delegating.uses(delegation) == []


def test_the_holder_themselves_needs_no_delegation(city: ActingCity) -> None:
    found = shown(city, city.boss)
    assert found["indication"] == "passed"
    assert "acting" not in found["results"][BUSINESS][0]


def test_an_agent_is_refused_by_the_wallet_where_no_agents_are_asked_for(
    city: ActingCity, li: tuple[Wallet, str]
) -> None:
    agent, _ = li
    asked = city.asked(agents=False)
    with pytest.raises(NotFound, match="nothing that satisfies"):
        agent.holder.consider_presentation(city.fetch(asked["link"]))


def test_a_recall_stops_an_open_code_before_any_status_list_says_so(city: ActingCity) -> None:
    agent, delegation = city.agent()
    asked = city.asked()
    reply = agent.holder.answer_presentation(agent.holder.consider_presentation(city.fetch(asked["link"])))
    city.boss.delegating.recall(delegation)
    assert city.post(reply).status == 400
    found = city.found(asked["id"])
    assert (found["indication"], found["reasons"]) == ("failed", ["delegation_recalled"])
    assert found["results"][BUSINESS][0]["claims"] == {}
    assert "acting" not in found["results"][BUSINESS][0]
    # The company sees that somebody tried.
    assert [one["indication"] for one in city.boss.delegating.uses(delegation)] == ["failed"]
    city.service.use(city.snapshots())  # now the lists say it too
    reasons = set(shown(city, agent)["reasons"])
    assert {"credential_revoked", "delegation_recalled", "delegation_missing"} <= reasons


def test_a_matter_or_a_type_outside_the_delegation_is_refused(city: ActingCity) -> None:
    agent, _ = city.agent(terms=city.terms(matters=("another-matter",)))
    assert shown(city, agent)["reasons"] == ["delegation_exceeded"]
    narrow, _ = city.agent("张建国", city.terms(types=(FOOD,)))
    with pytest.raises(NotFound):
        shown(city, narrow)
    assert shown(city, narrow, types=[FOOD])["indication"] == "passed"


def test_a_delegation_ends_at_its_moment_at_the_window_too(city: ActingCity) -> None:
    soon = city.clock.now() + (city.terms().ends_at - city.clock.now()) / 720  # an hour
    agent, _ = city.agent(terms=city.terms(ends_at=soon))
    asked = city.asked()
    reply = agent.holder.answer_presentation(agent.holder.consider_presentation(city.fetch(asked["link"])))
    city.later(seconds=50)
    assert city.post(reply).status == 200
    city.later(hours=1, seconds=-50)
    city.service.use(city.snapshots())
    assert "delegation_expired" in shown(city, agent)["reasons"]


def made_by(wallet: Wallet, verified: VerifiedRequest) -> dict[str, list[str]]:
    """What a wallet would show, before it is sent."""
    answering = wallet.holder.consider_presentation(verified)
    contents = wallet.delegating._store.read()
    shown: dict[str, list[str]] = {}
    for pick in answering.picks:
        _, row = kept.next_copy(contents, pick.licence)
        key, now = kept.key_of(contents, row), wallet.city.clock.now()
        shown[pick.query_id] = [make_presentation(answering, pick, row["credential"], key, now)]
    return shown


def answered(city: ActingCity, asked: dict[str, Any], shown: dict[str, list[str]]) -> dict[str, Any]:
    request = city.fetch(asked["link"]).request
    city.post(Reply(request.response_uri, answer(request, shown)))
    return city.found(asked["id"])


def test_somebody_else_s_delegation_helps_nobody(city: ActingCity, li: tuple[Wallet, str]) -> None:
    agent, _ = li
    other, _ = city.agent("张建国")
    asked = city.asked()
    verified = city.fetch(asked["link"])
    mixed = {**made_by(agent, verified), DELEGATION: made_by(other, verified)[DELEGATION]}
    found = answered(city, asked, mixed)
    assert (found["indication"], found["reasons"]) == ("failed", ["delegation_missing"])
    assert found["results"][BUSINESS][0]["claims"] == {}


def test_an_agent_who_keeps_the_delegation_back_is_refused(city: ActingCity, li: tuple[Wallet, str]) -> None:
    agent, _ = li
    asked = city.asked()
    shown = made_by(agent, city.fetch(asked["link"]))
    found = answered(city, asked, {BUSINESS: shown[BUSINESS]})
    assert found["reasons"] == ["delegation_missing"]


def test_a_delegation_that_was_edited_is_no_delegation(city: ActingCity, li: tuple[Wallet, str]) -> None:
    agent, _ = li
    asked = city.asked()
    shown = made_by(agent, city.fetch(asked["link"]))
    (text,) = shown[DELEGATION]
    head, payload, rest = text.split(".", 2)
    claims = load_json_object(decode_base64url(payload))
    wider = encode_base64url(dump_json({**claims, "matters": ["*"], "exp": claims["exp"] + 86400}))
    found = answered(city, asked, {**shown, DELEGATION: [f"{head}.{wider}.{rest}"]})
    assert found["indication"] == "failed"
    assert "delegation_missing" in found["reasons"]


def test_a_helper_helps_at_one_window_only(city: ActingCity) -> None:
    helper, _ = city.agent("帮办小赵", city.terms(Kind.HELPER))
    assert shown(city, helper)["indication"] == "passed"
    assert shown(city, helper)["indication"] == "passed"  # the same visit
    asked = city.started(types=[BUSINESS], agents=True, as_=OTHER_WINDOW)
    city.show(helper.holder, asked["link"])
    found = city.outcome(asked["id"], as_=OTHER_WINDOW).json
    assert found["reasons"] == ["delegation_exceeded"]


def test_an_agent_s_copy_alone_is_nothing(city: ActingCity, li: tuple[Wallet, str]) -> None:
    """Handed in by itself at `POST /v1/verifications`."""
    agent, _ = li
    contents = agent.delegating._store.read()
    name = next(one.id for one in agent.holder.licences() if one.id.startswith(city.business.identifier))
    _, row = kept.next_copy(contents, name)
    nonce = city.nonce(WINDOW)
    presentation = key_binding.present(
        row["credential"],
        disclose=["credit_code"],
        holder=kept.key_of(contents, row),
        audience=WINDOW,
        nonce=nonce,
        at=city.clock.now(),
    )
    found = city.ask({"presentation": presentation, "nonce": nonce}, as_=WINDOW).json
    assert found["indication"] == "failed"
    assert "delegation_missing" in {one["code"] for one in found["reasons"]}
    assert found["claims"] == {}


def test_who_verifies_without_our_register_checks_the_matter() -> None:
    assert matter_check({"matters": ["m1"]}, "m1").reason is None
    assert matter_check({"matters": ["*"]}, "m1").reason is None
    for claims in ({}, {"matters": "m1"}, {"matters": ["m2"]}):
        assert matter_check(claims, "m1").reason is Reason.DELEGATION_EXCEEDED

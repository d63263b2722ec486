"""Delegations on the wallet's pages: the card, an appointment, yes, no, and the end."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from world.acting import ActingCity
from world.delegating import BUSINESS
from world.departments import MATTER
from world.holders import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.asgi import Answer
    from world.holders import Person


@pytest.fixture(scope="module")
def acting() -> Iterator[ActingCity]:
    made = ActingCity()
    yield made
    made.close()


@pytest.fixture
def place(acting: ActingCity, tmp_path: Path) -> Site:
    site = Site.of_city(acting, tmp_path)
    site.internet.hosts["licences.jincheng.example"] = acting.issuing("198.51.100.200")
    return site


@pytest.fixture
def boss(place: Site, acting: ActingCity) -> Person:
    person = place.person("zheng", language="zh")
    key = person.wallet.holder.new_key()
    _, (credential,) = acting.office.handing.copies.make(
        acting.business.identifier, [key], actor=acting.office.clerk
    )
    person.wallet.holder.receive(credential)
    return person


def card_of(person: Person, name: str) -> str:
    page = person.post("/delegations/card", name=name)
    found = re.search(r'<textarea id="card"[^>]*>([^<]+)</textarea>', page.text)
    assert found, page.text
    return html.unescape(found[1])


def ids_on(page: Answer) -> list[str]:
    return re.findall(r'href="/delegations/([0-9a-f]{20})"', page.text)


def test_from_the_card_to_the_recall(place: Site, boss: Person) -> None:
    agent = place.person("li", language="zh")
    form = boss.get("/delegations/give").text
    way = html.unescape(re.findall(r'<option value="(licence:[^"]+)"', form)[0])
    given = {"on": way, "card": card_of(agent, "李明华"), "kind": "agent", "matters": MATTER, "days": "10"}
    answer = boss.post("/delegations/give", **given, **{f"type-{BUSINESS}": "yes"})
    page = boss.follow(answer)
    assert "委托已提出" in page.text
    (name,) = ids_on(agent.get("/delegations"))

    waiting = agent.get(f"/delegations/{name}").text
    assert all(word in waiting for word in ("待接受", "接受委托", "营业执照", MATTER))
    page = agent.follow(agent.post(f"/delegations/{name}/accept"))
    assert "已接受委托" in page.text
    licences = agent.get("/").text
    assert "营业执照（代办）" in licences
    assert "授权委托书" in licences
    assert "还没有使用记录" in boss.get(f"/delegations/{name}").text

    page = boss.follow(boss.post(f"/delegations/{name}/recall"))
    assert "已收回" in page.text
    assert "立即收回" not in boss.get(f"/delegations/{name}").text
    again = boss.post(f"/delegations/{name}/recall")
    assert again.status_code == 409


def test_a_no_and_what_cannot_be_meant(place: Site, boss: Person) -> None:
    agent, stranger = place.person("sun"), place.person("stranger")
    way = re.findall(r'<option value="(licence:[^"]+)"', boss.get("/delegations/give").text)[0]
    good = {
        "on": way,
        "card": card_of(agent, "孙立新"),
        "kind": "agent",
        "matters": MATTER,
        "days": "10",
        "type-*": "yes",
    }
    assert (
        boss.post("/delegations/give", **{name: good[name] for name in good if name != "type-*"}).status_code
        == 400
    )
    for wrong in (
        {"card": "eyJ"},
        {"kind": "guardian"},
        {"kind": "king"},
        {"days": "400"},
        {"days": "many"},
        {"matters": " "},
        {"on": ""},
        {"on": "under:00000000000000000000"},
    ):
        assert boss.post("/delegations/give", **{**good, **wrong}).status_code in {400, 404}, wrong
    assert boss.post("/delegations/give", origin="https://evil.example", **good).status_code == 403
    boss.follow(boss.post("/delegations/give", **good))
    (name,) = ids_on(agent.get("/delegations"))
    for path in (f"/delegations/{name}", "/delegations/00000000000000000000"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/delegations/{name}/accept").status_code == 404
    assert stranger.post(f"/delegations/{name}/burn").status_code == 404
    assert "Declined" in agent.follow(agent.post(f"/delegations/{name}/decline")).text
    assert "No licence here" in stranger.get("/delegations/give").text


def test_what_an_issuer_says_is_shown_as_text(place: Site, boss: Person) -> None:
    agent = place.person("jia")
    way = re.findall(r'<option value="(licence:[^"]+)"', boss.get("/delegations/give").text)[0]
    evil = "<b>x</b>"
    form = {
        "on": way,
        "card": card_of(agent, evil),
        "kind": "agent",
        "matters": evil,
        "days": "1",
        "type-*": "yes",
    }
    page = boss.follow(boss.post("/delegations/give", **form))
    assert evil not in page.text
    assert evil not in boss.get(f"/delegations/{ids_on(page)[0]}").text

"""Pages for guardians: one registers, another agrees by passkey, the guardian accepts, somebody ends it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.access import AccessWorld
from world.databases import with_tables
from world.delegating import DelegatingOffice, Person
from world.passkeys import Authenticator, Browser, register

from credentials import samples
from credentials.delegations import pages
from credentials.delegations.cards import CARD, read_card
from credentials.delegations.delegation import State
from credentials.delegations.guardians import Guardians
from credentials.gate import Gate
from credentials.office.proofs import EitherProof
from signing.jose import sign_jws
from signing.signers.file import FileSigner
from yinxin.access import pages as access_pages
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from fastapi import Request
    from world.pki import Pki

    from yinxin.access.accounts import SignedIn

ORIGIN, HOME = "https://office.example", "/office/guardians"
WARD = samples.person(5)


def card_of(person: Person, **changes: Any) -> str:
    headers = {"typ": CARD, "jwk": person.signer.public_key.to_jwk()}
    return sign_jws({"name": person.name, "code": person.code, **changes}, person.signer, headers=headers)


class Desk:
    """The office with its guardians' pages; li registers, zhao approves."""

    def __init__(self, pki: Pki) -> None:
        self.office = DelegatingOffice(pki, with_tables())
        database, clock, code = self.office.database, self.office.clock, self.office.agency.credit_code
        self.world = AccessWorld(database, origin=ORIGIN, clock=clock)
        consent = PasskeyConsent(database, self.world.access.site)
        gate = Gate(code, database, clock)
        self.guardians = Guardians(self.office.delegations, gate, EitherProof({KIND: consent}))
        script = access_pages.script_address()
        self.world.app.include_router(
            pages.router(self.guardians, consent, enter=self._enter, origin=ORIGIN, passkey_script=script)
        )
        self.registrar = self.world.registrar("ren", code)
        self.devices: dict[str, Authenticator] = {}
        self.li, self.zhao = self.visitor("li", "clerk", "approver"), self.visitor("zhao", "approver")
        self.mother = Person("许静宜")

    async def _enter(self, request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, self.world.access)

    def visitor(self, identifier: str, *roles: str) -> Browser:
        browser, device = self.world.browser(), self.world.device()
        enrolment = self.world.enrol(identifier, registrar=self.registrar, roles=roles)
        assert register(browser, device, code=enrolment.code).status_code == 200
        self.devices[identifier] = device
        return browser

    def form(self, **changes: str) -> dict[str, str]:
        last = (self.office.now + timedelta(days=3000)).date().isoformat()
        values = {
            "name": WARD["name"],
            "code": WARD["citizen_number"],
            "document": "出生医学证明 R120000001",
            "last_day": last,
            "card": card_of(self.mother),
        }
        return {**values, **changes}

    def registered(self) -> str:
        sent = self.li.post(HOME, data=self.form())
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]

    def agree(self, browser: Browser, who: str, place: str) -> Any:
        (digest,) = re.findall(r'name="digest" value="([0-9a-f]{64})"', browser.get(place).text)
        asked = browser.post(f"{place}/agreement/begin", json={"digest": digest})
        answer = self.devices[who].get(asked.json()["options"])
        return browser.post(f"{place}/agreement/finish", json={"digest": digest, "answer": answer})


@pytest.fixture(scope="module")
def desk(pki: Pki) -> Desk:
    return Desk(pki)


def test_one_registers_another_agrees_and_somebody_ends_it(desk: Desk) -> None:
    place = desk.registered()
    name = place.rsplit("/", 1)[1]
    page = desk.li.get(place).text
    assert "data-passkey" not in page  # who registered it does not approve it
    assert WARD["citizen_number"] not in page
    assert desk.agree(desk.zhao, "zhao", place).status_code == 200
    assert "待监护人在其证照夹中接受" in desk.li.get(place).text
    actor = desk.office.delegations.chain(name)[0]
    assert (actor.state, actor.agent.name) == (State.PROPOSED, "许静宜")
    listed = desk.zhao.get(HOME).text
    assert place in listed
    assert desk.form()["last_day"] in listed
    why = {"ground": "监护关系终止", "document_number": "（2026）津民特1号"}
    assert desk.li.post(f"{place}/recall", data={**why, "ground": " "}).status_code == 422
    assert desk.zhao.post(f"{place}/recall", data=why).status_code == 403
    assert desk.li.post(f"{place}/recall", data=why).status_code == 303
    assert "已收回" in desk.li.get(place).text
    assert place not in desk.li.get(HOME).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"card": "none"},
        {"code": "91120116MA06ABCD12"},
        {"last_day": "soon"},
        {"last_day": "9999-12-31"},
        {"last_day": "2020-01-01"},
        {"document": ""},
        {"name": "\u202e"},
        {"matters": "* 120199-food-001"},
    ],
)
def test_what_is_wrong_comes_back(desk: Desk, wrong: dict[str, str]) -> None:
    sent = desk.li.post(HOME, data=desk.form(**wrong))
    assert sent.status_code == 422, sent.text
    assert "许静宜" not in sent.text  # nothing was registered


def test_what_an_approver_signs_is_what_the_page_showed(desk: Desk) -> None:
    place = desk.registered()
    begin, finish = f"{place}/agreement/begin", f"{place}/agreement/finish"
    assert desk.zhao.post(begin, json={"digest": "0" * 64}).status_code == 400
    (digest,) = re.findall(r'name="digest" value="([0-9a-f]{64})"', desk.zhao.get(place).text)
    assert desk.zhao.post(finish, json={"digest": digest, "answer": "yes"}).status_code == 400
    assert desk.li.post(begin, json={"digest": digest}).status_code == 200
    asked = desk.li.post(begin, json={"digest": digest}).json()["options"]
    own = {"digest": digest, "answer": desk.devices["li"].get(asked)}
    assert desk.li.post(finish, json=own).status_code == 403
    assert desk.zhao.get(f"{HOME}/none").status_code == 404


def test_a_card_names_who_signed_it() -> None:
    person, other = Person("许静宜", code=WARD["citizen_number"]), FileSigner.generate()
    agent = read_card(f" {card_of(person)}\n")
    assert (agent.name, agent.code, agent.key) == (person.name, person.code, person.signer.public_key)
    forged = sign_jws(
        {"name": "许静宜"}, other, headers={"typ": CARD, "jwk": person.signer.public_key.to_jwk()}
    )
    for text in ("", "a.b.c", forged, card_of(person, name=3), card_of(person, name=""), "x" * 100_000):
        with pytest.raises(MalformedInput):
            read_card(text)

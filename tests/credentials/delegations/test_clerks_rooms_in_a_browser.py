"""Clerks' pages for corrections and guardians in a real browser, and what anybody who looks sees."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from world.browser import browser, visit
from world.databases import with_tables
from world.delegating import DelegatingOffice, Person
from world.languages import told_in

from credentials import samples
from credentials.delegations import pages as guardian_pages
from credentials.delegations.cards import CARD
from credentials.delegations.guardians import Guardians
from credentials.gate import Gate
from credentials.office.disputes import Contact, Contacts, Slips
from credentials.office.proofs import KeyProofs
from credentials.sources import pages as correction_pages
from credentials.sources.corrections import Corrections
from signing.jose import sign_jws
from yinxin.access import pages as access_pages
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.access.consent import PasskeyConsent
from yinxin.access.service import Access
from yinxin.app import problems
from yinxin.app.slips import phrases, slips_of_corrections
from yinxin.base.actor import ActorKind, staff
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Visit
    from world.pki import Pki

__all__ = ["browser", "visit"]
FOOD, WARD = "food-business-licence", samples.person(5)


class Served:
    """The two rooms on one loopback port; `who` is at the office's computer."""

    def __init__(self, pki: Pki) -> None:
        self.office = DelegatingOffice(pki, with_tables())
        code, clock, database = self.office.agency.credit_code, self.office.clock, self.office.database
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        self.who = staff("li", agency=code, roles=("clerk", "approver"))
        self.mother = Person("许静宜")
        operator = Contact(code, self.office.agency.name, Text("政务大厅 12 号窗口", "hall, window 12"))
        slips = Slips(b"s" * 32, phrases=phrases(), contacts=Contacts(operator), clock=clock)
        corrections = Corrections(
            self.office.catalogue,
            database,
            agency=code,
            index=self.office.index,
            slip_of=slips_of_corrections(slips),
            clock=clock,
        )
        gate = Gate(code, database, clock)
        guardians = Guardians(self.office.delegations, gate, KeyProofs(lambda _name: []))
        access = Access(database, realm="staff", origin=self.url, name=self.office.agency.name, clock=clock)
        consent = PasskeyConsent(database, access.site)
        app = FastAPI()
        problems.install(app)
        common: dict[str, Any] = {"enter": self._enter, "origin": self.url}
        script = access_pages.script_address()
        for one in (
            correction_pages.router(corrections, **common),
            guardian_pages.router(guardians, consent, **common, passkey_script=script),
            access_pages.router(access, start="/office"),
        ):
            app.include_router(one)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        work: Any = {"target": self._server.run, "kwargs": {"sockets": [self._listener]}, "daemon": True}
        self._thread = threading.Thread(**work)
        self._thread.start()

    async def _enter(self, request: Request) -> SignedIn:
        del request
        who = self.who
        account = Account("a", ActorKind.STAFF, who.identifier, "李静", who.agency, who.roles)
        return SignedIn(account, How.PASSKEY, self.office.now, "s")

    @property
    def card(self) -> str:
        headers = {"typ": CARD, "jwk": self.mother.signer.public_key.to_jwk()}
        return sign_jws({"name": self.mother.name, "code": ""}, self.mother.signer, headers=headers)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def served(pki: Pki) -> Iterator[Served]:
    found = Served(pki)
    yield found
    found.close()


@told_in("zh")
def test_a_request_for_correction(served: Served, visit: Visit, language: str) -> None:
    licence = served.office.issue(FOOD, 4).licence
    clerk = visit(language=language)
    page = clerk.open(f"{served.url}/office/corrections")
    for field, words in (("business_premises", "门牌号应为 19 号"), ("main_format", "应为餐饮服务经营者")):
        page.locator("#licence").fill(licence.number)
        page.locator("#field").fill(field)
        page.locator("#words").fill(words)
        if field == "main_format":
            clerk.look("correction-01-queue")
        page.locator("main form button").click()
        page.locator("dl.facts").first.wait_for()
        clerk.look(f"correction-02-{field}")
        page = clerk.open(f"{served.url}/office/corrections")
    page.locator("tbody a").first.click()
    page.locator("#note").fill("与现场核查记录一致。")
    page.locator("section[aria-labelledby=refuse] button").click()
    page.locator("#slip").wait_for()
    clerk.look("correction-03-refused")


@told_in("en")
def test_a_guardian_is_registered_and_ends(served: Served, visit: Visit, language: str) -> None:
    clerk = visit(language=language)
    page = clerk.open(f"{served.url}/office/guardians")
    page.locator("#name").fill(WARD["name"])
    page.locator("#code").fill(WARD["citizen_number"])
    page.locator("#document").fill("出生医学证明 R120000001")
    page.locator("#last_day").fill((served.office.now + timedelta(days=3000)).date().isoformat())
    page.locator("#card").fill("a card that was cut off")
    page.locator("main form button").click()
    clerk.look("guardian-01-wrong")
    page.locator("#card").fill(served.card)
    page.locator("main form button").click()
    page.locator("dl.facts").wait_for()
    clerk.look("guardian-02-registered")
    served.who = staff("zhao", agency=served.office.agency.credit_code, roles=("approver",))
    page = clerk.open(page.url)
    page.locator("form[data-passkey] button").wait_for()
    clerk.look("guardian-03-approver")
    served.who = staff("li", agency=served.office.agency.credit_code, roles=("clerk",))
    page = clerk.open(page.url)
    page.locator("#ground").fill("登记有误")
    page.locator("#number").fill("更正〔2026〕1号")
    page.locator("section[aria-labelledby=recall] button").click()
    page.locator("section[aria-labelledby=recall]").wait_for(state="detached")
    clerk.look("guardian-04-ended")
    clerk.open(f"{served.url}/office/guardians")
    clerk.look("guardian-05-list")

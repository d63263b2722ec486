"""Pages of supervision and disputes without a browser: who sees what, and what hostile text comes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, Request
from world.access import AccessWorld
from world.asgi import Client
from world.audit import ORIGIN, PUBLIC_KEY
from world.passkeys import register
from world.supervision import EIGHT, SupervisionWorld

from credentials.office.disputes import http as dispute_http
from credentials.office.disputes import pages as dispute_pages
from credentials.office.supervision import http, pages
from yinxin.access import pages as access_pages
from yinxin.app import problems
from yinxin.base.audit import verifier_key
from yinxin.base.audit.bundle import Bundle
from yinxin.base.text import Text

if TYPE_CHECKING:
    from world.passkeys import Browser
    from world.pki import Pki

    from yinxin.access.accounts import SignedIn
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

HOST, KEY = "https://office.example", verifier_key(ORIGIN, PUBLIC_KEY)
HTML = {"Accept": "text/html"}
FORM = {**HTML, "Origin": "https://verify.example"}


class Rooms(SupervisionWorld):
    """The office's pages for people who signed in, and the public ones."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.world = AccessWorld(database, origin=HOST, clock=self.clock)
        self.registrar = self.world.registrar("ren", self.own)
        app = self.world.app
        app.include_router(pages.router(self.supervision, enter=self._enter, origin=HOST, log_key=KEY))
        app.include_router(
            dispute_pages.office_router(self.disputes, enter=self._enter, origin=HOST, clock=self.clock)
        )
        app.include_router(http.router(self.supervision, enter=self._caller, log_key=KEY, clock=self.clock))
        self.public = FastAPI()
        problems.install(self.public)
        self.public.include_router(
            dispute_pages.public_router(
                self.disputes,
                self.slips,
                types=[("food-business-licence", Text("食品经营许可证", "Food licence"))],
                agencies=[self.contacts.operator],
                origin="https://verify.example",
                clock=self.clock,
            )
        )
        self.public.include_router(
            dispute_http.public_router(
                self.disputes, self.slips, department_of=self._department, clock=self.clock
            )
        )

    async def _enter(self, request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, self.world.access)

    async def _caller(self, request: Request) -> Actor:
        return (await self._enter(request)).actor

    async def _department(self, request: Request) -> Actor | None:
        return self.department if request.headers.get("authorization") else None

    def visitor(self, identifier: str, *roles: str) -> Browser:
        browser, device = self.world.browser(), self.world.device()
        enrolment = self.world.enrol(identifier, registrar=self.registrar, roles=roles)
        assert register(browser, device, code=enrolment.code).status_code == 200
        return browser

    def inspect(self, browser: Browser) -> str:
        """The address of an inspection."""
        begun = browser.post("/office/supervision", data={"matter": "监〔2026〕1号", "words": "核查"})
        assert begun.status_code == 303, begun.text
        return begun.headers["location"]

    def anybody(self, address: str = "203.0.113.9") -> Client:
        return Client(self.public, address=address)


@pytest.fixture
def rooms(pki: Pki, memory: Database) -> Rooms:
    return Rooms(pki, memory)


def test_an_inspector_looks_up_and_takes_proofs(rooms: Rooms) -> None:
    rooms.approved("办-1")
    rooms.run()
    browser = rooms.visitor("inspector-sun", "inspector")
    place = rooms.inspect(browser)
    shown = browser.post(place, data={"by": "case", "sought": "办-1"})
    entries = re.findall(r'name="entry" value="([^"]+)"', shown.text)
    assert len(entries) == 4
    taken = browser.post(f"{place}/proofs", data={"entry": entries[0]})
    assert len(Bundle.parse(taken.text).verify(KEY)) == 1
    finding = re.search(r"/findings/([0-9a-f]{20})", browser.get(f"{place}/findings").text)
    assert finding
    assert "Close" not in browser.get(f"{place}/findings/{finding[1]}").text
    approver = rooms.visitor("approver-zhao", "approver")
    said = {"words": "<script>alert(1)</script>已会审"}
    assert approver.post(f"/office/findings/{finding[1]}", data=said).status_code == 303
    page = browser.get(f"{place}/findings/{finding[1]}")
    assert "&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    closed = browser.post(f"{place}/findings/{finding[1]}", data={"words": "属实"})
    assert closed.status_code == 303
    assert browser.get("/office/supervision/counts?month=2026-11&format=csv").text.startswith("\ufeffmonth")


def test_a_clerk_reads_none_of_supervisions_pages(rooms: Rooms) -> None:
    rooms.approved("办-1")
    rooms.run()
    inspector, clerk = rooms.visitor("inspector-sun", "inspector"), rooms.visitor("clerk-li", "clerk")
    place = rooms.inspect(inspector)
    finding = rooms.findings()[0].id
    for path in ("/office/supervision", place, f"{place}/findings", f"{place}/findings/{finding}",
                 "/office/supervision/counts?month=2026-11"):  # fmt: skip
        assert clerk.get(path).status_code == 403
    assert clerk.get(f"/office/findings/{finding}").status_code == 404
    for path in (place, f"{place}/proofs", "/office/supervision"):
        assert clerk.post(path, data={"by": "case", "sought": "办-1"}).status_code in {400, 403}
    assert inspector.post(f"/office/findings/{finding}", data={"words": "x"}).status_code == 404
    other = rooms.visitor("inspector-other", "inspector")
    assert other.get(place).status_code == 403  # a colleague's reason is not one's own
    for path in (place, f"{place}/findings/{finding}"):
        elsewhere = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
        assert inspector.post(path, headers=elsewhere).status_code == 403


def test_an_inspector_of_agency_8_over_http(rooms: Rooms) -> None:
    rooms.approved("办-1")
    rooms.run()
    rooms.registrar = rooms.world.registrar("ren-8", EIGHT)
    browser = rooms.visitor("inspector-eight", "inspector")
    begun = browser.post("/v1/inspections", json={"matter": "1", "words": "x"}).json()
    place = f"/v1/inspections/{begun['id']}"
    answer = browser.post(f"{place}/searches", json={"by": "case", "sought": "办-1"})
    assert answer.json()["lines"] == []
    assert browser.get(f"{place}/findings").json() == {"findings": []}
    for body in ({"by": "name", "sought": "王"}, {"by": "case"}, {"by": "case", "sought": "1", "limit": "9"},
                 {"by": "case", "sought": "1", "limit": 1000}, {"by": "case", "sought": 1}):  # fmt: skip
        assert browser.post(f"{place}/searches", json=body).status_code in {400, 422}


def test_a_clerk_answers_a_dispute_on_the_page(rooms: Rooms) -> None:
    number = rooms.disputed(rooms.sealed().licence.identifier).number
    clerk = rooms.visitor("clerk-li", "clerk")
    assert number in clerk.get("/office/disputes").text
    place = f"/office/disputes/{number}"
    assert clerk.post(f"{place}/accept", data={"words": "受理"}).status_code == 303
    assert clerk.post(f"{place}/reject", data={"words": "不"}).status_code == 409
    assert clerk.post(f"{place}/fly", data={"words": "不"}).status_code == 404
    assert "受理" in clerk.get(place).text
    inspector = rooms.visitor("inspector-sun", "inspector")
    assert inspector.get(place).status_code == 403
    assert clerk.post(f"{place}/answer", headers={"Origin": "https://evil.example"}).status_code == 403


def test_anybody_with_a_slip_disputes_on_the_public_page(rooms: Rooms) -> None:
    anybody, slip = rooms.anybody(), rooms.slip()
    assert slip in anybody.get(f"/slips/{slip.lower()}", headers=HTML).text
    assert anybody.post("/slips", headers=FORM, data={"number": "0000"}).status_code == 404
    found = anybody.post("/slips", headers=FORM, data={"number": f" {slip} "})
    assert found.headers["location"] == f"/slips/{slip}"
    facts = {"kind": "missing", "type": "food-business-licence", "agency": rooms.own, "slip": slip}
    hostile = {**facts, "words": "<img src=x onerror=alert(1)>{{7*7}}", "licence": '"><script>'}
    wrong = anybody.post("/disputes/new", headers=FORM, data={**hostile, "slip": "nothing"})
    assert wrong.status_code == 422
    assert "<img src=x" not in wrong.text
    opened = anybody.post("/disputes/new", headers=FORM, data=hostile)
    number, secret = re.findall(r"<code>([^<]+)</code>", opened.text)
    page = anybody.post("/disputes", headers=FORM, data={"number": number, "secret": secret})
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page.text
    assert "set-cookie" not in {name.lower() for name, _ in page.pairs}
    assert anybody.post("/disputes", headers=FORM, data={"number": number, "secret": "x"}).status_code == 404
    elsewhere = {**HTML, "Origin": "https://evil.example"}
    assert anybody.post("/disputes/new", headers=elsewhere, data=facts).status_code == 403


def test_a_flood_of_disputes_is_slowed(rooms: Rooms) -> None:
    body = {"kind": "missing", "words": "查不到", "type": "food-business-licence", "agency": rooms.own}
    statuses = [
        rooms.anybody().post("/v1/disputes", json={**body, "slip": rooms.slip()}).status_code
        for _ in range(7)
    ]
    assert statuses == [201] * 5 + [429] * 2
    department = {"authorization": "Bearer x"}
    assert rooms.anybody().post("/v1/disputes", headers=department, json=body).status_code == 201
    for broken in (
        {**body, "kind": "odd"},
        {**body, "more": 1},
        {**body, "fields": [1]},
        {**body, "proof": {"document": "?"}},
        {**body, "words": "x" * 3000},
        {**body, "words": None},
    ):
        answer = rooms.anybody().post("/v1/disputes", headers=department, json=broken)
        assert answer.status_code in {400, 422}, broken
    large = rooms.anybody().post("/v1/disputes", headers=department, json={**body, "words": "x" * (5 << 20)})
    assert large.status_code == 413


def test_secrets_are_not_guessed_at_leisure(rooms: Rooms) -> None:
    number = rooms.disputed(rooms.sealed().licence.identifier).number
    statuses = [
        rooms.anybody()
        .get(f"/v1/disputes/{number}", headers={"Dispute-Secret": f"guess-{index}"})
        .status_code
        for index in range(25)
    ]
    assert set(statuses[:20]) == {404}
    assert set(statuses[20:]) == {429}


def test_nobody_comes_in_without_a_session(rooms: Rooms) -> None:
    stranger = rooms.world.browser()
    for path in ("/office/supervision", "/office/supervision/x", "/office/disputes", "/office/findings/x"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")

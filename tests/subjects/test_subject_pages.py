"""Pages and JSON interface of subjects: who may do what, and what hostile requests come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.access import AccessWorld
from world.asgi import Client
from world.databases import with_tables
from world.passkeys import Authenticator, Browser, register
from world.subjects import FOOD, LAW, PHYSICIAN, SubjectWorld

from credentials import samples
from credentials.licence import EndingKind
from credentials.office.proofs import EitherProof
from yinxin.access import pages as access_pages
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.app import problems
from yinxin.app.subjects import http
from yinxin.app.subjects.pages import router
from yinxin.app.subjects.runner import Runner
from yinxin.base.actor import Actor, staff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import Request
    from world.asgi import Answer
    from world.pki import Pki

    from yinxin.access.accounts import SignedIn
    from yinxin.base.database import Database

ORIGIN, HOME = "https://office.example", "/office/subjects"
NEW = "津城新海河糕点有限公司"


class SubjectPages:
    """The pages; people register a passkey on a device each."""

    def __init__(self, pki: Pki, database: Database) -> None:
        self.world = AccessWorld(database, origin=ORIGIN)
        self.consent = PasskeyConsent(database, self.world.access.site)
        self.city = SubjectWorld(
            pki, database, proofs=EitherProof({KIND: self.consent}), clock=self.world.clock
        )
        self.city.without_pages()
        self.agency = self.city.agency.credit_code
        self.runner = Runner(self.city.cascade, self.city.work, agency=self.agency, database=database)
        self.world.app.include_router(
            router(
                self.city.cascade,
                self.runner,
                self.consent,
                enter=self._enter,
                origin=ORIGIN,
                passkey_script=access_pages.script_address(),
            )
        )
        self.registrar = self.world.registrar("ren", self.agency)
        self.devices: dict[str, Authenticator] = {}

    async def _enter(self, request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, self.world.access)

    def person(self, identifier: str, *roles: str) -> Browser:
        browser, device = self.world.browser(), self.world.device()
        enrolment = self.world.enrol(identifier, registrar=self.registrar, roles=roles)
        assert register(browser, device, code=enrolment.code).status_code == 200
        self.devices[identifier] = device
        return browser

    def form(self, kind: str, **more: str) -> dict[str, str]:
        return {"kind": kind, "subject": self.city.company["credit_code"], **LAW, **more}

    def plan(self, clerk: Browser, kind: str = "dissolved", **more: str) -> str:
        answer = clerk.post(f"{HOME}/new", data=self.form(kind, **more))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def agree(self, browser: Browser, address: str, identifier: str, *, digest: str = "") -> Answer:
        shown = digest or self.digest(browser, address)
        asked = browser.post(f"{address}/agreement/begin", json={"digest": shown})
        if asked.status_code != 200:
            return asked
        answer = self.devices[identifier].get(asked.json()["options"])
        return browser.post(f"{address}/agreement/finish", json={"digest": shown, "answer": answer})

    @staticmethod
    def digest(browser: Browser, address: str) -> str:
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', browser.get(address).text)
        assert found
        return found[1]


@pytest.fixture
def office(pki: Pki, tmp_path: Path) -> Iterator[SubjectPages]:
    found = with_tables(f"sqlite:///{tmp_path / 'city.db'}")
    made = SubjectPages(pki, found)
    yield made
    made.runner.close()
    found.close()


def test_two_people_their_passkeys_and_the_report(office: SubjectPages) -> None:
    food = office.city.give(FOOD, 3)
    clerk, approver = office.person("clerk-li", "clerk"), office.person("approver-zhao", "approver")
    address = office.plan(clerk, "renamed", name=NEW)
    shown = clerk.get(address).text
    assert food.licence.identifier in shown
    assert "data-passkey" not in shown
    assert office.agree(approver, address, "approver-zhao").status_code == 200
    assert clerk.post(f"{address}/run", data={}).status_code == 303
    office.runner.wait()
    report = clerk.get(address).text
    assert office.city.versions(food)[-1].identifier in report
    assert NEW in report
    assert address.rpartition("/")[2] in clerk.get(HOME).text


def test_who_planned_does_not_approve_and_nobody_runs_what_is_not_approved(office: SubjectPages) -> None:
    both = office.person("clerk-chen", "clerk", "approver")
    address = office.plan(both)
    assert "data-passkey" not in both.get(address).text
    digest = office.city.cascade.show(address.rpartition("/")[2], actor=office.city.li).event.digest
    assert office.agree(both, address, "clerk-chen", digest=digest).status_code == 403
    assert both.post(f"{address}/run", data={}).status_code == 403


def test_an_agreement_is_to_the_plan_that_was_shown(office: SubjectPages) -> None:
    clerk, approver = office.person("clerk-li", "clerk"), office.person("approver-zhao", "approver")
    address = office.plan(clerk)
    shown = office.digest(approver, address)
    office.city.give(FOOD, 3)
    assert clerk.post(f"{address}/again", data={}).status_code == 303
    assert office.agree(approver, address, "approver-zhao", digest=shown).status_code == 400
    answer = office.devices["approver-zhao"].get(office.consent.options(bytes.fromhex(shown)))
    sent = {"digest": office.digest(approver, address), "answer": answer}
    assert approver.post(f"{address}/agreement/finish", json=sent).status_code == 403


def test_what_changed_meanwhile_is_shown(office: SubjectPages) -> None:
    food = office.city.give(FOOD, 3)
    clerk, approver = office.person("clerk-li", "clerk"), office.person("approver-zhao", "approver")
    address = office.plan(clerk)
    office.agree(approver, address, "approver-zhao")
    office.city.issuer.end(food.licence.identifier, EndingKind.REVOKED, actor=office.city.clerk, **LAW)
    answer = clerk.post(f"{address}/run", data={})
    assert answer.status_code == 409
    assert food.licence.identifier in answer.text
    assert clerk.post(f"{address}/withdraw", data={}).status_code == 303


def test_every_form_is_answered_to_our_own_pages_only(office: SubjectPages) -> None:
    clerk = office.person("clerk-li", "clerk")
    address = office.plan(clerk)
    elsewhere = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
    for path in (f"{HOME}/new", f"{address}/again", f"{address}/run", f"{address}/withdraw"):
        assert clerk.post(path, headers=elsewhere).status_code == 403
    for path in (f"{address}/agreement/begin", f"{address}/agreement/finish"):
        assert clerk.post(path, headers=elsewhere, json={}).status_code == 403


def test_nobody_is_let_in_without_a_session_and_strangers_find_nothing(office: SubjectPages) -> None:
    address, nobody = office.plan(office.person("clerk-li", "clerk")), office.world.browser()
    for path in (HOME, f"{HOME}/new", address):
        answer = nobody.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    office.registrar = office.world.registrar("ren-8", samples.credit_code(8))
    stranger = office.person("clerk-eight", "clerk", "approver")
    assert {stranger.get(path).status_code for path in (HOME, address)} == {403}
    assert stranger.post(f"{HOME}/new", data=office.form("dissolved")).status_code in {403, 422}
    assert stranger.post(f"{address}/withdraw", data={}).status_code == 403


def test_a_persons_number_is_shown_masked_and_typed_text_as_text(office: SubjectPages) -> None:
    office.city.give(PHYSICIAN, 2)
    clerk, number = office.person("clerk-li", "clerk"), office.city.person["citizen_number"]
    address = office.plan(clerk, "death_reported", subject=number)
    for path in (address, HOME):
        assert number not in clerk.get(path).text
    bad = office.form("renamed", name="<script>alert(1)</script>津城")
    shown = clerk.get(clerk.post(f"{HOME}/new", data=bad).headers["location"]).text
    assert "<script>alert" not in shown
    wrong = clerk.post(f"{HOME}/new", data=office.form("death_reported"))
    assert wrong.status_code == 422
    assert clerk.post(f"{HOME}/new", data=office.form("flown")).status_code == 422
    assert clerk.post(f"{address}/fly", data={}).status_code == 404


class Interface(Client):
    """The JSON interface, and somebody who comes in."""

    def __init__(self, city: SubjectWorld) -> None:
        self.actor = city.li
        self.runner = Runner(city.cascade, city.work, agency=city.agency.credit_code, database=city.database)

        async def enter(_request: Request) -> Actor:
            return self.actor

        app = FastAPI()
        problems.install(app)
        app.include_router(http.router(city.cascade, self.runner, enter=enter, clock=city.clock))
        super().__init__(app)


@pytest.fixture
def interface(city: SubjectWorld) -> Iterator[Interface]:
    made = Interface(city)
    yield made
    made.runner.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.sampled_from(
    ["kind", "subject", "ground", "document_number", "name", "into", "undoes", "happened_on"]
)
KINDS = st.sampled_from(["renamed", "merged", "dissolved", "death_reported", "restored", "flown"])
VALUES = JSON | KINDS | st.sampled_from([samples.credit_code(303), samples.citizen_number(3), "2026-02-30"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(FACTS, VALUES, max_size=8) | JSON,
    step=st.sampled_from(["", "/search", "/x/approve", "/x/run"]),
)
def test_no_body_brings_more_than_a_refusal(interface: Interface, body: Any, step: str) -> None:
    answer = interface.post(f"/v1/subject-events{step}", json=body)
    assert answer.status_code in {201, 200, 400, 404, 409, 422, 429}, answer.text
    if answer.status_code >= 400:
        assert answer.json()["type"].startswith("urn:yinxin:problem:")


def test_a_code_never_stands_in_an_address_or_in_a_refusal(interface: Interface, city: SubjectWorld) -> None:
    number = city.person["citizen_number"]
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    for body in ({"subject": wrong}, {"subject": number + "1"}):
        answer = interface.post("/v1/subject-events/search", json=body)
        assert (answer.status_code, wrong in answer.text, number in answer.text) == (400, False, False)
    found = interface.post("/v1/subject-events/search", json={"subject": number})
    assert found.json() == {"state": "active", "text": {"zh": "正常", "en": "active"}, "events": []}


def test_staff_of_another_agency_get_nothing(interface: Interface, city: SubjectWorld) -> None:
    made = interface.post(
        "/v1/subject-events", json={"kind": "dissolved", "subject": city.company["credit_code"], **LAW}
    )
    address = made.headers["location"]
    interface.actor = staff("clerk-8", agency=samples.credit_code(8), roles=("clerk", "approver"))
    assert interface.get(address).status_code == 403
    assert interface.get("/v1/subject-events").status_code == 403
    for step in ("run", "withdraw", "plan-again"):
        assert interface.post(f"{address}/{step}", json={}).status_code == 403

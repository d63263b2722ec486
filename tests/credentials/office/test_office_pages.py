"""The office's pages without a browser: who may do what, and what hostile requests come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from world.access import AccessWorld
from world.bundles import as_workbook, bomb, rows_of
from world.databases import with_tables
from world.office import Office
from world.passkeys import Authenticator, Browser, register

from credentials import samples
from credentials.licence import EndingKind
from credentials.office import CaseState, Desk
from credentials.office.bundles import Bundles
from credentials.office.pages import router
from credentials.office.proofs import EitherProof
from credentials.reading import OfficeReading
from yinxin.access import pages as access_pages
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request
    from world.asgi import Answer
    from world.pki import Pki

    from yinxin.access.accounts import SignedIn
    from yinxin.base.database import Database

FOOD, ORIGIN = "food-business-licence", "https://office.example"
NEW = f"/office/new/{FOOD}"


class OfficePages(Office):
    """The office with its pages; people register a passkey on a device each."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.world = AccessWorld(database, origin=ORIGIN, clock=self.clock)
        self.consent = PasskeyConsent(database, self.world.access.site)
        self.desk = Desk(
            self.issuer,
            agency=self.agency.credit_code,
            catalogue=self.catalogue,
            database=database,
            proofs=EitherProof({KIND: self.consent}),
            clock=self.clock,
        )
        self.bundles = Bundles(
            self.issuer,
            agency=self.agency.credit_code,
            catalogue=self.catalogue,
            database=database,
            proofs=EitherProof({KIND: self.consent}),
            clock=self.clock,
        )
        self.world.app.include_router(
            router(
                self.desk,
                self.bundles,
                OfficeReading(self.agency.credit_code, database, clock=self.clock),
                self.consent,
                catalogue=self.catalogue,
                enter=self._enter,
                origin=ORIGIN,
                passkey_script=access_pages.script_address(),
            )
        )
        self.registrar = self.world.registrar("ren", self.agency.credit_code)
        self.devices: dict[str, Authenticator] = {}

    async def _enter(self, request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, self.world.access)

    def person(self, identifier: str, *roles: str) -> Browser:
        browser, device = self.world.browser(), self.world.device()
        enrolment = self.world.enrol(identifier, registrar=self.registrar, roles=roles)
        assert register(browser, device, code=enrolment.code).status_code == 200
        self.devices[identifier] = device
        return browser

    def draft(self, clerk: Browser, number: str = "办-1", serial: int = 1, **changes: str) -> str:
        """The address of a drafted case."""
        answer = clerk.post(NEW, data=self.form(number, serial, **changes))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    @staticmethod
    def form(number: str, serial: int = 1, **changes: str) -> dict[str, str]:
        claims = samples.application(FOOD, serial)
        typed = {name: "；".join(one) if isinstance(one, list) else one for name, one in claims.items()}
        return {"number": number, **{f"field.{name}": text for name, text in {**typed, **changes}.items()}}

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
def office(pki: Pki, database: Database) -> OfficePages:
    return OfficePages(pki, database)


@pytest.fixture
def light(pki: Pki) -> Iterator[OfficePages]:
    """The office on SQLite in memory, for what no database judges."""
    database = with_tables()
    yield OfficePages(pki, database)
    database.close()


def test_three_people_and_their_passkeys(office: OfficePages) -> None:
    clerk = office.person("clerk-li", "clerk")
    reviewer, approver = (
        office.person("reviewer-wang", "reviewer"),
        office.person("approver-zhao", "approver"),
    )
    address = office.draft(clerk)
    assert clerk.post(f"{address}/submit", data={}).status_code == 303
    assert office.agree(reviewer, address, "reviewer-wang").status_code == 200
    assert office.agree(approver, address, "approver-zhao").status_code == 200
    assert clerk.post(f"{address}/seal", data={}).status_code == 303
    case = office.desk.case(address.rpartition("/")[2], actor=staff("x", agency=office.agency.credit_code))
    assert case.state is CaseState.SEALED
    assert case.sealed_as in clerk.get(address).text
    assert "办-1" not in clerk.get("/office").text


def test_a_passkey_of_somebody_else_agrees_to_nothing(office: OfficePages) -> None:
    clerk, reviewer = office.person("clerk-li", "clerk"), office.person("reviewer-wang", "reviewer")
    address = office.draft(clerk)
    clerk.post(f"{address}/submit", data={})
    assert office.agree(reviewer, address, "clerk-li").status_code == 403
    stolen = {**office.devices, "reviewer-wang": office.world.device()}
    stolen["reviewer-wang"].credentials = office.devices["clerk-li"].credentials
    office.devices = stolen
    assert office.agree(reviewer, address, "reviewer-wang").status_code == 403


def test_an_agreement_is_to_the_case_that_was_shown(office: OfficePages) -> None:
    clerk, reviewer = office.person("clerk-li", "clerk"), office.person("reviewer-wang", "reviewer")
    address = office.draft(clerk)
    clerk.post(f"{address}/submit", data={})
    shown = office.digest(reviewer, address)
    changed = office.form("", 2)
    assert clerk.post(f"{address}/edit", data=changed).status_code == 303
    clerk.post(f"{address}/submit", data={})
    assert office.agree(reviewer, address, "reviewer-wang", digest=shown).status_code == 400
    # And an answer of the authenticator for the old content does not pass for the new one.
    asked = office.consent.options(bytes.fromhex(shown))
    answer = office.devices["reviewer-wang"].get(asked)
    now = office.digest(reviewer, address)
    sent = {"digest": now, "answer": answer}
    assert reviewer.post(f"{address}/agreement/finish", json=sent).status_code == 403


def test_a_sign_in_is_no_agreement_and_an_agreement_no_sign_in(office: OfficePages) -> None:
    clerk, reviewer = office.person("clerk-li", "clerk"), office.person("reviewer-wang", "reviewer")
    address = office.draft(clerk)
    clerk.post(f"{address}/submit", data={})
    digest, device = office.digest(reviewer, address), office.devices["reviewer-wang"]
    asked = reviewer.post("/sign-in/begin", json={}).json()["options"]
    sent: dict[str, Any] = {"digest": digest, "answer": device.get(asked)}
    assert reviewer.post(f"{address}/agreement/finish", json=sent).status_code == 403
    agreed = device.get(office.consent.options(bytes.fromhex(digest)))
    assert office.world.browser().post("/sign-in/finish", json={"answer": agreed}).status_code == 401


def test_every_form_is_answered_to_our_own_pages_only(office: OfficePages) -> None:
    clerk = office.person("clerk-li", "clerk")
    address = office.draft(clerk)
    elsewhere = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
    for path in (NEW, f"{address}/submit", f"{address}/seal", f"{address}/withdraw", f"{address}/edit"):
        assert clerk.post(path, headers=elsewhere).status_code == 403
    for path in (f"{address}/agreement/begin", f"{address}/agreement/finish"):
        assert clerk.post(path, headers=elsewhere, json={}).status_code == 403


def test_nobody_is_let_in_without_a_session(office: OfficePages) -> None:
    address = office.draft(office.person("clerk-li", "clerk"))
    stranger = office.world.browser()
    for path in ("/office", NEW, address, f"{address}/edit"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert stranger.post(f"{address}/submit", data={}).status_code in {303, 401}


def test_staff_of_another_agency_find_nothing(office: OfficePages) -> None:
    address = office.draft(office.person("clerk-li", "clerk"))
    office.registrar = office.world.registrar("ren-8", samples.credit_code(8))
    stranger = office.person("clerk-eight", "clerk", "reviewer", "approver")
    assert stranger.get("/office").status_code == 403
    for path in (address, f"{address}/edit"):
        assert stranger.get(path).status_code in {403, 404}
    assert stranger.post(f"{address}/submit", data={}).status_code in {403, 404}
    assert stranger.post(NEW, data=office.form("办-8")).status_code == 403


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{ 7*7 }}", '"onmouseover="x', "&lt;b&gt;", "{digest}"]
)
def test_what_is_typed_is_shown_as_text(office: OfficePages, text: str) -> None:
    clerk = office.person("clerk-li", "clerk")
    address = office.draft(clerk, operator_name=f"津城{text}店")
    shown = clerk.get(address).text
    assert text not in shown or text in {"{{ 7*7 }}", "{digest}"}
    assert "<script>alert" not in shown


def test_faults_are_told_beside_their_fields(office: OfficePages) -> None:
    clerk = office.person("clerk-li", "clerk")
    answer = clerk.post(NEW, data=office.form("办-1", credit_code="123", operator_name=""))
    assert answer.status_code == 422
    assert answer.text.count("aria-invalid") == 2
    assert clerk.post(NEW, data={**office.form("办-1"), "number": ""}).status_code == 400
    assert clerk.get("/office/new/nothing").status_code == 404
    assert clerk.post(f"{office.draft(clerk)}/fly", data={}).status_code == 404


def test_a_replacement_is_drafted_from_its_licence(light: OfficePages) -> None:
    clerk, licence = light.person("clerk-li", "clerk"), light.issue().licence
    found = clerk.get(f"/office/licences?sought={licence.number}")
    assert found.headers["location"] == f"/office/licences/{licence.identifier}"
    page = clerk.get(found.headers["location"]).text
    assert str(licence.claims["operator_name"]) in page
    where = f"/office/licences/{licence.identifier}/replace"
    assert where in page
    form = {**light.form("办-7"), "ground": "食品安全法", "document_number": "津监〔2026〕9号"}
    form["field.business_premises"] = "津城市和平路 20 号"
    assert clerk.post(where, data={**form, "ground": " "}).status_code == 422
    made = clerk.post(where, data=form)
    case = clerk.get(made.headers["location"]).text
    assert licence.identifier in case
    assert "津城市和平路 20 号" in case
    assert "换发" in case


def test_an_ending_names_its_kind_and_the_reviewer_sees_it(light: OfficePages) -> None:
    clerk, licence = light.person("clerk-li", "clerk"), light.issue().licence
    reviewer = light.person("reviewer-wang", "reviewer")
    where = f"/office/licences/{licence.identifier}/end"
    form = {"number": "办-8", "ground": "食品安全法", "document_number": "津监〔2026〕9号"}
    assert clerk.post(where, data=form).status_code == 422
    made = clerk.post(where, data={**form, "ending": "revoked"})
    assert made.status_code == 303, made.text
    assert "revoked" in reviewer.get(made.headers["location"]).text
    assert reviewer.post(where, data={**form, "number": "办-9", "ending": "revoked"}).status_code == 403
    assert f"{licence.identifier}/end" not in reviewer.get(f"/office/licences/{licence.identifier}").text


def test_a_mistaken_ending_is_taken_back_from_the_history(light: OfficePages) -> None:
    clerk, licence = light.person("clerk-li", "clerk"), light.issue().licence
    why = {"ground": "经核查系误登", "document_number": "津审纠〔2026〕2号"}
    light.issuer.end(licence.identifier, EndingKind.REVOKED, actor=light.clerk, **why)
    where = f"/office/licences/{licence.identifier}"
    page = clerk.get(where).text
    assert "吊销" in page
    assert f"{where}/undo?event=1" in page
    assert 'name="event" value="1"' in clerk.get(f"{where}/undo?event=1").text
    made = clerk.post(f"{where}/undo", data={"number": "办-9", "event": "1", **why})
    assert made.status_code == 303, made.text
    for wrong in ("", "0", "x", "1e9", "９"):
        answer = clerk.post(f"{where}/undo", data={"number": "办-10", "event": wrong, **why})
        assert answer.status_code == 422, wrong
    assert clerk.get(f"{where}/fly").status_code == 404


def test_a_change_may_name_its_day(light: OfficePages) -> None:
    clerk, licence = light.person("clerk-li", "clerk"), light.issue().licence
    form = {**light.form("办-9"), "ground": "食品安全法", "document_number": "津监〔2026〕9号"}
    form["field.business_premises"] = "津城市和平路 20 号"
    where = f"/office/licences/{licence.identifier}/change"
    assert clerk.post(where, data={**form, "effective_from": "gestern"}).status_code == 422
    made = clerk.post(where, data={**form, "effective_from": "2026-11-20"})
    assert "2026-11-20 00:00:00 UTC+8" in clerk.get(made.headers["location"]).text


def test_what_is_not_there_is_said_plainly(light: OfficePages) -> None:
    clerk = light.person("clerk-li", "clerk")
    for sought in ("nobody", "1.2.3", "%00", "x" * 300, "' OR 1=1 --"):
        assert clerk.get(f"/office/licences?sought={quote(sought)}").status_code == 404
        assert clerk.get(f"/office/licences/{quote(sought, safe='')}").status_code == 404


def test_a_bundle_is_handed_in_and_agreed_to_on_pages(light: OfficePages) -> None:
    clerk, reviewer = light.person("clerk-li", "clerk"), light.person("reviewer-wang", "reviewer")
    approver = light.person("approver-zhao", "approver")
    rows = rows_of(3)
    rows[1]["credit_code"] = "x"
    handed = hand_in(clerk, "批-1", as_workbook(rows))
    assert handed.status_code == 303, handed.text
    address = handed.headers["location"]
    page = clerk.get(address).text
    assert "credit_code" in page
    assert "办-3" in page
    assert clerk.post(f"{address}/submit", data={}).status_code == 303
    assert light.agree(clerk, address, "clerk-li", digest="0" * 64).status_code == 400
    (first, *_) = re.findall(r"/office/cases/[A-Za-z0-9_-]{22}", page)
    alone = reviewer.get(first).text  # one case of it is looked at, and agreed to only with the others
    assert (address in alone, "data-passkey" in alone) == (True, False)
    assert light.agree(reviewer, address, "reviewer-wang").status_code == 200
    assert light.agree(approver, address, "approver-zhao").status_code == 200
    assert clerk.post(f"{address}/seal", data={}).status_code == 303
    assert "已制证" in clerk.get(address).text
    assert "批-1" in clerk.get("/office/bundles").text


def test_a_file_that_is_none_is_told_on_the_page(light: OfficePages) -> None:
    clerk = light.person("clerk-li", "clerk")
    for file in (b"", b"PK\x03\x04", b"\xff\xff\xff"):
        answer = hand_in(clerk, "批-1", file)
        assert (answer.status_code, "文件未能读取" in answer.text) == (422, True)
    assert hand_in(clerk, "批-1", bomb()).status_code == 413
    outside = {"Origin": "https://evil.example"}
    assert hand_in(clerk, "批-1", as_workbook(rows_of(1)), headers=outside).status_code == 403
    reviewer = light.person("reviewer-wang", "reviewer")
    assert hand_in(reviewer, "批-2", as_workbook(rows_of(1))).status_code == 403


def hand_in(browser: Browser, number: str, file: bytes, *, headers: dict[str, str] | None = None) -> Answer:
    parts = {"number": number.encode(), "type": FOOD.encode(), "file": file}
    body = b"".join(
        b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="x.xlsx"' if name == "file" else b"", content)
        for name, content in parts.items()
    )
    sent = {"Content-Type": "multipart/form-data; boundary=edge", **(headers or {})}
    return browser.request("POST", "/office/bundles", headers=sent, content=body + b"--edge--\r\n")

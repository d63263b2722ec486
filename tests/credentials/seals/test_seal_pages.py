"""The keeper's pages without a browser: what they show, who agrees by passkey, and who may not come in."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from world.access import AccessWorld
from world.passkeys import Authenticator, Browser, register
from world.sealing import SealOffice

from credentials.office.proofs import EitherProof, KeyProofs
from credentials.office.seals import GrantTerms, Seals, SealState
from credentials.office.seals.drills import LostCredentialKey
from credentials.office.seals.pages import router
from yinxin.access import pages as access_pages
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.app.observing.process import alarm_rows
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from fastapi import Request
    from world.pki import Pki

    from yinxin.access.accounts import SignedIn
    from yinxin.base.database import Database

ORIGIN, FOOD = "https://office.example", "food-business-licence"


class SealPages(SealOffice):
    """The register with its pages; people register a passkey on a device each."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.world = AccessWorld(database, origin=ORIGIN, clock=self.clock)
        self.consent = PasskeyConsent(database, self.world.access.site)
        proofs = EitherProof({KIND: self.consent, "key": KeyProofs(self.keys_of)})
        values: dict[str, Any] = {"database": database, "proofs": proofs, "clock": self.clock}
        self.seals = Seals(self.agency.credit_code, **values)
        self.lost = LostCredentialKey(self.agency.credit_code, **values)
        self.told: list[str] = []
        self.world.app.include_router(
            router(
                self.seals,
                self.lost,
                self.consent,
                enter=self._enter,
                agreed=lambda drill, _actor: self.told.append(drill.id),
                clock=self.clock,
                origin=ORIGIN,
                passkey_script=access_pages.script_address(),
            )
        )
        self.registrar = self.world.registrar("ren", self.agency.credit_code)
        self.devices: dict[str, Authenticator] = {}

    async def _enter(self, request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, self.world.access)

    def visitor(self, identifier: str, *roles: str) -> Browser:
        browser, device = self.world.browser(), self.world.device()
        enrolment = self.world.enrol(identifier, registrar=self.registrar, roles=roles)
        assert register(browser, device, code=enrolment.code).status_code == 200
        self.devices[identifier] = device
        return browser

    def agree_at(self, browser: Browser, address: str, identifier: str) -> Any:
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', browser.get(address).text)
        assert found
        asked = browser.post(f"{address}/agreement/begin", json={"digest": found[1]})
        answer = self.devices[identifier].get(asked.json()["options"])
        sent = {"digest": found[1], "answer": answer}
        return browser.post(f"{address}/agreement/finish", json=sent)


@pytest.fixture
def pages(pki: Pki, database: Database) -> SealPages:
    return SealPages(pki, database)


def test_the_keeper_sees_state_grants_uses_and_alarms(pages: SealPages) -> None:
    pages.issue()
    stranger = pages.person("clerk-stranger", "drafter")
    with pytest.raises(NotPermitted):
        pages.custody(pages.key).allow(stranger, {FOOD: 1})
    keeper = pages.visitor("keeper-wu", "keeper")
    listed = keeper.get("/office/seals").text
    assert f"/office/seals/{pages.seal.id}" in listed
    shown = keeper.get(f"/office/seals/{pages.seal.id}").text
    for words in ("在用", "role:clerk", "今日用印 1 次", "staff:clerk-17", "未获用印授权", "立即停用"):
        assert words in shown
    english = keeper.get(f"/office/seals/{pages.seal.id}", headers={"Accept-Language": "en"}).text
    assert "Used 1 times today" in english
    assert "no grant of use" in english


def test_an_approver_agrees_by_passkey_and_the_keeper_stops(pages: SealPages) -> None:
    request = pages.seals.ask_to_grant(
        pages.seal.id, GrantTerms("staff:clerk-5", (FOOD,)), actor=pages.keeper
    )
    address = f"/office/seal-requests/{request.id}"
    keeper, approver = pages.visitor("keeper-wu", "keeper"), pages.visitor("approver-qian", "approver")
    assert "data-passkey" not in keeper.get(address).text
    assert "staff:clerk-5" in approver.get(address).text
    assert pages.agree_at(approver, address, "approver-qian").status_code == 200
    assert "approver-qian" in keeper.get(address).text
    facts = {"ground": "介质送检", "document_number": "津印〔2026〕3号"}
    answer = keeper.post(f"/office/seals/{pages.seal.id}/stop", data=facts)
    assert answer.status_code == 303
    assert pages.state(pages.seal) == SealState.STOPPED


def test_a_plan_about_a_lost_key_is_agreed_to_on_the_page(pages: SealPages) -> None:
    facts = {"ground": "介质遗失", "document_number": "津印失〔2026〕1号"}
    drill = pages.lost.begin_credential(pages.key.certificate, since=pages.now, **facts, actor=pages.keeper)
    asked = pages.lost.plan(drill.id, actor=pages.keeper).request
    approver = pages.visitor("approver-qian", "approver")
    address = f"/office/seal-requests/{asked}"
    assert "介质遗失" in approver.get(address).text
    assert pages.agree_at(approver, address, "approver-qian").status_code == 200
    assert pages.told == [drill.id]


def test_who_has_no_business_here_and_hostile_requests(pages: SealPages) -> None:
    request = pages.seals.ask_to_grant(
        pages.seal.id, GrantTerms("staff:clerk-5", (FOOD,)), actor=pages.keeper
    )
    address, seal = f"/office/seal-requests/{request.id}", f"/office/seals/{pages.seal.id}"
    clerk, approver = pages.visitor("clerk-li", "clerk"), pages.visitor("approver-qian", "approver")
    for path in ("/office/seals", seal, address):
        assert clerk.get(path).status_code == 403
    assert clerk.post(f"{seal}/stop", data={"ground": "x", "document_number": "y"}).status_code == 403
    assert approver.get("/office/seals/seal-none").status_code == 404
    assert approver.post(f"{address}/agreement/begin", json={"digest": "0" * 64}).status_code == 400
    stale = {"digest": request.digest.hex(), "answer": "yes"}
    assert approver.post(f"{address}/agreement/finish", json=stale).status_code == 400
    assert approver.post(f"{seal}/stop", data={"ground": "", "document_number": ""}).status_code == 400
    anywhere = {"Origin": "https://elsewhere.example"}
    assert approver.post(f"{address}/refuse", data={}, headers=anywhere).status_code == 403
    assert pages.world.browser().get("/office/seals").status_code in {303, 401}
    answer = approver.post(f"{address}/refuse", data={})
    assert answer.status_code == 303


def test_monitoring_counts_todays_alarms(pages: SealPages) -> None:
    stranger = pages.person("clerk-stranger", "drafter")
    for _ in range(2):
        with pytest.raises(NotPermitted):
            pages.custody(pages.key).allow(stranger, {FOOD: 1})
    settings = SimpleNamespace(agency_code=pages.agency.credit_code)
    home: Any = SimpleNamespace(database=pages.database, clock=pages.clock, settings=settings)
    ((name, _, label, counts),) = alarm_rows(home)
    assert (name, label, counts["no_grant"], counts["over_limit"]) == (
        "yinxin_seal_alarms_today",
        "kind",
        2,
        0,
    )

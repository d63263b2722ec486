"""The pages of slips, disputes and supervision in a real browser, in both languages."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from world.browser import browser, visit
from world.languages import told_in
from world.supervision import SupervisionWorld

from credentials.office.disputes import pages as dispute_pages
from credentials.office.supervision import pages
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.app import problems
from yinxin.base.actor import ActorKind
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Visit
    from world.pki import Pki

    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

__all__ = ["browser", "visit"]


class Served(SupervisionWorld):
    """Office and public pages on one loopback port; `who` is at the office's computer."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        self.who: Actor = self.sun
        app = FastAPI()
        problems.install(app)
        common: dict[str, Any] = {"enter": self._enter, "origin": self.url}
        types = [("food-business-licence", Text("食品经营许可证", "Food business licence"))]
        for one in (
            pages.router(self.supervision, log_key="k", **common),
            dispute_pages.office_router(self.disputes, clock=self.clock, **common),
            dispute_pages.public_router(
                self.disputes,
                self.slips,
                types=types,
                agencies=[self.contacts.operator],
                origin=self.url,
                clock=self.clock,
            ),
        ):
            app.include_router(one)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        work: Any = {"target": self._server.run, "kwargs": {"sockets": [self._listener]}, "daemon": True}
        self._thread = threading.Thread(**work)
        self._thread.start()

    async def _enter(self, request: Request) -> SignedIn:
        del request
        who = self.who
        account = Account("a", ActorKind.STAFF, who.identifier, "孙丽", who.agency, who.roles)
        return SignedIn(account, How.PASSKEY, self.now, "s")

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@pytest.fixture
def served(pki: Pki, memory: Database) -> Iterator[Served]:
    found = Served(pki, memory)
    yield found
    found.close()


@told_in("zh")
def test_an_inspectors_way(served: Served, visit: Visit, language: str) -> None:
    served.approved("办-2026-7")
    served.run()
    person = visit(language=language)
    page = person.open(f"{served.url}/office/supervision")
    person.look("supervision-01-reason")
    page.locator("#matter").fill("监察〔2026〕3号")
    page.locator("#words").fill("群众来信核查")
    page.locator("main form button").first.click()
    page.locator("#sought").fill("办-2026-7")
    page.locator("main form button").first.click()
    page.get_by_text("approver-zhao").first.wait_for()
    person.look("supervision-02-lines")
    page.locator("a[href$='/findings']").click()
    person.look("supervision-03-findings")
    page.locator("tbody a").first.click()
    finding = page.url.rpartition("/")[2]
    person.look("supervision-04-finding")
    served.who = served.zhao
    page = person.open(f"{served.url}/office/findings/{finding}")
    page.locator("#words").fill("材料已于前一日会审，当日仅作签批。")
    person.look("supervision-05-explain")
    page.locator("main form button").click()
    page.get_by_text("approver-zhao").first.wait_for()
    served.who = served.sun
    page = person.open(f"{served.url}/office/supervision/counts?month=2026-11")
    person.look("supervision-06-counts")


@told_in("en")
def test_a_disputes_way(served: Served, visit: Visit, language: str) -> None:
    issued, slip = served.issue(), served.slip("licence_revoked")
    holder = visit(language=language)
    page = holder.open(f"{served.url}/slips/{slip}")
    holder.look("dispute-01-slip")
    page.locator(".actions a").first.click()
    page.locator("#licence").fill(issued.licence.number)
    page.locator("#words").fill("住所门牌号应为 12 号，证照写成 21 号。")
    page.locator("#document").set_input_files(
        {"name": "licence.pdf", "mimeType": "application/pdf", "buffer": issued.pdf}
    )
    holder.look("dispute-02-open")
    page.locator("main form button").click()
    page.locator("main code").nth(1).wait_for()
    number, secret = page.locator("main code").all_inner_texts()
    holder.look("dispute-03-opened")
    served.who = served.li
    clerk = visit(language=language)
    at_office = clerk.open(f"{served.url}/office/disputes")
    clerk.look("dispute-04-list")
    at_office.locator("tbody a").first.click()
    at_office.locator("#words-accept").fill("已受理，正在核对原始档案。")
    clerk.look("dispute-05-office")
    at_office.locator("section[aria-labelledby=step-accept] button").click()
    clerk.look("dispute-06-accepted")
    page = holder.open(f"{served.url}/disputes?lang={language}")
    page.locator("#number").fill(number)
    page.locator("#secret").fill(secret)
    holder.look("dispute-07-follow")
    page.locator("main form button").click()
    page.get_by_text("正在核对原始档案").wait_for()
    holder.look("dispute-08-followed")

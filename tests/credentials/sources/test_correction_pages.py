"""Clerks' pages for corrections: take a request, see where it goes, settle or refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Client
from world.databases import with_tables
from world.office import INDEX, Office

from credentials.office.disputes import Contact, Contacts, Slips
from credentials.sources import pages
from credentials.sources.corrections import Corrections
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.app import problems
from yinxin.app.slips import phrases, slips_of_corrections
from yinxin.base.actor import ActorKind, staff
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import Request as HttpRequest
    from world.asgi import Answer
    from world.pki import Pki

ORIGIN, FOOD = "https://office.example", "food-business-licence"
SAME = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


class Window:
    """An office with its corrections and their pages; `who` sits there."""

    def __init__(self, pki: Pki) -> None:
        self.office = Office(pki, with_tables())
        code, clock = self.office.agency.credit_code, self.office.clock
        contact = Contact(code, self.office.agency.name, Text("一号窗口", "window 1"))
        self.slips = Slips(b"s" * 32, phrases=phrases(), contacts=Contacts(contact), clock=clock)
        self.corrections = Corrections(
            self.office.catalogue,
            self.office.database,
            agency=code,
            index=INDEX,
            slip_of=slips_of_corrections(self.slips),
            clock=clock,
        )
        self.who = self.clerk = staff("li", agency=code, roles=("clerk",))
        self.food = self.office.issue(FOOD, 4).licence
        app = FastAPI()
        problems.install(app)
        app.include_router(pages.router(self.corrections, enter=self._enter, origin=ORIGIN))
        self.client = Client(app)

    async def _enter(self, request: HttpRequest) -> SignedIn:
        del request
        who = self.who
        account = Account("a", ActorKind.STAFF, who.identifier, "李静", who.agency, who.roles)
        return SignedIn(account, How.PASSKEY, self.office.now, "s")

    def get(self, path: str, *, language: str = "zh") -> Answer:
        return self.client.get(path, headers={"Accept-Language": language, "Accept": "text/html"})

    def post(self, path: str, **form: Any) -> Answer:
        return self.client.post(path, headers={**SAME, "Accept": "text/html"}, data=form)

    def ask(self, field: str) -> str:
        sent = self.post("/office/corrections", licence=self.food.number, field=field, words="应为王小麦")
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]


@pytest.fixture(scope="module")
def kept(pki: Pki) -> Window:
    return Window(pki)


@pytest.fixture
def window(kept: Window) -> Window:
    kept.who = kept.clerk
    return kept


def test_a_datum_of_ours_waits_and_is_settled_with_its_case(window: Window) -> None:
    place = window.ask("main_format")
    page = window.get(place).text
    assert "由本机关办理更正" in page
    assert "应为王小麦" in page
    assert place in window.get("/office/corrections").text
    assert window.post(f"{place}/settle", case="").status_code == 422
    assert window.post(f"{place}/settle", case="办-2026-7").status_code == 303
    assert "办-2026-7" in window.get(place).text
    assert place not in window.get("/office/corrections").text
    assert place in window.get("/office/corrections?state=settled").text
    assert window.post(f"{place}/refuse", note="晚了").status_code == 409


def test_who_is_sent_elsewhere_or_refused_takes_a_slip(window: Window) -> None:
    referred, refused = window.ask("business_premises"), window.ask("main_format")
    page = window.get(referred, language="en").text
    assert "Number of the slip" in page
    assert "Put right" not in page.split("</nav>")[-1].split("facts")[-1]
    assert window.post(f"{refused}/refuse", note="与现场核查一致").status_code == 303
    for place, code in ((referred, "correction_referred"), (refused, "correction_refused")):
        found, _ = window.corrections.one(place.rsplit("/", 1)[1], actor=window.clerk)
        slip = window.corrections.slip_of(found)
        assert slip is not None
        assert (slip.code, slip.number in window.get(place).text) == (code, True)


def test_what_is_no_request_comes_back_with_what_was_typed(window: Window) -> None:
    sent = window.post("/office/corrections", licence=window.food.number, field="no_such", words="<b>甲</b>")
    assert sent.status_code == 422
    assert "&lt;b&gt;甲&lt;/b&gt;" in sent.text
    assert window.post("/office/corrections", licence="none", field="x", words="y").status_code == 422


def test_who_may_come_in(window: Window) -> None:
    place, own = window.ask("main_format"), window.office.agency.credit_code
    window.who = staff("inspector-sun", agency=own, roles=("inspector",))
    page = window.get(place)
    assert page.status_code == 200
    assert "<form" not in page.text.split("<main")[1]
    assert window.post(f"{place}/settle", case="办-1").status_code == 403
    window.who = staff("x", agency="12120116MB1U92841T", roles=("clerk",))
    assert window.get("/office/corrections").status_code == 403
    assert window.get(place).status_code == 403
    window.who = window.clerk
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert window.client.post(f"{place}/settle", headers=foreign, data={"case": "x"}).status_code == 403
    assert window.get("/office/corrections/none").status_code == 404
    assert window.get("/office/corrections?state=nothing").status_code == 422

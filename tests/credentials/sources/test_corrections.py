"""A datum is put right where it comes from: here, in this agency's queue, or at another authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Client
from world.audit import sequencer
from world.databases import database, database_url, postgresql
from world.office import INDEX, Office

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.office.disputes import Contact, Contacts, SlipKind, Slips
from credentials.office.types.specimens import specimen
from credentials.sources.corrections import Corrections, RequestState, route_of
from credentials.sources.http import router
from yinxin.app import problems
from yinxin.app.slips import phrases, slips_of_corrections
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import Request as HttpRequest
    from world.pki import Pki

    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

__all__ = ["database", "database_url", "postgresql"]
FOOD, BUSINESS = "food-business-licence", "business-licence"


def make_slips(clock: Any, agency: Any) -> Slips:
    operator = Contact(agency.credit_code, agency.name, Text("一号窗口", "window 1"))
    return Slips(b"s" * 32, phrases=phrases(), contacts=Contacts(operator), clock=clock)


class Window(Office):
    """An office with its queue of corrections, and its slips."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.slips = make_slips(self.clock, self.agency)
        self.corrections = Corrections(
            self.catalogue,
            database,
            agency=self.agency.credit_code,
            index=INDEX,
            slip_of=slips_of_corrections(self.slips),
            clock=self.clock,
        )


@pytest.fixture
def window(pki: Pki, database: Database) -> Window:
    return Window(pki, database)


def test_a_datum_of_another_licence_is_put_right_there(window: Window) -> None:
    food, business = window.issue(FOOD, 4).licence, window.issue(BUSINESS, 4).licence
    assert food.holder_code == business.holder_code
    asked, route = window.corrections.ask(
        food.identifier, "responsible_person", words="应为王小麦", actor=window.clerk
    )
    assert (route.type_code, route.field, route.is_local) == (BUSINESS, "legal_representative", True)
    assert (asked.state, asked.target) == (RequestState.OPEN, business.identifier)
    assert "由本机关办理更正" in route.next_step.zh
    done = window.corrections.settle(asked.id, case="办-2026-0001", actor=window.clerk)
    assert (done.state, done.case, done.words) == (RequestState.SETTLED, "办-2026-0001", "应为王小麦")
    assert window.corrections.waiting(actor=window.clerk) == []


def test_a_datum_of_another_authority_is_referred(window: Window) -> None:
    food = window.issue(FOOD, 4).licence
    asked, route = window.corrections.ask(
        food.identifier, "business_premises", words="门牌号有误", actor=window.clerk
    )
    assert (asked.state, asked.target, route.is_local) == (RequestState.REFERRED, None, False)
    assert route.authority in route.next_step.zh
    assert "标准地址库" in route.next_step.zh
    slip = window.corrections.slip_of(asked)
    assert slip is not None
    assert (slip.kind, slip.code) == (SlipKind.CORRECTION, "correction_referred")
    window.clock.advance(timedelta(days=1))
    assert window.corrections.slip_of(asked) == slip  # the same, whenever it is printed again
    assert window.slips.read(slip.number) == slip
    with pytest.raises(Conflict):
        window.corrections.settle(asked.id, case="办-1", actor=window.clerk)


def test_a_field_without_a_named_authority_belongs_to_the_issuer(window: Window) -> None:
    licence = window.issue("no-record-certificate", 4).licence
    route = window.corrections.route(licence.identifier, "purpose", actor=window.clerk)
    assert (route.authority, route.is_local) == (window.agency.credit_code, True)


def test_every_field_of_every_type_has_a_way() -> None:
    for kind in Catalogue.load():
        licence = specimen(kind, agency=samples.AGENCY, at=datetime(2026, 11, 20, 4, tzinfo=UTC))
        for field in kind.fields:
            route = route_of(licence, kind, field.name, agency=samples.AGENCY.credit_code)
            assert route.next_step.zh
            assert route.next_step.en


def test_a_request_is_decided_once_and_by_staff(window: Window) -> None:
    food = window.issue(FOOD, 4).licence
    asked, _ = window.corrections.ask(food.identifier, "main_format", words="应为餐饮", actor=window.clerk)
    assert window.corrections.slip_of(asked) is None  # it is worked on here
    refused = window.corrections.refuse(asked.id, note="与现场核查一致", actor=window.clerk)
    slip = window.corrections.slip_of(refused)
    assert slip is not None
    assert (slip.code, window.slips.read(slip.number)) == ("correction_refused", slip)
    with pytest.raises(Conflict):
        window.corrections.settle(asked.id, case="办-1", actor=window.clerk)
    with pytest.raises(NotFound):
        window.corrections.settle("none", case="办-1", actor=window.clerk)
    stranger = staff("clerk-17", agency="12120116MB1U92841T")
    for step in (
        lambda: window.corrections.ask(food.identifier, "main_format", words="x", actor=stranger),
        lambda: window.corrections.waiting(actor=stranger),
        lambda: window.corrections.route(food.identifier, "main_format", actor=stranger),
        lambda: window.corrections.refuse(asked.id, note="x", actor=stranger),
    ):
        with pytest.raises(NotPermitted):
            step()


@pytest.mark.parametrize(
    ("field", "words", "error"),
    [("no_such", "x", UsageError), ("main_format", " ", UsageError), ("main_format", "x" * 1001, UsageError)],
)
def test_what_is_no_request_is_refused(
    window: Window, field: str, words: str, error: type[Exception]
) -> None:
    food = window.issue(FOOD, 4).licence
    with pytest.raises(error):
        window.corrections.ask(food.identifier, field, words=words, actor=window.clerk)


def test_the_log_has_no_words_of_a_person(window: Window) -> None:
    food = window.issue(FOOD, 4).licence
    window.corrections.ask(food.identifier, "main_format", words="应为王小麦", actor=window.clerk)
    sequencer(window.database).run_once()
    found = [one.content() or {} for one in AuditLog(window.database).entries(limit=1000)]
    (entry,) = [one for one in found if one["action"] == "correction.ask"]
    assert "王小麦" not in str(entry)


def test_it_goes_over_http(window: Window) -> None:
    async def enter(request: HttpRequest) -> Actor:
        return window.clerk

    app = FastAPI()
    app.include_router(router(window.corrections, enter=enter, clock=window.clock))
    problems.install(app)
    client, food = Client(app), window.issue(FOOD, 4).licence
    body: dict[str, Any] = {"licence": food.identifier, "field": "main_format", "words": "应为餐饮"}
    asked = client.post("/v1/corrections", json=body)
    assert (asked.status_code, asked.json()["route"]["local"]) == (201, True)
    (waiting,) = client.get("/v1/corrections").json()["corrections"]
    assert waiting["id"] == asked.json()["id"]
    done = client.post(f"/v1/corrections/{waiting['id']}/settle", json={"case": "办-1"})
    assert done.json()["state"] == "settled"
    for wrong in ({}, {**body, "words": 3}, {**body, "more": "x"}):
        assert client.post("/v1/corrections", json=wrong).status_code == 400
    assert client.get("/v1/corrections?state=nothing").status_code == 422
    assert client.post(f"/v1/corrections/{waiting['id']}/refuse", json={"note": "x"}).status_code == 409


def test_samples_share_a_holder() -> None:
    """What the first test stands on."""
    assert samples.application(FOOD, 4)["credit_code"] == samples.application(BUSINESS, 4)["credit_code"]

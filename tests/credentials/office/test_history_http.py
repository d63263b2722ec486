"""The history of a licence for an agency's systems: links both ways, events, not a word of what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Client
from world.databases import with_tables
from world.quick import QuickOffice

from credentials.licence import EndingKind
from credentials.office.http import changes
from credentials.reading import OfficeReading
from yinxin.app import problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request
    from world.pki import Pki

    from yinxin.base.actor import Actor
    from yinxin.base.database import Database


class Served(QuickOffice):
    """An office with this one route; who calls is `self.caller`."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.caller = self.clerk
        app = FastAPI()
        problems.install(app)
        reading = OfficeReading(self.agency.credit_code, database, clock=self.clock)
        app.include_router(changes.router(reading, enter=self._enter, clock=self.clock))
        self.client = Client(app)

    async def _enter(self, _request: Request) -> Actor:
        return self.caller

    def history(self, name: str) -> tuple[int, Any]:
        answer = self.client.get(f"/v1/licences/{name}/history")
        return answer.status_code, answer.json()


@pytest.fixture
def office(pki: Pki) -> Iterator[Served]:
    database = with_tables()
    yield Served(pki, database)
    database.close()


def test_old_and_new_are_linked_and_nothing_is_told_of_the_holder(office: Served) -> None:
    old, other = office.begin("新华路 1 号"), office.begin("新华路 2 号")
    new = office.issuer.merge(
        [old.identifier, other.identifier], office.claims("新华路 1、2 号"), into=old.identifier, **office.why
    ).licence
    office.issuer.end(new.identifier, EndingKind.WITHDRAWN, **office.why)
    office.issuer.undo(new.identifier, 1, **office.why)
    for name in (old.identifier, new.identifier, old.number):
        status, said = office.history(name)
        assert status == 200
        first, second = said["versions"]
        assert (first["replaced_by"], second["replaces"]) == (new.identifier, old.identifier)
        assert second["origins"] == [other.identifier]
        assert [(one["kind"], one["undoes"]) for one in second["events"]] == [
            ("withdrawn", None),
            ("undone", 1),
        ]
        assert (first["state"], second["state"]) == ("superseded", "in_force")
    text = json.dumps(said, ensure_ascii=False)
    assert not [value for value in ("新华路", old.holder_name, old.holder_code) if value in text]
    assert office.history(other.identifier)[1]["versions"][0]["successors"] == [new.identifier]


def test_another_agency_and_what_is_not_there(office: Served) -> None:
    name = office.begin().identifier
    assert office.history("nothing")[0] == 404
    office.caller = replace(office.clerk, agency="11120100900099999X")
    assert office.history(name)[0] == 403

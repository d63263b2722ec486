"""The catalogue's changes over HTTP and on pages: one SQLite office, its people behind a fake door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Client
from world.databases import with_tables
from world.types import FOOD, TypesWorld, next_version, with_email

from credentials.office.types import http, pages
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.access.consent import PasskeyConsent
from yinxin.access.passkeys import Site
from yinxin.app import problems
from yinxin.base.actor import ActorKind
from yinxin.base.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request
    from world.asgi import Answer
    from world.pki import Pki

    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

ORIGIN = "https://office.example"
SAME = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


class Door(TypesWorld):
    """Whoever the header names is here."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        people = {one.identifier: one for one in (self.li, self.chen, self.wang, self.zhao)}

        async def enter(request: Request) -> Actor:
            found = people.get(request.headers.get("x-person", ""))
            if found is None:
                raise Unauthenticated("nobody is here")
            return found

        async def visit(request: Request) -> SignedIn:
            actor = await enter(request)
            account = Account(
                "1", ActorKind.STAFF, actor.identifier, actor.identifier, actor.agency, actor.roles
            )
            return SignedIn(account, How.PASSKEY, self.clock.now(), "s")

        app = FastAPI()
        app.include_router(http.router(self.types, enter=enter, clock=self.clock))
        app.include_router(http.metadata_router(self.live))
        consent = PasskeyConsent(database, Site(ORIGIN, "x"))
        script = "/static/passkeys.js"
        app.include_router(
            pages.router(self.types, consent, enter=visit, origin=ORIGIN, passkey_script=script)
        )
        problems.install(app)
        self.client = Client(app)

    def get(self, path: str, person: str = "clerk-li") -> Answer:
        return self.client.get(path, headers={"x-person": person, "Accept": "text/html"})

    def send(self, path: str, body: Any, person: str = "clerk-li") -> Answer:
        return self.client.post(path, headers={"x-person": person}, json=body)


@pytest.fixture(scope="module")
def door(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    database = with_tables(f"sqlite:///{tmp_path_factory.mktemp('types') / 'types.db'}")
    yield Door(pki, database)
    database.close()


def test_faults_come_as_a_problem_with_places(door: Door) -> None:
    answer = door.send("/v1/type-changes", {"file": next_version(version=9).decode()})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "version" in answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/type-changes", {}),
        ("/v1/type-changes", {"file": 3}),
        ("/v1/type-changes/none/approve", {"proof": "x"}),
        ("/v1/type-changes/none/approve", {"proof": {}}),
        ("/v1/type-changes/none/withdraw", {"note": None}),
        (f"/v1/types/{FOOD}/abolish", {"ground": "x", "document_number": "y", "last_day": "soon"}),
        ("/v1/types/none/abolish", {"ground": "x", "document_number": "y", "last_day": "2027-01-01"}),
    ],
)
def test_what_makes_no_sense_is_a_problem(door: Door, path: str, body: Any) -> None:
    answer = door.send(path, body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_reads_without_a_name(door: Door) -> None:
    for path in ("/v1/types", "/v1/type-changes", "/v1/type-changes/x", "/office/types"):
        assert door.client.get(path).status_code in {401, 303}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_show_the_versions_and_a_change(door: Door, language: str) -> None:
    form = {"file": with_email().decode().replace("\n", "\r\n")}
    sent = door.client.post("/office/types/propose", headers={"x-person": "clerk-li", **SAME}, data=form)
    assert sent.status_code == 303, sent.text
    place = sent.headers["location"]
    page = door.get(f"{place}?lang={language}", "approver-zhao").text
    assert "data-passkey" in page
    assert f"{place}/picture" in page
    assert "data-passkey" not in door.get(place).text  # who proposed it does not approve it
    assert door.get(f"{place}/picture").content[:4] == b"\x89PNG"
    listed = door.get(f"/office/types?lang={language}").text
    assert FOOD in listed
    assert f'href="{place}"' in listed


def test_a_faulty_file_comes_back_with_its_faults(door: Door) -> None:
    form = {"file": "code = <b>"}
    sent = door.client.post("/office/types/propose", headers={"x-person": "clerk-li", **SAME}, data=form)
    assert sent.status_code == 422
    assert "code = &lt;b&gt;" in sent.text


def test_another_site_changes_nothing(door: Door) -> None:
    form = {"file": with_email().decode()}
    headers = {"x-person": "clerk-li", "Origin": "https://evil.example"}
    before = door.types.changes(actor=door.li)
    assert door.client.post("/office/types/propose", headers=headers, data=form).status_code == 403
    assert door.types.changes(actor=door.li) == before


def test_a_version_from_proposal_to_metadata(door: Door) -> None:
    before = door.client.get(f"/types/{FOOD}/1")
    answer = door.send("/v1/type-changes", {"file": with_email().decode()})
    assert answer.status_code == 201, answer.text
    change = answer.json()
    base = f"/v1/type-changes/{change['id']}"
    assert door.get(base + "/preview").json()["new_fields"] == ["email"]
    assert door.get(base + "/preview.png").content[:4] == b"\x89PNG"
    assert door.get(base + "/preview.pdf").content[:5] == b"%PDF-"
    assert door.client.get(f"/types/{FOOD}/2").status_code == 404
    seen = door.types.change(change["id"], actor=door.zhao)
    proof = door.agreement(seen, door.zhao)
    assert door.send(base + "/approve", {"proof": proof}, "clerk-chen").status_code == 403
    assert door.send(base + "/approve", {"proof": proof}, "approver-zhao").json()["state"] == "approved"
    served = {(one["type"], one["version"]): one for one in door.client.get("/types").json()["types"]}
    assert {version for code, version in served if code == FOOD} == {1, 2}
    after = door.client.get(f"/types/{FOOD}/1")
    assert (after.content, after.status_code) == (before.content, 200)
    assert door.client.get(served[FOOD, 2]["metadata"]).json()["vct"].endswith(":2")

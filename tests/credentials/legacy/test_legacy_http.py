"""An older register over HTTP and on its page, by the agency's own people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Answer, Client
from world.databases import postgresql, with_tables
from world.legacy import MAPPING, LegacyWorld, csv_bytes, old_row

from credentials.documents import DocumentStore
from credentials.legacy import http, pages
from credentials.office import KeyProofs
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.app import problems
from yinxin.base.actor import ActorKind
from yinxin.base.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import Request
    from world.pki import Pki

    from yinxin.base.actor import Actor

__all__ = ["postgresql"]
ORIGIN = "https://office.example"


class Served(LegacyWorld):
    """The routes, with whoever the header names at the door."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.app = FastAPI()
        problems.install(self.app)
        people = {actor.identifier: actor for actor in (self.li, self.wang, self.zhao)}

        async def enter(request: Request) -> Actor:
            if (name := request.headers.get("x-who", "")) not in people:
                raise Unauthenticated("nobody")
            return people[name]

        async def visit(request: Request) -> SignedIn:
            actor = await enter(request)
            account = Account("1", ActorKind.STAFF, actor.identifier, "某某", actor.agency, actor.roles)
            return SignedIn(account, How.PASSKEY, self.now, "s")

        first = self.issuer.first_use
        self.app.include_router(http.router(self.imports, first, catalogue=self.catalogue, enter=enter))
        self.app.include_router(
            pages.router(self.imports, catalogue=self.catalogue, enter=visit, origin=ORIGIN)
        )
        self.client = Client(self.app)

    def send(self, path: str, who: str = "clerk-li", **parts: bytes | str) -> Answer:
        body = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            % (name.encode(), part.encode() if isinstance(part, str) else part)
            for name, part in parts.items()
        )
        headers = {
            "Content-Type": "multipart/form-data; boundary=x",
            "x-who": who,
            "Accept": "text/html",
            "Accept-Language": "zh",
            "Origin": ORIGIN,
            "Sec-Fetch-Site": "same-origin",
        }
        return self.client.request("POST", path, headers=headers, content=body + b"--x--\r\n")

    def json(self, path: str, content: Any, who: str) -> Answer:
        return self.client.post(path, headers={"x-who": who}, json=content)


@pytest.fixture
def office(pki: Pki, tmp_path: Path) -> Iterator[Served]:
    database = with_tables()
    yield Served(pki, database, documents=DocumentStore(tmp_path, b"k" * 32))
    database.close()


def lines(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


def test_two_people_and_a_file(office: Served) -> None:
    assert office.client.get("/v1/legacy/registers").status_code == 401
    file = csv_bytes([old_row(1), old_row(2, 发证日期="昨天"), old_row(3, 发证日期="2019.3.1")])
    *rows, last = lines(office.send("/v1/legacy/check", file=file, mapping=MAPPING))
    assert [row["verdict"] for row in rows] == ["usable", "refused", "fixable"]
    assert last["summary"]["outcomes"]["new"] == 2
    assert office.send("/v1/legacy/import", file=file, mapping=MAPPING).status_code == 403
    proposed = office.json("/v1/legacy/registers", {"mapping": MAPPING}, "clerk-li").json()
    digest, agreement = bytes.fromhex(proposed["digest"]), "/v1/legacy/registers/food-2012/agreement"
    own = KeyProofs.make(digest, office.li, office.keys["clerk-li"])
    assert office.json(agreement, {"proof": own}, "clerk-li").status_code == 403
    proof = KeyProofs.make(digest, office.zhao, office.keys["approver-zhao"])
    agreed = office.json(agreement, {"proof": proof}, "approver-zhao").json()
    assert agreed["agreed_by"] == "approver-zhao"
    *rows, last = lines(office.send("/v1/legacy/import", file=file, mapping=MAPPING))
    assert last["summary"]["outcomes"]["new"] == office.count() == 2
    place = f"/v1/legacy/licences/{rows[0]['licence']}/document"
    document = office.client.post(place, headers={"x-who": "clerk-li"})
    assert document.content.startswith(b"%PDF")
    assert office.client.post(place, headers={"x-who": "reviewer-wang"}).status_code == 403
    closing = "/v1/legacy/registers/food-2012/cut-off"
    assert office.json(closing, {"on": "soon"}, "approver-zhao").status_code == 400
    assert office.json(closing, {"on": "2026-12-31"}, "approver-zhao").json()["cut_off"] == "2026-12-31"
    wrong = office.json("/v1/legacy/registers", {"mapping": "type = 1"}, "clerk-li")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_mapping")
    assert len(wrong.json()["errors"]) >= 3
    assert office.client.get("/v1/legacy/foreign/x", headers={"x-who": "clerk-li"}).status_code == 404


def test_the_page_checks_takes_and_shows_no_personal_data(office: Served) -> None:
    file = csv_bytes([old_row(1), old_row(2, 经营者名称="王小二饭馆", 发证日期="昨天")])
    empty = office.client.get("/office/legacy", headers={"x-who": "clerk-li", "Accept-Language": "zh"})
    assert "尚无登记库" in empty.text
    checked = office.send("/office/legacy", file=file, mapping=MAPPING, do="check")
    assert checked.status_code == 200
    assert "没有写入任何数据" in checked.text
    assert "发证日期" in checked.text
    assert "王小二" not in checked.text
    assert office.count() == 0
    report = office.send("/office/legacy", file=file, mapping=MAPPING, do="report")
    assert report.headers["content-disposition"] == 'attachment; filename="report.csv"'
    assert len(report.text.splitlines()) == 3
    assert office.send("/office/legacy", file=file, mapping=MAPPING, do="import").status_code == 403
    proposed = office.send("/office/legacy", mapping=MAPPING, do="propose")
    assert proposed.status_code == 303
    shown = office.client.get("/office/legacy", headers={"x-who": "reviewer-wang", "Accept-Language": "zh"})
    assert "待批准人同意" in shown.text
    assert "<form" not in shown.text.split("<main", 1)[1]
    office.agreed()
    taken = office.send("/office/legacy", file=file, mapping=MAPPING, do="import")
    assert "已录入" in taken.text
    assert office.count() == 1
    wrong = office.send("/office/legacy", mapping="type = 1", do="check", file=file)
    assert wrong.status_code == 422
    assert "对照文件有误" in wrong.text


@pytest.mark.parametrize(
    "parts",
    [{}, {"mapping": MAPPING}, {"mapping": b"\xff", "file": b"x"}, {"mapping": MAPPING, "file": b"a"}],
)
def test_hostile_uploads_are_answered_with_problems(office: Served, parts: dict[str, Any]) -> None:
    for path in ("/v1/legacy/check", "/v1/legacy/import", "/office/legacy"):
        assert 400 <= office.send(path, do="check", **parts).status_code < 500

"""Guardians: registered on a document, agreed to by another member of staff, accepted by the guardian."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from world.asgi import Client
from world.delegating import Person

from credentials import samples
from credentials.delegations import http
from credentials.delegations.delegation import Agent, Principal, State
from credentials.delegations.guardians import Guardians
from credentials.delegations.terms import EVERY, Kind, Terms
from credentials.gate import Gate
from credentials.office.proofs import KeyProofs
from credentials.sd_jwt import SdJwt
from signing.signers.file import FileSigner
from yinxin.app import problems
from yinxin.base.actor import Actor, staff
from yinxin.base.errors import MalformedInput, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from fastapi import Request
    from world.delegating import DelegatingOffice

PHYSICIAN = "physician-certificate"


class Desk:
    """The agency's people with their keys, and the guardians' desk."""

    def __init__(self, office: DelegatingOffice) -> None:
        self.office, self.keys = office, {name: FileSigner.generate() for name in ("li", "zhao")}
        code = office.agency.credit_code
        self.li = staff("li", agency=code, roles=("clerk", "approver"))
        self.zhao = staff("zhao", agency=code, roles=("approver",))
        gate = Gate(code, office.database, office.clock)
        proofs = KeyProofs(lambda name: [self.keys[name].public_key])
        self.guardians = Guardians(office.delegations, gate, proofs)
        self.claims = samples.application(PHYSICIAN, 5)  # any licence of a person's will do for a ward
        self.licence = office.issuer.issue(PHYSICIAN, self.claims, holder=None, actor=office.clerk).licence
        self.ward = Principal(self.licence.holder_code, self.licence.holder_name)
        self.mother = Person("许静宜")

    def terms(self, **changes: Any) -> Terms:
        now = self.office.now
        values = {
            "starts_at": now,
            "ends_at": now + timedelta(days=3650),
            "document": "出生医学证明 R120000001",
        }
        return Terms(Kind.GUARDIAN, (EVERY,), (EVERY,), **{**values, **changes})

    def registered(self) -> Any:
        agent = Agent.from_dict(self.mother.card)
        return self.guardians.register(self.ward, agent, self.terms(), actor=self.li)

    def proof(self, digest: str, actor: Actor) -> dict[str, Any]:
        return KeyProofs.make(bytes.fromhex(digest), actor, self.keys[actor.identifier])


def test_a_guardian_acts_for_a_child_and_appoints_a_helper(office: DelegatingOffice) -> None:
    desk = Desk(office)
    waiting = desk.registered()
    with pytest.raises(NotPermitted, match="another person"):
        desk.guardians.approve(waiting.id, desk.proof(waiting.digest, desk.li), actor=desk.li)
    with pytest.raises(NotPermitted):
        desk.guardians.approve(waiting.id, desk.proof("00" * 32, desk.zhao), actor=desk.zhao)
    proposed = desk.guardians.approve(waiting.id, desk.proof(waiting.digest, desk.zhao), actor=desk.zhao)
    assert proposed.state is State.PROPOSED
    holds = office.accept(proposed, desk.mother)
    copy = SdJwt.parse(office.hand(holds, desk.mother, PHYSICIAN)).claims
    assert copy["licence_identifier"] == desk.licence.identifier
    helper = office.accept(
        office.pass_on(holds, desk.mother, office.other, office.terms(Kind.HELPER)), office.other
    )
    assert helper.words.zh == f"张建国代表{desk.ward.name}，依据委托书 {helper.id}"
    why = {"ground": "监护关系终止", "document_number": "（2026）津民特1号"}
    desk.guardians.recall(holds.id, actor=desk.li, **why)
    assert [one.state for one in office.delegations.chain(helper.id)] == [State.RECALLED] * 2


def test_who_may_register_and_whom(office: DelegatingOffice) -> None:
    desk = Desk(office)
    agent, stranger = Agent.from_dict(desk.mother.card), staff("x", agency="91120199900003012B")
    with pytest.raises(NotPermitted):
        desk.guardians.register(desk.ward, agent, desk.terms(), actor=stranger)
    company = Principal(office.business.holder_code, "公司")
    with pytest.raises(MalformedInput):
        desk.guardians.register(company, agent, desk.terms(), actor=desk.li)
    with pytest.raises(UsageError):
        desk.guardians.register(desk.ward, agent, office.terms(), actor=desk.li)
    with pytest.raises(NotFound):
        desk.guardians.approve(office.appoint(office.agent).id, {}, actor=desk.zhao)


def test_the_desk_over_http(office: DelegatingOffice) -> None:
    desk = Desk(office)
    here = [desk.li]

    async def enter(_request: Request) -> Actor:
        return here[0]

    app = FastAPI()
    problems.install(app)
    app.include_router(http.guardian_router(desk.guardians, enter=enter))
    client = Client(app)
    body = {
        "ward": {"code": desk.ward.code, "name": desk.ward.name},
        "agent": desk.mother.card,
        "terms": desk.terms().to_dict(),
    }
    made = client.post("/v1/guardians", json=body)
    assert made.status_code == 200, made.text
    name, digest = made.json()["id"], made.json()["digest"]
    here[0] = desk.zhao
    answer = client.post(f"/v1/guardians/{name}/approve", json={"proof": desk.proof(digest, desk.zhao)})
    assert answer.json()["state"] == "proposed"
    here[0] = desk.li
    why = {"ground": "登记有误", "document_number": "更正1"}
    assert client.post(f"/v1/guardians/{name}/recall", json=why).json()["state"] == "recalled"
    for wrong in ({}, {**body, "ward": "x"}, {**body, "terms": None}, {**body, "agent": {}}):
        assert client.post("/v1/guardians", json=wrong).status_code == 400
    assert client.post(f"/v1/guardians/{name}/approve", json={"proof": 1}).status_code == 400

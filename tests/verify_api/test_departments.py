"""Registering departments: two people, one purpose, public keys only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.departments import AGENCY_CODE, CLERK, MATTER, PURPOSE, REVIEWER, TYPE

from signing.signers.file import FileSigner
from verify_api.departments import Department, DepartmentDirectory, DepartmentRegistry, DepartmentState, Grant
from yinxin.base.actor import Actor, ActorKind, staff, system
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Conflict, InvalidClaims, MalformedInput, NotFound, NotPermitted, YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator


class Office:
    """The registry over an empty database."""

    def __init__(self) -> None:
        self.clock = FixedClock(2026, 11, 20)
        self.database = with_tables()
        self.registry = DepartmentRegistry(self.database, clock=self.clock)
        self.key = FileSigner.generate()

    def department(self, **changes: Any) -> Department:
        values: dict[str, Any] = {
            "id": "https://market.example",
            "name": Text("市场监督管理局", "Market bureau"),
            "credit_code": AGENCY_CODE,
            "keys": (self.key.public_key,),
            "grants": (Grant(PURPOSE, MATTER, {TYPE: frozenset({"operator_name"})}),),
        }
        return Department(**{**values, **changes})


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.database.close()


def test_one_proposes_and_another_approves(office: Office) -> None:
    proposal = office.registry.propose(office.department(), actor=CLERK)
    with pytest.raises(NotFound):
        office.registry.get("https://market.example")
    assert [one["id"] for one in office.registry.proposals()] == [proposal]
    approved = office.registry.approve(proposal, actor=REVIEWER)
    assert approved == office.registry.get("https://market.example") == office.department()
    assert approved.version == 1
    assert office.registry.proposals() == []
    with pytest.raises(Conflict):
        office.registry.approve(proposal, actor=REVIEWER)


def test_nobody_approves_what_they_proposed(office: Office) -> None:
    both = staff("registrar-1", roles=("clerk", "reviewer", "registrar"))
    proposal = office.registry.propose(office.department(), actor=both)
    with pytest.raises(NotPermitted):
        office.registry.approve(proposal, actor=both)
    office.registry.approve(proposal, actor=REVIEWER)


@pytest.mark.parametrize(
    "actor",
    [
        system("timer"),
        Actor(ActorKind.HOLDER, "x", roles=frozenset({"clerk", "reviewer"})),
        staff("a", roles=("inspector",)),
    ],
    ids=str,
)
def test_others_neither_propose_nor_approve(office: Office, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        office.registry.propose(office.department(), actor=actor)
    proposal = office.registry.propose(office.department(), actor=CLERK)
    with pytest.raises(NotPermitted):
        office.registry.approve(proposal, actor=actor)


def test_a_change_takes_the_same_way_and_an_outdated_one_is_refused(office: Office) -> None:
    office.registry.approve(office.registry.propose(office.department(), actor=CLERK), actor=REVIEWER)
    wider = office.department(
        grants=(Grant(PURPOSE, MATTER, {TYPE: frozenset({"operator_name", "credit_code"})}),)
    )
    one, other = (office.registry.propose(wider, actor=CLERK) for _ in range(2))
    assert office.registry.get(wider.id) == office.department()
    assert office.registry.approve(one, actor=REVIEWER).version == 2
    with pytest.raises(Conflict, match="changed since"):
        office.registry.approve(other, actor=REVIEWER)
    office.registry.reject(other, actor=REVIEWER)
    with pytest.raises(Conflict):
        office.registry.reject(other, actor=REVIEWER)


def test_suspending_needs_one_and_coming_back_needs_two(office: Office) -> None:
    department = office.registry.approve(
        office.registry.propose(office.department(), actor=CLERK), actor=REVIEWER
    )
    directory = DepartmentDirectory(office.database, clock=office.clock)
    assert directory.active(department.id)
    before = directory.snapshot().snapshot_id
    office.registry.suspend(department.id, actor=REVIEWER)
    office.clock.advance(timedelta(seconds=6))
    assert directory.active(department.id) is None
    assert directory.snapshot().snapshot_id != before
    back = office.registry.propose(replace(department, state=DepartmentState.ACTIVE), actor=CLERK)
    office.registry.approve(back, actor=REVIEWER)
    office.clock.advance(timedelta(seconds=6))
    assert directory.active(department.id)
    assert directory.snapshot().snapshot_id == before


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": "market"}, "id"),
        ({"id": "http://market.example"}, "id"),
        ({"id": "https://x y"}, "id"),
        ({"id": "urn:" + "x" * 300}, "id"),
        ({"credit_code": "911201010000000000"}, "credit_code"),
        ({"name": Text("名" * 300, "x")}, "name"),
        ({"keys": ()}, "keys"),
        ({"grants": ()}, "grants"),
        ({"grants": (Grant("a", "1", {TYPE: frozenset()}), Grant("b", "2", {TYPE: frozenset()}))}, "grants"),
        ({"grants": (Grant("a", "1", {TYPE: frozenset()}), Grant("a", "1", {TYPE: frozenset()}))}, "grants"),
        ({"grants": (Grant("a b", "1", {TYPE: frozenset()}),)}, "grants"),
        ({"grants": (Grant("a", "1", {}),)}, "grants"),
        ({"grants": (Grant("a", "1", {TYPE: frozenset({"../x"})}),)}, "grants"),
    ],
    ids=str,
)
def test_a_registration_that_breaks_a_rule(office: Office, changes: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidClaims) as caught:
        office.registry.propose(office.department(**changes), actor=CLERK)
    assert place in {name for name, _ in caught.value.faults}


def test_the_same_key_twice_and_too_many(office: Office) -> None:
    key = office.key.public_key
    many = tuple(FileSigner.generate().public_key for _ in range(9))
    for keys in ((key, key), many):
        with pytest.raises(InvalidClaims):
            office.registry.propose(office.department(keys=keys), actor=CLERK)


def test_a_private_key_is_never_taken(office: Office) -> None:
    value = office.department().to_dict()
    value["keys"][0]["d"] = "AAAA"
    with pytest.raises(MalformedInput):
        Department.from_dict(value)


@pytest.mark.parametrize("value", [{}, {"id": 7}, {"id": "x", "name": "x"}, {"keys": 7}, {"grants": [7]}])
def test_files_of_another_shape(office: Office, value: dict[str, Any]) -> None:
    with pytest.raises(YinxinError):
        Department.from_dict({**(office.department().to_dict() if value else {}), **value})


def test_absent_departments_and_proposals(office: Office) -> None:
    with pytest.raises(NotFound):
        office.registry.suspend("https://nobody.example", actor=REVIEWER)
    with pytest.raises(NotFound):
        office.registry.approve("none", actor=REVIEWER)

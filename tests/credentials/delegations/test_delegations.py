"""Delegations on both databases: who gives, who accepts, who ends them, and what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.delegating import Person

from credentials.delegations.delegation import State
from credentials.delegations.terms import Kind
from yinxin.base.errors import Conflict, NotPermitted

if TYPE_CHECKING:
    from world.delegating import DelegatingOffice


def test_nothing_works_before_the_agent_has_accepted(office: DelegatingOffice) -> None:
    proposed = office.propose(office.agent)
    assert proposed.state is State.PROPOSED
    assert not proposed.holds_at(office.now)
    accepted = office.accept(proposed, office.agent)
    assert accepted.holds_at(office.now)
    assert accepted.words.zh.startswith("李明华代表津城")
    with pytest.raises(Conflict, match="in force"):
        office.accept(proposed, office.agent)


def test_an_administrator_appoints_an_agent_and_recalling_ends_both(office: DelegatingOffice) -> None:
    above = office.appoint(office.admin, office.terms(Kind.ADMINISTRATOR))
    below = office.accept(office.pass_on(above, office.admin, office.agent), office.agent)
    assert [one.id for one in office.delegations.chain(below.id)] == [above.id, below.id]
    assert {one.id for one in office.recall(above)} == {above.id, below.id}
    assert [one.state for one in office.delegations.chain(below.id)] == [State.RECALLED, State.RECALLED]


def test_a_cascade_recalls_all_of_a_holder_once(office: DelegatingOffice) -> None:
    office.appoint(office.agent)
    facts: dict[str, Any] = {
        "ground": "法定代表人变更",
        "document_number": "津市监变〔2026〕1号",
        "actor": office.clerk,
    }
    code = office.business.holder_code
    assert len(office.delegations.of_holder(code)) == 1
    assert len(office.delegations.recall_of(code, **facts)) == 1
    assert office.delegations.of_holder(code) == ()
    assert office.delegations.recall_of(code, **facts) == ()


def test_a_sixth_administrator_finds_no_room(office: DelegatingOffice) -> None:
    for number in range(5):
        office.propose(Person(f"管理员{number}"), office.terms(Kind.ADMINISTRATOR))
    with pytest.raises(Conflict, match="up to 5"):
        office.propose(office.admin, office.terms(Kind.ADMINISTRATOR))
    assert office.propose(office.agent).state is State.PROPOSED


def test_somebody_else_s_name_signs_nothing(office: DelegatingOffice) -> None:
    with pytest.raises(NotPermitted, match="names somebody else"):
        office.propose(office.agent, signed_by="冒名者")

"""Who gives, who accepts, who ends a delegation; races on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.delegating import BUSINESS, Person

from credentials.delegations.delegation import State
from credentials.delegations.holding import DelegationHolding
from credentials.delegations.terms import Kind
from credentials.licence import EndingKind
from credentials.persons import Retention
from credentials.sd_jwt import SdJwt
from credentials.status_records import StatusRecords
from credentials.vocabulary import INVALID
from signing.signers.file import FileSigner
from yinxin.base.errors import Conflict, NotPermitted, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.delegating import DelegatingOffice

WHY: dict[str, Any] = {"ground": "法定代表人变更", "document_number": "津市监变〔2026〕1号"}


def at_once(*works: Callable[[], object]) -> list[str]:
    """How works that begin together come out: `done`, or the code of the error."""
    gate, found = threading.Barrier(len(works)), ["" for _ in works]

    def run(place: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
            found[place] = "done"
        except YinxinError as error:
            found[place] = error.code

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_nothing_works_before_the_agent_has_accepted(office: DelegatingOffice) -> None:
    proposed = office.propose(office.agent)
    assert proposed.state is State.PROPOSED
    assert not proposed.holds_at(office.now)
    accepted = office.accept(proposed, office.agent)
    assert accepted.holds_at(office.now)
    assert accepted.words.zh.startswith("李明华代表津城")
    with pytest.raises(Conflict, match="in force"):
        office.accept(proposed, office.agent)


def test_an_agent_may_say_no(office: DelegatingOffice) -> None:
    proposed = office.propose(office.agent)
    statement = office.statement("decline", {"delegation": proposed.id})
    declined = office.delegations.decline(statement, office.signed(statement, office.agent))
    assert declined.state is State.DECLINED
    with pytest.raises(Conflict, match="declined"):
        office.accept(proposed, office.agent)


def test_everybody_sees_their_own(office: DelegatingOffice) -> None:
    above = office.appoint(office.admin, office.terms(Kind.ADMINISTRATOR))
    below = office.accept(office.pass_on(above, office.admin, office.agent), office.agent)

    def listed(by: Person | None) -> dict[str, set[str]]:
        statement = office.statement("list", {})
        proof = office.signed(statement, by) if by else office.shown(statement)
        found = office.delegations.listed(statement, proof)
        return {name: {one.id for one in found[name] if one.state is State.ACCEPTED} for name in found}

    assert listed(None) == {"given": {above.id, below.id}, "received": set()}
    assert listed(office.admin) == {"given": {below.id}, "received": {above.id}}
    assert listed(office.agent) == {"given": set(), "received": {below.id}}
    assert listed(office.other) == {"given": set(), "received": set()}


def test_a_cascade_recalls_all_of_a_holder_once(office: DelegatingOffice) -> None:
    above = office.appoint(office.admin, office.terms(Kind.ADMINISTRATOR))
    office.pass_on(above, office.admin, office.agent)
    code = office.business.holder_code
    assert len(office.delegations.of_holder(code)) == 2
    assert len(office.delegations.recall_of(code, actor=office.clerk, **WHY)) == 2
    assert office.delegations.of_holder(code) == ()
    assert office.delegations.recall_of(code, actor=office.clerk, **WHY) == ()


def test_a_former_representative_appoints_nobody(lone: DelegatingOffice) -> None:
    office = lone
    one = office.appoint(office.agent)
    new = FileSigner.generate()
    made = office.issuer.replace(
        office.business.identifier,
        {**office.claims, "legal_representative": "赵欣怡"},
        holder=new.public_key,
        actor=office.clerk,
        **WHY,
    )
    for said in (office.claims["legal_representative"], "赵欣怡"):
        with pytest.raises(NotPermitted, match="does not hold any more"):
            office.propose(office.other, signed_by=said)
    with pytest.raises(NotPermitted, match="does not hold any more"):
        office.recall(one)
    statement = office.statement("recall", {"delegation": one.id})
    shown = office.shown(statement, copy=str(made.credential), signer=new)
    assert [item.id for item in office.delegations.recall(statement, shown)] == [one.id]


def test_a_company_that_is_gone_appoints_nobody(lone: DelegatingOffice) -> None:
    lone.issuer.end(lone.business.identifier, EndingKind.DEREGISTERED, actor=lone.clerk, **WHY)
    with pytest.raises(NotPermitted, match="does not hold any more"):
        lone.propose(lone.agent)


def test_a_sixth_administrator_finds_no_room_whoever_is_faster(fresh: DelegatingOffice) -> None:
    office = fresh
    terms = office.terms(Kind.ADMINISTRATOR)
    for number in range(3):
        office.propose(Person(f"管理员{number}"), terms)
    said = at_once(*[lambda n=n: office.propose(Person(f"同时{n}"), terms) for n in range(4)])
    assert sorted(said) == ["conflict", "conflict", "done", "done"]
    assert office.propose(office.agent).state is State.PROPOSED  # agents are not counted


def test_of_an_acceptance_and_a_recall_both_are_told_the_truth(fresh: DelegatingOffice) -> None:
    office = fresh
    proposed = office.propose(office.agent)
    said = at_once(lambda: office.accept(proposed, office.agent), lambda: office.recall(proposed))
    assert said[1] == "done"
    assert said[0] in {"done", "conflict"}
    assert office.delegations.chain(proposed.id)[0].state is State.RECALLED
    said = at_once(*[lambda: office.recall(proposed)] * 2)
    assert said == ["conflict", "conflict"]


def test_nothing_is_handed_behind_a_recall(fresh: DelegatingOffice) -> None:
    """Whoever wins: afterwards no credential of the delegation is valid, nor any appointment under it."""
    office = fresh
    one = office.appoint(office.admin, office.terms(may_pass_on=True))
    said = at_once(
        lambda: office.recall(one),
        lambda: office.hand(one, office.admin),
        lambda: office.hand(one, office.admin, BUSINESS),
        lambda: office.pass_on(one, office.admin, office.agent),
    )
    assert said[0] == "done"
    assert set(said[1:]) <= {"done", "not_permitted", "conflict"}
    with office.database.transaction() as session:
        places = office.delegations.repository(session).copies(one.id)
        assert all(office.status.is_final(session, *place) for place in places)
        assert office.delegations.repository(session).below([one.id]) == []


def test_a_node_that_was_put_back_ends_what_the_published_lists_say_is_over(lone: DelegatingOffice) -> None:
    office = lone
    kept, lost, waiting = (
        office.appoint(office.admin),
        office.appoint(office.agent),
        office.propose(office.other),
    )
    place = SdJwt.parse(office.hand(lost, office.agent)).payload["status"]["status_list"]
    office.hand(kept, office.admin)
    with office.database.transaction() as session:
        StatusRecords(session).take_back(place["uri"], place["idx"], INVALID, at=office.now)
        assert office.delegations.repository(session).settle(at=office.now, ground="恢复") == 2
    states = [office.delegations.chain(one.id)[0].state for one in (kept, lost, waiting)]
    assert states == [State.ACCEPTED, State.RECALLED, State.RECALLED]


def test_ended_delegations_are_forgotten_with_all_below(office: DelegatingOffice) -> None:
    passing_on = office.terms(may_pass_on=True)
    given = office.appoint(office.agent, passing_on)
    under = office.accept(office.pass_on(given, office.agent, office.other), office.other)
    room = DelegationHolding(office.index, Retention(10), clock=office.clock)
    with office.database.reading() as session:
        held = {one.key: one for one in room.of(session, given.principal.code)}
    assert {given.id, under.id} <= set(held)
    assert held[given.id].kept_until is None
    office.recall(given)
    office.clock.advance(timedelta(days=366))
    with office.database.transaction() as session:
        over = room.over(session, now=office.now, limit=100)
        room.erase(session, room.named(session, [given.id], now=office.now), at=office.now)
        assert {given.id, under.id} <= {one.key for one in over}
        left = {one.key for one in room.of(session, given.principal.code)}
    assert not left & {given.id, under.id}

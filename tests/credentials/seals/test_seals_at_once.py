"""Two at once, on both databases: the last place of a day, a stop beside a use, two who decide."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from world.sealing import FACTS, SealOffice

from credentials.office.seals import GrantTerms, RemakeReason, SealState
from yinxin.base.actor import staff
from yinxin.base.errors import Conflict, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

FOOD = "food-business-licence"


def outcomes(*steps: Callable[[], Any]) -> list[str]:
    """Every step in a thread of its own, all let go at the same moment."""
    gate, said = threading.Barrier(len(steps)), []

    def take(step: Callable[[], Any]) -> None:
        gate.wait()
        try:
            step()
            said.append("done")
        except YinxinError as error:
            said.append(error.code)

    threads = [threading.Thread(target=take, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def test_the_last_place_of_a_day_is_given_away_once(stored_office: SealOffice) -> None:
    office = stored_office
    office.granted(office.seal, GrantTerms("staff:clerk-99", (FOOD,), daily_limit=3))
    who = staff("clerk-99", agency=office.agency.credit_code, roles=("drafter",))
    custody = office.custody(office.key)
    custody.allow(who, {FOOD: 2})
    said = outcomes(*[lambda: custody.allow(who, {FOOD: 1})] * 5)
    assert said == ["done", *["not_permitted"] * 4]


def test_after_a_stop_no_use_commits(stored_office: SealOffice) -> None:
    """Leave was given before; the stop is faster than what is recorded."""
    office = stored_office
    custody = office.custody(office.key)
    permit = custody.allow(office.clerk, {FOOD: 1})
    office.seals.stop(office.seal.id, **FACTS, actor=office.keeper)

    def use() -> None:
        with office.database.transaction() as session:
            custody.used(session, permit, document="0" * 64, licence=None, at=office.now)

    assert outcomes(use) == ["conflict"]
    assert office.seals.uses(office.seal.id, actor=office.keeper) == []


def test_a_stop_beside_uses_has_one_order(stored_office: SealOffice) -> None:
    """Whatever was recorded was recorded before the stop: the drill that follows sees all of it."""
    office = stored_office
    custody = office.custody(office.key)
    permits = [custody.allow(office.clerk, {FOOD: 1}) for _ in range(6)]
    seen: list[int] = []

    def use(number: int) -> Callable[[], None]:
        def record() -> None:
            with office.database.transaction() as session:
                digest = f"{number:064x}"
                custody.used(session, permits[number], document=digest, licence=None, at=office.now)

        return record

    def stop() -> None:
        office.seals.stop(office.seal.id, **FACTS, actor=office.keeper)
        seen.append(len(office.seals.uses(office.seal.id, actor=office.keeper)))

    said = outcomes(stop, *[use(number) for number in range(6)])
    uses = office.seals.uses(office.seal.id, actor=office.keeper)
    assert office.state(office.seal) == SealState.STOPPED
    assert seen == [len(uses)]
    assert said.count("done") == 1 + len(uses)


def test_a_grant_that_ended_meanwhile_lets_nothing_be_recorded(stored_office: SealOffice) -> None:
    office = stored_office
    custody = office.custody(office.key)
    permit = custody.allow(office.clerk, {FOOD: 1})
    office.seals.stop_grant(office.seal.id, permit.grant, why="换岗", actor=office.keeper)

    def use() -> None:
        with office.database.transaction() as session:
            custody.used(session, permit, document="0" * 64, licence=None, at=office.now)

    assert outcomes(use) == ["conflict"]


def test_two_who_agree_do_it_once(stored_office: SealOffice) -> None:
    office = stored_office
    terms = GrantTerms("staff:clerk-5", (FOOD,))
    request = office.seals.ask_to_grant(office.seal.id, terms, actor=office.keeper)
    qian = office.person("approver-qian", "approver")

    def agree(who: Any) -> Callable[[], Any]:
        proof = office.proof(request, who)
        return lambda: office.seals.agree(request.id, proof=proof, actor=who)

    assert outcomes(agree(office.zhao), agree(qian)) == ["conflict", "done"]
    grants = office.seals.grants(office.seal.id, actor=office.keeper)
    assert [one.terms for one in grants].count(terms) == 1


def test_of_two_remakes_and_two_stops_one_wins(stored_office: SealOffice) -> None:
    office = stored_office

    def remake() -> Any:
        return office.seals.remake(
            office.seal.id, reason=RemakeReason.DAMAGE, key="seal", actor=office.keeper
        )

    assert outcomes(remake, remake) == ["conflict", "done"]
    stop = [lambda: office.seals.stop(office.seal.id, **FACTS, actor=office.keeper)] * 2
    assert outcomes(*stop) == ["conflict", "done"]


def test_two_drills_of_one_loss_are_one(stored_office: SealOffice) -> None:
    office = stored_office
    since, found = office.now, []

    def begin() -> None:
        try:
            drill = office.compromise.begin(office.seal.id, since=since, **FACTS, actor=office.keeper)
        except Conflict:  # the other was faster: the same again finds its drill
            drill = office.compromise.begin(office.seal.id, since=since, **FACTS, actor=office.keeper)
        found.append(drill.id)

    assert outcomes(begin, begin) == ["done", "done"]
    assert len(set(found)) == 1

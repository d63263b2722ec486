"""The work of an event: once, whoever does it, and however often."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.subjects import FOOD

from credentials.persons import Retention
from yinxin.app.subjects.holding import SubjectEventHolding
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.runner import Runner
from yinxin.app.subjects.values import EventKind, EventState, Outcome, OutcomeKind
from yinxin.app.subjects.work import CascadeWork
from yinxin.base.errors import Conflict, NotPermitted, SignerUnavailable, YinxinError

if TYPE_CHECKING:
    from world.subjects import SubjectWorld

    from yinxin.app.subjects.effects import Task

NEW = "津城新海河糕点有限公司"


def rows(city: SubjectWorld, query: str) -> list[Any]:
    with city.database.reading() as session:
        return [tuple(row) for row in session.execute(text(query))]


def everything(city: SubjectWorld) -> list[Any]:
    """All that an event can change."""
    tables = ("licence", "licence_event", "licence_copy", "ca_revocation", "subject_effect", "audit_inbox")
    return [rows(city, f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - our own names


def test_two_who_do_it_at_once_do_it_once(city_on_both: SubjectWorld) -> None:
    city = city_on_both
    licences = [city.give(FOOD, 3) for _ in range(3)]
    serial = city.company_certificate()
    planned = city.plan(EventKind.RENAMED, name=NEW)
    city.approve(planned)
    event = city.cascade.begin(planned.event.id, actor=city.li)
    with pytest.raises(Conflict):
        city.cascade.plan_again(event.id, actor=city.li)
    threads = [
        threading.Thread(target=city.work.go_on, args=(event,), kwargs={"actor": city.li}) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = city.cascade.show(event.id, actor=city.li)
    assert (report.event.state, report.counts[OutcomeKind.DONE]) == (EventState.DONE, 7)
    assert [len(city.versions(one)) for one in licences] == [2, 2, 2]
    assert city.certificate(serial) == "affiliation_changed"
    entries = rows(city, "SELECT body FROM audit_inbox WHERE body LIKE '%subject.done%'")
    assert len(entries) == 1


def test_of_two_who_take_it_up_one_is_told(city_on_both: SubjectWorld) -> None:
    city, outcomes = city_on_both, []
    city.give(FOOD, 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    gate = threading.Barrier(2)

    def begin() -> None:
        gate.wait()
        try:
            outcomes.append(city.cascade.begin(planned.event.id, actor=city.li).state)
        except YinxinError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=begin) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The slower one is refused, or finds it running already and goes on with it.
    assert set(map(str, outcomes)) <= {"running", "conflict", "plan_outdated"}
    assert "running" in outcomes
    assert city.run(planned).event.state is EventState.DONE


def test_twice_is_once(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    city.company_certificate()
    planned = city.plan(EventKind.RENAMED, name=NEW)
    city.approve(planned)
    city.run(planned)
    before = everything(city)
    again = city.run(planned)
    assert again.event.state is EventState.DONE
    assert everything(city) == before


@pytest.mark.parametrize("error", [SignerUnavailable, NotPermitted])
def test_a_key_that_does_not_answer_or_may_not_be_used_loses_nothing(
    city: SubjectWorld, monkeypatch: pytest.MonkeyPatch, error: type[YinxinError]
) -> None:
    licences = [city.give(FOOD, 3) for _ in range(2)]
    planned = city.plan(EventKind.RENAMED, name=NEW)
    city.approve(planned)
    asked: list[Task] = []
    apply = type(city.rooms["licence"]).apply  # type: ignore[index]  # a str enum

    def fails_second(self: Any, task: Task) -> Outcome | None:
        asked.append(task)
        if len(asked) == 3:
            raise error("the token was pulled out, or the seal's limit of today is reached")
        return apply(self, task)

    monkeypatch.setattr(type(city.rooms["licence"]), "apply", fails_second)  # type: ignore[index]
    with pytest.raises(error):
        city.run(planned)
    cut = city.cascade.show(planned.event.id, actor=city.li)
    assert (cut.event.state, cut.counts[OutcomeKind.DONE]) == (EventState.RUNNING, 2)
    report = city.run(planned)
    assert (report.event.state, report.counts[OutcomeKind.FAILED]) == (EventState.DONE, 0)
    assert [len(city.versions(one)) for one in licences] == [2, 2]


def test_work_that_was_told_to_stop_is_taken_up_when_the_office_opens(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    event = city.cascade.begin(planned.event.id, actor=city.li)
    city.work.go_on(event, actor=city.li, stop=lambda: True)
    agency, heard = city.agency.credit_code, []
    runner = Runner(city.cascade, city.work, agency=agency, database=city.database)
    assert runner.resume() == 1
    runner.wait()
    runner.close()
    assert city.cascade.show(event.id, actor=city.li).event.state is EventState.DONE
    work = CascadeWork(city.cascade, city.rooms, database=city.database, clock=city.clock)
    work.run(event.id, actor=city.li, progress=lambda done, every: heard.append((done, every)))
    assert heard == []  # nothing was left


def test_progress_is_told(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    city.give("administrative-decision", 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    heard: list[tuple[int, int]] = []
    city.work.run(planned.event.id, actor=city.li, progress=lambda done, every: heard.append((done, every)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_work_that_is_halted_leaves_the_rest_and_can_be_taken_back(city: SubjectWorld) -> None:
    first, second = sorted((city.give(FOOD, 3), city.give(FOOD, 3)), key=lambda one: one.licence.identifier)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    event = city.cascade.begin(planned.event.id, actor=city.li)
    stops = iter([False, True])
    city.work.go_on(event, actor=city.li, stop=lambda: next(stops))
    del city.keys["zhao"]  # who approved has left: what was begun goes on, or is halted
    assert city.cascade.begin(event.id, actor=city.li).state is EventState.RUNNING
    city.cascade.halt(event.id, actor=city.zhao)
    report = city.run(planned)
    assert {one.outcome.code for one in report.effects} == {"", "halted"}
    assert (city.now_standing(first), city.now_standing(second)) == ("deregistered", "in_force")
    with pytest.raises(Conflict):
        city.cascade.halt(event.id, actor=city.li)
    back = city.plan(EventKind.RESTORED, undoes=event.id)
    assert [one.effect.thing for one in back.effects] == [first.licence.identifier]


def test_what_is_held_on_a_person_is_told_kept_and_forgotten(city: SubjectWorld) -> None:
    number, serial = city.person["citizen_number"], city.person_certificate()
    event = city.happen(EventKind.DEATH_REPORTED).event
    holding = SubjectEventHolding(city.index, Retention.load(), agency=city.agency.credit_code)
    with city.database.transaction() as session:
        (held,) = holding.of(session, number)
        assert (held.key, held.content["subject"], held.may_go(city.clock.now())) == (event.id, number, False)
        assert holding.over(session, now=city.clock.now(), limit=10) == []
        city.clock.advance(timedelta(days=3660))
        assert [one.key for one in holding.over(session, now=city.clock.now(), limit=10)] == [event.id]
        holding.erase(session, holding.named(session, [event.id], now=city.clock.now()), at=city.clock.now())
        assert holding.of(session, number) == []
    assert serial
    assert rows(city, "SELECT count(*) FROM subject_certificate") == [(0,)]


def test_an_outcome_is_said_once(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    event = city.happen(EventKind.DISSOLVED).event
    with pytest.raises(Conflict, match="settled already"), city.database.transaction() as session:
        SubjectRepository(session).settle(event.id, 1, Outcome.failed("x"), at=city.clock.now())


def test_a_plan_that_was_changed_behind_the_approvers_back_is_not_run(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    with city.database.transaction() as session:
        session.execute(text("UPDATE subject_effect SET action = 'left' WHERE sequence = 1"))
    with pytest.raises(NotPermitted, match="not the one that was agreed to"):
        city.run(planned)


def test_another_process_that_was_faster_is_no_failure(
    city: SubjectWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.give(FOOD, 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    room = type(city.rooms["licence"])  # type: ignore[index]  # a str enum
    apply = room.apply

    def beaten(self: Any, task: Task) -> Outcome | None:
        apply(self, task)
        raise Conflict("this effect was settled already")

    monkeypatch.setattr(room, "apply", beaten)
    assert {one.outcome.kind for one in city.run(planned).effects} == {OutcomeKind.DONE}

"""What happens to a person or company, and all that follows: seen before, agreed to by two, done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.audit import sequencer
from world.subjects import BUSINESS, COMPANY_TYPES, FOOD, PHYSICIAN

from credentials.licence import EndingKind
from yinxin.app.subjects.comparing import PlanOutdated
from yinxin.app.subjects.values import EventKind, EventState, OutcomeKind
from yinxin.base.audit import AuditLog
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.subjects import SubjectWorld

NEW = "津城新海河糕点有限公司"
WHY = {"ground": "《中华人民共和国食品安全法》", "document_number": "津城监罚〔2026〕9号"}


def actions(planned: object) -> dict[tuple[str, str], str]:
    return {one.effect.key: str(one.effect.action) for one in planned.effects}  # type: ignore[attr-defined]


def test_a_renamed_company(city: SubjectWorld) -> None:
    licences = {code: city.give(code, 3) for code in COMPANY_TYPES}
    other = city.give(FOOD, 4)
    serial = city.company_certificate()
    planned = city.plan(EventKind.RENAMED, name=NEW)
    found = actions(planned)
    assert found["licence", licences[BUSINESS].licence.identifier] == "reissue"
    assert found["licence", licences["administrative-decision"].licence.identifier] == "left"
    assert found["certificate", f"enterprise/{serial:x}"] == "revoke"
    assert ("licence", other.licence.identifier) not in found
    assert sum(kind == "copy" for kind, _ in found) == 4  # of the four that are issued anew
    assert city.certificate(serial) == "good"  # planning changes nothing
    city.approve(planned)
    report = city.run(planned)
    assert report.event.state is EventState.DONE
    assert report.counts == {
        OutcomeKind.PENDING: 0, OutcomeKind.DONE: 9, OutcomeKind.FAILED: 0,
        OutcomeKind.LEFT: 1, OutcomeKind.BY_HAND: 0,
    }  # fmt: skip
    for code in COMPANY_TYPES:
        versions = city.versions(licences[code])
        renamed = code != "administrative-decision"
        assert len(versions) == (2 if renamed else 1)
        assert versions[-1].holder_name == (NEW if renamed else city.company["name"])
        assert versions[-1].number == versions[0].number
    assert city.certificate(serial) == "affiliation_changed"


def test_a_death_is_reported_contested_reported_and_confirmed(city: SubjectWorld) -> None:
    licence, serial = city.give(PHYSICIAN, 2), city.person_certificate()
    city.happen(EventKind.DEATH_REPORTED)
    assert (city.now_standing(licence), city.certificate(serial)) == ("suspended", "certificate_hold")
    report = city.recent()[0]
    city.happen(EventKind.DEATH_CONTESTED, undoes=report.id)
    assert (city.now_standing(licence), city.certificate(serial)) == ("in_force", "good")
    city.happen(EventKind.DEATH_REPORTED)
    city.happen(EventKind.DEATH_CONFIRMED)
    assert (city.now_standing(licence), city.certificate(serial)) == (
        "deregistered",
        "cessation_of_operation",
    )
    with pytest.raises(Conflict, match="the subject is dead"):
        city.plan(EventKind.RENAMED, subject=city.person_subject, name="王小梅")


def test_a_mistaken_event_is_taken_back(city: SubjectWorld) -> None:
    food, serial = city.give(FOOD, 3), city.company_certificate()
    renamed = city.happen(EventKind.RENAMED, name=NEW)
    city.happen(EventKind.DISSOLVED)
    assert city.now_standing(food) == "deregistered"
    with pytest.raises(Conflict, match="only the subject's last event"):
        city.plan(EventKind.RESTORED, undoes=renamed.event.id)
    city.happen(EventKind.RESTORED, undoes=city.recent()[0].id)
    assert city.now_standing(food) == "in_force"
    back = city.happen(EventKind.RESTORED, undoes=renamed.event.id)
    assert city.versions(food)[-1].holder_name == city.company["name"]
    by_hand = [one.effect for one in back.effects if one.outcome.kind is OutcomeKind.BY_HAND]
    assert [one.thing for one in by_hand] == [f"enterprise/{serial:x}"]  # a revocation is final


class TestTwoPeople:
    def test_nobody_approves_their_own_plan(self, city: SubjectWorld) -> None:
        city.give(FOOD, 3)
        planned = city.plan(EventKind.DISSOLVED, actor=city.chen)
        with pytest.raises(NotPermitted, match="another person"):
            city.approve(planned, city.chen)

    def test_nothing_runs_without_an_approval(self, city: SubjectWorld) -> None:
        planned = city.plan(EventKind.DISSOLVED)
        with pytest.raises(NotPermitted, match="no second person"):
            city.run(planned)

    def test_a_clerk_does_not_approve_and_an_approver_does_not_plan(self, city: SubjectWorld) -> None:
        planned = city.plan(EventKind.DISSOLVED)
        with pytest.raises(NotPermitted, match="no approver"):
            city.approve(planned, city.li)
        with pytest.raises(NotPermitted, match="no clerk"):
            city.plan(EventKind.DISSOLVED, actor=city.zhao)

    def test_a_withdrawn_key_takes_the_approval_with_it(self, city: SubjectWorld) -> None:
        planned = city.plan(EventKind.DISSOLVED)
        city.approve(planned)
        del city.keys["zhao"]
        with pytest.raises(NotPermitted):
            city.run(planned)


class TestWhatChangedMeanwhile:
    def test_an_outdated_plan_is_not_run(self, city: SubjectWorld) -> None:
        ended, kept = city.give(FOOD, 3), city.give("hygiene-licence-on-commitment", 3)
        planned = city.plan(EventKind.DISSOLVED)
        city.approve(planned)
        city.issuer.end(ended.licence.identifier, EndingKind.REVOKED, actor=city.clerk, **WHY)
        new = city.give("construction-permit", 3)
        with pytest.raises(PlanOutdated) as outdated:
            city.run(planned)
        differences = {(one.how, one.effect.thing) for one in outdated.value.differences}
        assert differences == {("gone", ended.licence.identifier), ("new", new.licence.identifier)}
        assert city.now_standing(kept) == "in_force"
        again = city.cascade.plan_again(planned.event.id, actor=city.chen)
        assert again.event.state is EventState.PLANNED
        with pytest.raises(NotPermitted):
            city.run(again)
        with pytest.raises(NotPermitted, match="another person"):
            city.approve(again, city.chen)
        city.approve(again)
        assert city.run(again).event.state is EventState.DONE

    def test_a_licence_that_was_ended_while_it_ran_does_not_stop_the_rest(self, city: SubjectWorld) -> None:
        first, second = sorted(
            (city.give(FOOD, 3), city.give("hygiene-licence-on-commitment", 3)),
            key=lambda one: one.licence.identifier,
        )
        planned = city.plan(EventKind.DISSOLVED)
        city.approve(planned)
        event = city.cascade.begin(planned.event.id, actor=city.li)
        city.issuer.end(first.licence.identifier, EndingKind.REVOKED, actor=city.clerk, **WHY)
        city.work.go_on(event, actor=city.li)
        report = city.cascade.show(event.id, actor=city.li)
        outcomes = {one.effect.thing: one.outcome for one in report.effects}
        assert outcomes[first.licence.identifier].code == "changed"
        assert outcomes[second.licence.identifier].kind is OutcomeKind.DONE
        assert report.event.state is EventState.DONE

    def test_two_events_of_a_subject_do_not_run_at_once(self, city: SubjectWorld) -> None:
        one, two = city.plan(EventKind.RENAMED, name=NEW), city.plan(EventKind.DISSOLVED)
        for planned in (one, two):
            city.approve(planned)
        city.cascade.begin(one.event.id, actor=city.li)
        with pytest.raises(Conflict, match="another event of this subject"):
            city.cascade.begin(two.event.id, actor=city.li)


def test_the_log_says_nothing_of_the_subject(city: SubjectWorld) -> None:
    city.give(PHYSICIAN, 2)
    city.happen(EventKind.DEATH_REPORTED)
    sequencer(city.database).run_once()
    entries = [one.content() or {} for one in AuditLog(city.database).entries()]
    mine = [one for one in entries if one["action"].startswith("subject.")]
    assert [one["action"] for one in mine] == [
        "subject.plan", "subject.approve", "subject.run", "subject.done",
    ]  # fmt: skip
    said = str(entries)
    assert city.person["citizen_number"] not in said
    assert city.person["name"] not in said


def test_facts_that_cannot_be_meant(city: SubjectWorld) -> None:
    person = {"subject": city.person_subject}
    for kind, more in (
        (EventKind.DISSOLVED, person),
        (EventKind.RENAMED, {}),
        (EventKind.MERGED, {"name": "甲", "into": city.company_subject}),
        (EventKind.DISSOLVED, {"name": "甲"}),
        (EventKind.DISSOLVED, {"ground": " "}),
    ):
        with pytest.raises(UsageError):
            city.plan(kind, **more)
    with pytest.raises(NotFound):
        city.cascade.show("nothing", actor=city.li)

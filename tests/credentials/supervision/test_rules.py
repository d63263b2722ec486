"""Rules are data; run over the log they find what they speak of, once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from world.desks import FOOD
from world.supervision import EIGHT, SupervisionWorld, rules

from credentials import samples
from credentials.office.supervision.findings import FindingState
from credentials.office.supervision.rules import own_rules, read_rules
from credentials.office.supervision.service import By
from credentials.office.supervision.watch import Watch
from credentials.office.working_days import WorkingDays, national
from yinxin.base.actor import staff
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, UsageError, YinxinError

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.base.database import Database

FAST = 'id="fast"\nkind="interval"\nfirst=["case.submit","case.review"]\nthen=["case.approve"]\nseconds=60'
BULK = 'id="bulk"\nkind="rate"\nactions=["verification.record"]\nmore_than=3\nminutes=60'
LATE = 'id="late"\nkind="overdue"\nfirst=["case.submit"]\nends=["case.seal","case.withdraw"]\nworking_days=20'
HOURS = 'id="hours"\nkind="hours"\nactions=["case.approve"]\nopens="08:00"\ncloses="18:30"'
PAIR = 'id="pair"\nkind="pair"\nfirst=["case.submit"]\nthen=["case.approve"]\nat_least=5\npercent=90'
ROW = 'id="row"\nkind="refusals"\nactions=["office.refused"]\nat_least=3\nminutes=30'
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(pki: Pki, memory: Database, request: pytest.FixtureRequest) -> SupervisionWorld:
    return SupervisionWorld(pki, memory, looked_for=rules(*request.param))


def only(*texts: str) -> Any:
    return pytest.mark.parametrize("world", [texts], indirect=True)


def test_every_rule_of_ours_has_words_and_a_law() -> None:
    found = {rule.id: rule for rule in own_rules()}
    assert {rule.kind for rule in found.values()} == {
        "interval", "rate", "hours", "pair", "refusals", "overdue",
    }  # fmt: skip
    assert all(rule.legal.zh and rule.text.en for rule in found.values())
    assert found["case_overdue"].to_dict()["by_type"]["no-record-certificate"] == 5


@pytest.mark.parametrize(
    "broken",
    [
        FAST.replace("seconds=60", ""),
        FAST.replace("60", "0"),
        FAST.replace("60", "true"),
        FAST.replace('"interval"', '"feeling"'),
        FAST.replace('"fast"', '"not an id"'),
        FAST + "\nmore=1",
        FAST.replace('["case.approve"]', "[]"),
        HOURS.replace("08:00", "8"),
        HOURS.replace("08:00", "25:00"),
        LATE + "\nby_type=7",
        LATE + "\nby_type={a=0}",
    ],
)
def test_a_broken_rule_is_told(broken: str) -> None:
    with pytest.raises(UsageError):
        rules(broken)


@pytest.mark.parametrize("content", ["[[", "rule = 1", "[[rule]]\nid='x'", "rule=[1]"])
def test_a_broken_file_is_told(content: str) -> None:
    with pytest.raises(UsageError):
        read_rules(content)
    with pytest.raises(UsageError, match="same id"):
        rules(FAST, FAST)


@only(FAST)
def test_a_case_approved_in_a_moment(world: SupervisionWorld) -> None:
    case = world.approved("办-1")
    assert world.run() == 1
    (found,) = world.findings()
    assert (found.officers, found.organisation) == (("reviewer-wang", "approver-zhao"), world.own)
    finding, told = world.supervision.finding(world.begin().id, found.id, actor=world.sun)
    assert [one.line.action for one in told] == ["case.review", "case.approve"]
    assert {one.line.case for one in told} == {case.id}
    assert finding == found


@only(FAST)
def test_a_case_approved_with_time_to_read(world: SupervisionWorld) -> None:
    for step, after in (("submit", 0), ("review", 10), ("approve", 12)):
        world.wrote(f"case.{step}", "case:1", after=after * MINUTE)
    assert world.run() == 0


@only(BULK)
def test_bulk_look_ups_within_a_window(world: SupervisionWorld) -> None:
    start = datetime(2026, 11, 19, 1, tzinfo=UTC)
    for index in range(4):  # four in ninety minutes: never four within an hour
        world.wrote("verification.record", f"v-{index}", at=start + 30 * index * MINUTE)
    assert world.run() == 0
    world.wrote("verification.record", "v-4", at=start + 90 * MINUTE)
    assert world.run() == 1
    for index in range(50):
        world.wrote("verification.record", f"w-{index}", at=start + 92 * MINUTE)
    assert world.run() == 0  # the same person, the same day
    world.wrote("verification.record", "v-next", at=start + timedelta(days=1))
    assert world.run() == 0
    assert world.findings()[0].count == 4


@only(HOURS)
def test_approvals_at_night_and_on_a_day_off(world: SupervisionWorld) -> None:
    noon = datetime(2026, 11, 20, 4, tzinfo=UTC)
    for at in (noon, noon - timedelta(hours=4), noon + timedelta(hours=6, minutes=29)):
        world.wrote("case.approve", "case:1", at=at)
    assert world.run() == 0
    for at in (
        noon - timedelta(hours=4, minutes=1),
        noon + timedelta(hours=6, minutes=30),
        noon + timedelta(days=1),
    ):
        world.wrote("case.approve", "case:1", at=at)
    worked, off = datetime(2026, 10, 10, 4, tzinfo=UTC), datetime(2026, 10, 5, 4, tzinfo=UTC)
    world.wrote("case.approve", "case:2", at=worked)
    world.wrote("case.approve", "case:3", at=off)
    assert world.run() == 3
    assert sorted(one.count for one in world.findings()) == [1, 1, 2]


@only(LATE)
def test_a_case_past_its_term(world: SupervisionWorld) -> None:
    case = world.drafted("办-1")
    world.desk.submit(case.id, actor=world.li)
    done = world.drafted("办-2", claims=samples.application(FOOD, 2))
    world.desk.submit(done.id, actor=world.li)
    world.desk.withdraw(done.id, note="撤件", actor=world.li)
    assert world.run() == 0
    world.clock.advance(timedelta(days=28))
    assert world.run() == 0
    world.clock.advance(timedelta(days=1))  # 19 December: twenty working days after 20 November are over
    assert world.run() == 1
    assert world.run() == 0
    (found,) = world.findings()
    assert [entry for _, entry in found.entries]
    world.desk.withdraw(case.id, note="撤件", actor=world.li)
    assert world.run() == 0


@only(LATE + f"\nby_type={{ {FOOD} = 3 }}")
def test_a_type_has_a_term_of_its_own(world: SupervisionWorld) -> None:
    case = world.drafted("办-1")
    world.desk.submit(case.id, actor=world.li)
    world.run()
    world.clock.advance(timedelta(days=6))
    assert world.run() == 1


@only(
    'id="disputes"\nkind="overdue"\nfirst=["dispute.open","dispute.accept"]\n'
    'ends=["dispute.answer"]\nworking_days=1'
)
def test_an_unanswered_dispute(world: SupervisionWorld) -> None:
    number = world.disputed(world.sealed().licence.identifier).number
    world.run()
    world.clock.advance(timedelta(days=3))
    assert world.run() == 0  # its own term counts, not the rule's
    world.disputes.answer(number, "accept", words="受理", actor=world.li)
    world.clock.advance(timedelta(days=10))
    assert world.run() == 0
    world.clock.advance(timedelta(days=30))
    assert world.run() == 1
    assert world.findings()[0].organisation == world.own


@only(PAIR)
def test_the_same_two_always(world: SupervisionWorld) -> None:
    other = staff("approver-qian", agency=world.own, roles=("approver",))

    def approve(case: str, approver: Any, writer: Any = world.li) -> None:
        world.wrote("case.submit", f"case:{case}", writer)
        world.wrote("case.approve", f"case:{case}", approver)

    for number in range(9):
        approve(f"a-{number}", world.zhao)
    assert world.run() == 0  # there is no other approver
    approve("b", other, world.chen)
    approve("c", world.zhao)
    assert world.run() == 1
    assert world.findings()[0].officers == ("clerk-li", "approver-zhao")
    for number in range(30):  # another approver's share of Chen's is 50 of 100
        approve(f"d-{number}", (world.zhao, other)[number % 2], world.chen)
    assert world.run() == 0


@only(ROW)
def test_refused_again_and_again(world: SupervisionWorld) -> None:
    thief = staff("clerk-8", agency=EIGHT)
    for minute in (0, 1):
        world.wrote("office.refused", "agency:7", thief, after=minute * MINUTE, office=world.own)
    world.wrote("case.draft", "case:1", thief, after=2 * MINUTE)
    world.wrote("office.refused", "agency:7", thief, after=3 * MINUTE, office=world.own)
    assert world.run() == 0
    for minute in (4, 5):
        world.wrote("office.refused", "agency:7", thief, after=minute * MINUTE, office=world.own)
    assert world.run() == 1
    assert world.findings()[0].organisation == world.own
    for minute in range(6, 12):
        world.wrote("office.refused", "agency:7", thief, after=minute * MINUTE, office=world.own)
    assert world.run() == 0


@only(FAST, BULK, LATE, HOURS, PAIR, ROW)
def test_a_rule_read_again_finds_nothing_twice(world: SupervisionWorld) -> None:
    world.approved("办-1")
    for index in range(5):
        world.wrote("verification.record", f"v-{index}")
    first = world.run()
    assert first == 2
    changed = rules(FAST.replace("60", "61"), BULK.replace("60", "59"), LATE, HOURS, PAIR, ROW)
    watch = Watch(world.database, rules=changed, clock=world.clock)
    assert watch.run().findings == 0  # other thresholds are looked for from the beginning
    assert len(world.findings()) == 2


@only(FAST, BULK, HOURS, ROW)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["case.submit", "case.approve", "verification.record", "office.refused"]),
            st.integers(0, 2),
            st.integers(0, 40),
        ),
        max_size=25,
    ),
    cuts=st.sets(st.integers(0, 25), max_size=4),
)
def test_in_portions_or_at_once_the_same_is_found(
    world: SupervisionWorld, steps: list[tuple[str, int, int]], cuts: set[int]
) -> None:
    def keys(portions: bool) -> set[str]:  # noqa: FBT001 - read at its two calls
        with world.database.transaction() as session:
            for table in ("line", "cursor", "running", "tally", "finding"):
                session.execute(text(f"DELETE FROM supervision_{table}"))  # noqa: S608 - our own names
            for table in ("entry", "tile", "checkpoint", "inbox"):
                session.execute(text(f"DELETE FROM audit_{table}"))  # noqa: S608 - our own names
        minute = 0
        for place, (action, person, later) in enumerate(steps):
            minute += later
            actor = staff(f"clerk-{person}", agency=world.own)
            world.wrote(action, f"case:{person}", actor, after=minute * MINUTE)
            if portions and place in cuts:
                world.run()
        world.run()
        with world.database.reading() as session:
            return set(session.scalars(text("SELECT id FROM supervision_finding")))

    assert keys(portions=True) == keys(portions=False)


@only(FAST)
def test_a_finding_is_explained_and_closed(world: SupervisionWorld) -> None:
    world.approved("办-1")
    world.run()
    (found,) = world.findings()
    inspection = world.begin()
    with pytest.raises(Conflict, match="explained"):
        world.supervision.close(inspection.id, found.id, words="属实", actor=world.sun)
    for actor in (world.chen, world.sun, staff("approver-8", agency=EIGHT, roles=("approver",))):
        with pytest.raises(NotFound):
            world.supervision.explain(found.id, words="系统演练", actor=actor)
    explained = world.supervision.explain(found.id, words="系统演练，材料已另行审查。", actor=world.zhao)
    assert (explained.state, explained.explanation and explained.explanation.by) == (
        FindingState.EXPLAINED,
        "staff:approver-zhao",
    )
    with pytest.raises(NotFound):
        world.supervision.close(world.begin(world.eight).id, found.id, words="属实", actor=world.eight)
    with pytest.raises(NotPermitted):
        world.supervision.close(inspection.id, found.id, words="属实", actor=world.zhao)
    closed = world.supervision.close(inspection.id, found.id, words="属实，予以办结。", actor=world.sun)
    assert closed.state is FindingState.CLOSED
    with pytest.raises(Conflict):
        world.supervision.explain(found.id, words="再说明", actor=world.zhao)
    with pytest.raises(InvalidClaims):
        world.supervision.explain(found.id, words="\x1b[2J", actor=world.zhao)
    assert world.findings() == []
    assert "finding.explain" in world.actions(By.OFFICER, "approver-zhao")


@only(BULK.replace("verification.record", "inspection.search"))
def test_nobody_closes_a_finding_about_themselves(world: SupervisionWorld) -> None:
    for _ in range(5):
        world.search(By.OFFICER, "clerk-li")
    world.run()
    (found,) = world.findings()
    assert found.officers == ("inspector-sun",)
    world.supervision.explain(found.id, words="专项检查", actor=world.sun)
    with pytest.raises(NotPermitted, match="themselves"):
        world.supervision.close(world.begin().id, found.id, words="好", actor=world.sun)
    chief = staff("inspector-chief", agency=world.own, roles=("inspector",))
    inspection = world.begin(chief)
    assert world.supervision.close(inspection.id, found.id, words="属实", actor=chief).state == "closed"


def both(pki: Pki, database: Database) -> SupervisionWorld:
    return SupervisionWorld(pki, database, looked_for=rules(FAST, BULK, LATE, PAIR))


def test_two_watches_at_once_find_it_once(pki: Pki, database: Database) -> None:
    world = both(pki, database)
    for number in range(40):
        world.wrote("case.submit", f"case:{number}")
        world.wrote("case.approve", f"case:{number}", world.zhao)
    world.sequence()
    start, errors = threading.Barrier(3), []

    def run() -> None:
        start.wait()
        try:
            world.watch.run()
        except YinxinError as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.watch.run()
    assert errors == []
    with database.reading() as session:
        lines = session.execute(text("SELECT count(*) FROM supervision_line")).scalar_one()
        found = session.execute(text("SELECT count(*) FROM supervision_finding")).scalar_one()
        told = session.execute(text("SELECT sum(count) FROM supervision_tally WHERE name='approver-zhao'"))
        assert (lines, found, told.scalar_one()) == (80, 40, 80)


def test_of_two_inspectors_one_closes(pki: Pki, database: Database) -> None:
    world = both(pki, database)
    world.wrote("case.submit", "case:1")
    world.wrote("case.approve", "case:1", world.zhao)
    world.run()
    (found,) = world.findings()
    world.supervision.explain(found.id, words="已说明", actor=world.zhao)
    chief = staff("inspector-chief", agency=world.own, roles=("inspector",))
    start, outcomes = threading.Barrier(2), []

    def close(actor: Any) -> None:
        inspection = world.begin(actor)
        start.wait()
        try:
            outcomes.append(
                str(world.supervision.close(inspection.id, found.id, words="办结", actor=actor).state)
            )
        except YinxinError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=close, args=(actor,)) for actor in (world.sun, chief)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed", "conflict"]


def test_working_days_of_2026() -> None:
    calendar = national()
    noon = datetime(2026, 9, 24, 4, tzinfo=UTC)
    # Mid-autumn and the National Day lie between, and two weekends that are worked.
    assert calendar.after(noon, 5).isoformat() == "2026-10-10T00:00:00+08:00"
    late = datetime(2026, 9, 24, 15, 59, tzinfo=UTC)
    assert calendar.after(late, 5) == calendar.after(noon, 5)
    assert WorkingDays().after(datetime(2027, 1, 1, tzinfo=UTC), 1).isoformat() == "2027-01-05T00:00:00+08:00"
    for days in (0, -1, 1001):
        with pytest.raises(UsageError):
            calendar.after(noon, days)
    for broken in ("[[", "[2026]\nholidays=['13-40']\nworked=[]", "[2026]\nworked=[]", "x=1"):
        with pytest.raises(UsageError):
            WorkingDays.read(broken)

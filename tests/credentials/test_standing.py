"""How a licence stood: every ending × asked before, between, after × known then, known now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from credentials import samples
from credentials.licence import Cause, EndingKind, Event, EventKind, Licence, VersionKind
from credentials.standing import Standing, State, standing, standing_checks, unknown
from signing.reasons import Reason
from signing.report import Indication, Report, Scope
from yinxin.base.errors import UsageError
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

ISSUED = datetime(2026, 1, 10, 2, tzinfo=UTC)
ENDED = datetime(2026, 5, 1, tzinfo=UTC)  # from when the ending holds
RECORDED = datetime(2026, 6, 1, tzinfo=UTC)  # when the register learnt of it
_IDENTIFIER = LicenceIdentifier.make("11100000900001017N002", "1112010090000201XF", "7K2M9Q4TZ8X1B5CV3N6L")
FIRST, SECOND = str(_IDENTIFIER), str(_IDENTIFIER.with_version(2))
BEFORE, BETWEEN, AFTER = (datetime(2026, month, 15, tzinfo=UTC) for month in (3, 5, 9))


def licence(**changes: object) -> Licence:
    facts: dict[str, object] = {
        "identifier": FIRST,
        "number": "JY21201990000001",
        "type_code": "food-business-licence",
        "type_name": Text("食品经营许可证", "Food Business Licence"),
        "version": 1,
        "agency": samples.AGENCY,
        "holder_name": "津城海河糕点有限公司",
        "holder_code": samples.credit_code(1),
        "claims": {},
        "issued_at": ISSUED,
        "recorded_at": ISSUED,
        "valid_from": date(2026, 1, 10),
        "valid_until": date(2031, 1, 9),
        **changes,
    }
    return Licence(**facts)  # type: ignore[arg-type]


def event(kind: EndingKind | EventKind, effective: datetime = ENDED, recorded: datetime = RECORDED) -> Event:
    later = SECOND if kind is EndingKind.SUPERSEDED else None
    return Event(kind, effective, recorded, "法律依据", "文号", "staff:clerk-17", later)


# What happened (effective 1 May, recorded 1 June; what follows it: 1 August), and how the licence stands when
# one asks about 15 March (before), 15 May (between) and 15 September (after), by what was known on 31 May
# (then), on 1 July (meanwhile) and on 15 September (now). Written by hand, from the law, not from the code.
TABLE = """
                           | known then         | known meanwhile    | known now
what happened              | bef.  betw. after  | bef.  betw. after  | bef.  betw. after
nothing                    | force force force  | force force force  | force force force
expired                    | force force force  | force EXPIR EXPIR  | force EXPIR EXPIR
deregistered               | force force force  | force DEREG DEREG  | force DEREG DEREG
annulled                   | force force force  | ANNUL ANNUL ANNUL  | ANNUL ANNUL ANNUL
withdrawn                  | force force force  | force WITHD WITHD  | force WITHD WITHD
revoked                    | force force force  | force REVOK REVOK  | force REVOK REVOK
replaced                   | force force force  | force SUPER SUPER  | force SUPER SUPER
renewed                    | force force force  | force SUPER SUPER  | force SUPER SUPER
changed                    | force force force  | force SUPER SUPER  | force SUPER SUPER
corrected                  | force force force  | SUPER SUPER SUPER  | SUPER SUPER SUPER
merged into another        | force force force  | force SUPER SUPER  | force SUPER SUPER
split                      | force force force  | force SUPER SUPER  | force SUPER SUPER
suspended                  | force force force  | force PAUSE PAUSE  | force PAUSE PAUSE
suspended, resumed         | force force force  | force PAUSE PAUSE  | force PAUSE force
suspended, revoked         | force force force  | force PAUSE PAUSE  | force PAUSE REVOK
suspended, undone          | force force force  | force PAUSE PAUSE  | force force force
expired, undone            | force force force  | force EXPIR EXPIR  | force force force
deregistered, undone       | force force force  | force DEREG DEREG  | force force force
annulled, undone           | force force force  | ANNUL ANNUL ANNUL  | force force force
withdrawn, undone          | force force force  | force WITHD WITHD  | force force force
revoked, undone            | force force force  | force REVOK REVOK  | force force force
death reported             | force force force  | force PAUSE PAUSE  | force PAUSE PAUSE
death reported, contested  | force force force  | force PAUSE PAUSE  | force PAUSE force
death reported, confirmed  | force force force  | force PAUSE PAUSE  | force PAUSE DEREG
the version that corrects  | unkno unkno unkno  | force force force  | force force force
the version that changes   | unkno unkno unkno  | notye force force  | notye force force
"""
STATES = {
    "force": State.IN_FORCE,
    "EXPIR": State.EXPIRED,
    "DEREG": State.DEREGISTERED,
    "ANNUL": State.ANNULLED,
    "WITHD": State.WITHDRAWN,
    "REVOK": State.REVOKED,
    "SUPER": State.SUPERSEDED,
    "PAUSE": State.SUSPENDED,
    "unkno": State.UNKNOWN,
    "notye": State.NOT_YET_VALID,
}
KNOWN = {
    "then": RECORDED - timedelta(days=1),
    "meanwhile": RECORDED + timedelta(days=30),
    "now": AFTER,
}
ASKED = {"before": BEFORE, "between": BETWEEN, "after": AFTER}
LATER = datetime(2026, 8, 1, tzinfo=UTC)


def superseded(kind: VersionKind) -> Event:
    others = kind in {VersionKind.MERGED, VersionKind.SPLIT}
    since = licence().starts_at if kind is VersionKind.CORRECTED else ENDED
    taken: dict[str, Any] = {"successors": (SECOND,)} if others else {"replaced_by": SECOND}
    return Event(
        EndingKind.SUPERSEDED,
        since,
        RECORDED,
        "依据",
        "文号",
        "staff:a",
        version_kind=kind,
        sequence=1,
        **taken,
    )


def numbered(kind: EndingKind | EventKind, sequence: int = 1, **more: Any) -> Event:
    when = ENDED if sequence == 1 else more.pop("since", LATER)
    recorded = RECORDED if sequence == 1 else LATER
    return Event(kind, when, recorded, "依据", "文号", "staff:a", sequence=sequence, **more)


def undone() -> Event:
    return numbered(EventKind.UNDONE, 2, since=ENDED, undoes=1)


DEATH = numbered(EventKind.SUSPENDED, cause=Cause.DEATH_REPORTED)
HISTORIES: dict[str, list[Event]] = {
    "nothing": [],
    **{str(kind): [numbered(kind)] for kind in EndingKind if kind is not EndingKind.SUPERSEDED},
    **{
        f"{kind}, undone": [numbered(kind), undone()]
        for kind in EndingKind
        if kind is not EndingKind.SUPERSEDED
    },
    "replaced": [superseded(VersionKind.REPLACED)],
    "renewed": [superseded(VersionKind.RENEWED)],
    "changed": [superseded(VersionKind.CHANGED)],
    "corrected": [superseded(VersionKind.CORRECTED)],
    "merged into another": [superseded(VersionKind.MERGED)],
    "split": [superseded(VersionKind.SPLIT)],
    "suspended": [numbered(EventKind.SUSPENDED)],
    "suspended, resumed": [numbered(EventKind.SUSPENDED), numbered(EventKind.RESUMED, 2)],
    "suspended, revoked": [numbered(EventKind.SUSPENDED), numbered(EndingKind.REVOKED, 2)],
    "suspended, undone": [numbered(EventKind.SUSPENDED), undone()],
    "death reported": [DEATH],
    "death reported, contested": [DEATH, numbered(EventKind.RESUMED, 2, cause=Cause.DEATH_CONTESTED)],
    "death reported, confirmed": [DEATH, numbered(EndingKind.DEREGISTERED, 2, cause=Cause.DEATH_CONFIRMED)],
}
ROWS = [
    (what.strip(), known, asked, STATES[word])
    for what, *cells in (line.split("|") for line in TABLE.strip().splitlines()[2:])
    for known, cell in zip(KNOWN, cells, strict=True)
    for asked, word in zip(ASKED, cell.split(), strict=True)
]


@pytest.mark.parametrize(("what", "known", "asked", "wanted"), ROWS)
def test_the_table_of_endings(what: str, known: str, asked: str, wanted: State) -> None:
    later = {"version": 2, "replaces": FIRST, "issued_at": RECORDED, "recorded_at": RECORDED}
    subject = {
        "the version that corrects": licence(**later, effective_from=licence().starts_at),
        "the version that changes": licence(**later, effective_from=ENDED),
    }.get(what, licence())
    events = HISTORIES.get(what, [])
    found = standing(subject, events, as_of=ASKED[asked], known_at=KNOWN[known])
    assert found.state is wanted
    assert found.holds is (wanted is State.IN_FORCE)


def test_the_table_has_every_ending_and_its_undoing() -> None:
    named = {what for what, *_ in ROWS}
    assert named == {*HISTORIES, "the version that corrects", "the version that changes"}
    assert len(ROWS) == 9 * len(named)


def test_a_superseded_licence_is_genuine_and_never_revoked() -> None:
    found = standing(licence(), [event(EndingKind.SUPERSEDED)], as_of=AFTER, known_at=AFTER)
    assert found.text.en == "genuine, superseded by version 002 on 2026-05-01"
    assert "第 002 版" in found.text.zh
    checks = standing_checks(found)
    report = report_of(*checks)
    assert report.reasons == {Reason.LICENCE_SUPERSEDED}
    assert report.indication is Indication.FAILED
    assert all(check.scope is Scope.NOW for check in checks), "it says nothing against the day it was sealed"


def report_of(*checks: object) -> Report:  # type: ignore[type-arg]
    return Report("licence", "00", AFTER, AFTER, tuple(checks))  # type: ignore[arg-type]


def test_two_verdicts_for_a_later_ending() -> None:
    events = [event(EndingKind.REVOKED)]
    then = standing(licence(), events, as_of=BEFORE, known_at=AFTER)
    now = standing(licence(), events, as_of=AFTER, known_at=AFTER)
    report = report_of(*standing_checks(now, then=then))
    assert (report.then, report.indication) == (Indication.PASSED, Indication.FAILED)
    assert report.reasons == {Reason.LICENCE_REVOKED}


def test_an_annulled_licence_was_never_valid_at_any_time() -> None:
    events = [event(EndingKind.ANNULLED)]
    now = standing(licence(), events, as_of=AFTER, known_at=AFTER)
    report = report_of(*standing_checks(now))
    assert (report.then, report.indication) == (Indication.FAILED, Indication.FAILED)
    assert report.reasons == {Reason.LICENCE_ANNULLED}
    assert (
        standing(licence(), events, as_of=ISSUED - timedelta(days=9), known_at=AFTER).state is State.ANNULLED
    )


def test_an_ended_licence_may_still_be_found_void() -> None:
    events = [event(EndingKind.DEREGISTERED), event(EndingKind.ANNULLED, AFTER, AFTER)]
    assert standing(licence(), events, as_of=BEFORE, known_at=AFTER).state is State.ANNULLED


def test_suspended_and_resumed() -> None:
    events = [
        event(EventKind.SUSPENDED, datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        event(EventKind.RESUMED, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)),
    ]
    states = [
        standing(licence(), events, as_of=when, known_at=AFTER).state for when in (BEFORE, BETWEEN, AFTER)
    ]
    assert states == [State.IN_FORCE, State.SUSPENDED, State.IN_FORCE]
    pause = standing(licence(), events, as_of=BETWEEN, known_at=AFTER)
    assert report_of(*standing_checks(pause)).reasons == {Reason.LICENCE_SUSPENDED}


def test_an_ending_outlasts_a_pause_and_the_last_day() -> None:
    events = [
        event(EventKind.SUSPENDED, datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        event(EndingKind.REVOKED),
    ]
    late = datetime(2040, 1, 1, tzinfo=UTC)
    assert standing(licence(), events, as_of=BETWEEN, known_at=AFTER).state is State.REVOKED
    assert standing(licence(), events, as_of=late, known_at=late).state is State.REVOKED


def test_the_last_day_counts_to_its_end_in_the_agencys_time() -> None:
    last_moment = datetime(2031, 1, 9, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Beijing
    known = datetime(2032, 1, 1, tzinfo=UTC)
    assert standing(licence(), as_of=last_moment, known_at=known).state is State.IN_FORCE
    expired = standing(licence(), as_of=last_moment + timedelta(seconds=1), known_at=known)
    assert expired.state is State.EXPIRED
    assert report_of(*standing_checks(expired)).reasons == {Reason.LICENCE_EXPIRED}
    assert standing(licence(valid_until=None), as_of=known, known_at=known).holds


def test_before_its_first_day_it_is_not_in_force() -> None:
    found = standing(licence(), as_of=datetime(2026, 1, 9, 15, tzinfo=UTC), known_at=AFTER)
    assert found.state is State.NOT_YET_VALID
    assert report_of(*standing_checks(found)).reasons == {Reason.NOT_YET_VALID}


def test_a_later_version_holds_from_its_sealing_on() -> None:
    second = licence(version=2, replaces="x", issued_at=ENDED, recorded_at=ENDED)
    assert standing(second, as_of=BEFORE, known_at=AFTER).state is State.NOT_YET_VALID
    assert standing(second, as_of=ENDED, known_at=AFTER).state is State.IN_FORCE


def test_what_the_register_did_not_know_is_unknown() -> None:
    found = standing(licence(), as_of=AFTER, known_at=ISSUED - timedelta(seconds=1))
    assert found.state is State.UNKNOWN
    nowhere = unknown(as_of=AFTER, known_at=AFTER)
    report = report_of(*standing_checks(nowhere))
    assert report.reasons == {Reason.LICENCE_UNKNOWN}
    assert report.indication is Indication.INDETERMINATE


@pytest.mark.parametrize(
    ("as_of", "met", "overdue"), [(BEFORE, False, False), (AFTER, False, True), (AFTER, True, False)]
)
def test_a_commitment_shows_its_day(as_of: datetime, *, met: bool, overdue: bool) -> None:
    events = [event(EventKind.COMMITMENT_MET, BETWEEN, BETWEEN)] if met else []
    found = standing(licence(commitment_due=date(2026, 7, 1)), events, as_of=as_of, known_at=AFTER)
    assert found.commitment_is_overdue is overdue
    _, check = standing_checks(found)
    assert "2026-07-01" in check.detail
    assert "2026年7月1日" in check.detail
    assert check.reason is (Reason.COMMITMENT_OVERDUE if overdue else None)
    assert check.scope is Scope.NOW
    assert found.to_dict()["commitment"] == {"due": "2026-07-01", "met": met, "overdue": overdue}


def test_a_commitment_is_due_until_the_end_of_its_day() -> None:
    promised = licence(commitment_due=date(2026, 7, 1))
    end = datetime(2026, 7, 1, 15, 59, tzinfo=UTC)
    assert not standing(promised, as_of=end, known_at=AFTER).commitment_is_overdue
    assert standing(promised, as_of=end + timedelta(minutes=1), known_at=AFTER).commitment_is_overdue


def test_every_state_has_words_and_its_own_reason() -> None:
    reasons = set()
    for state in State:
        found = Standing(state, AFTER, AFTER, since=ENDED)
        assert found.text.zh
        reasons.add(standing_checks(found)[0].reason)
    assert len(reasons) == len(State)


def test_only_a_superseding_names_a_next_version() -> None:
    with pytest.raises(UsageError):
        Event(EndingKind.REVOKED, ENDED, RECORDED, "g", "d", "a", replaced_by=SECOND)
    with pytest.raises(UsageError):
        Event(EndingKind.SUPERSEDED, ENDED, RECORDED, "g", "d", "a")

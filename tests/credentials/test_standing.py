"""How a licence stood: every ending × asked before, between, after × known then, known now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from credentials import samples
from credentials.licence import EndingKind, Event, EventKind, Licence
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


ENDINGS = [kind for kind in EndingKind if kind is not EndingKind.ANNULLED]


@pytest.mark.parametrize("kind", EndingKind)
@pytest.mark.parametrize("known", ["then", "now"])
@pytest.mark.parametrize("asked", ["before", "between", "after"])
def test_the_table_of_endings(kind: EndingKind, known: str, asked: str) -> None:
    as_of = {"before": BEFORE, "between": BETWEEN, "after": AFTER}[asked]
    known_at = AFTER if known == "now" else RECORDED - timedelta(days=1)
    if known == "then":
        wanted = State.IN_FORCE  # nobody knew of an ending yet, whatever day is asked about
    elif kind is EndingKind.ANNULLED:
        wanted = State.ANNULLED  # as if it had never been valid
    else:
        wanted = State.IN_FORCE if asked == "before" else State(kind)
    found = standing(licence(), [event(kind)], as_of=as_of, known_at=known_at)
    assert found.state is wanted
    assert found.holds is (wanted is State.IN_FORCE)


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

"""A list at work: who might issue what, when it was issued and today; and how long an old list serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from world.pki import NOON, TestAuthority

from signing.reasons import Reason
from signing.report import Indication, Scope, worst
from signing.trust import TrustAnchor
from signing.trust_list import Issued, ListedIssuer, ListedType, ServingList, TrustList
from yinxin.base.text import Text

DAY = timedelta(days=1)
FOOD, FOOD_CODE = "urn:city:food", "11120101MB1A000000001"
SUBJECT, CODE = "CN=津城区市场监管局 凭证签发", "11120101MB1A000000"
OTHER_CODE = "11120101MB1B000000"
START, PAUSE, RESUME, END = (datetime(2026, month, 1, tzinfo=UTC) for month in (2, 4, 6, 9))
Status = Literal["granted", "suspended", "withdrawn"]


def row(status: Status, since: datetime) -> ListedType:
    return ListedType(FOOD, status, since, FOOD_CODE)


def bureau(*types: ListedType) -> ListedIssuer:
    return ListedIssuer(Text("津城区市场监管局", "Bureau"), CODE, (SUBJECT,), ("q.city.example",), types)


def serving(*types: ListedType, grace: timedelta = 3 * DAY) -> ServingList:
    anchor = TrustAnchor(TestAuthority("根").certificate, frozenset({"seal"}), Text("根", "root"))
    listed = TrustList("city", 7, 1, NOON - DAY, NOON + DAY, (anchor,), (bureau(*types),), "d" * 64)
    return ServingList(listed, grace)


LIFE = (row("granted", START), row("suspended", PAUSE), row("granted", RESUME), row("withdrawn", END))
NEVER, HELD, FAILED, OPEN = "never", Indication.PASSED, Indication.FAILED, Indication.INDETERMINATE


def test_a_withdrawal_that_leaves_the_type_code_out_is_about_the_code_too() -> None:
    office = bureau(row("granted", START), ListedType(FOOD, "withdrawn", END))
    for kind in (FOOD, FOOD_CODE):
        found = [office.standing(kind, at) for at in (START, END)]
        assert [one and one.status for one in found] == ["granted", "withdrawn"]
    assert [one.status for one in office.history()[FOOD_CODE]] == ["granted", "withdrawn"]
    assert office.standing("", END) is None


@pytest.mark.parametrize("is_proved", [True, False])
@pytest.mark.parametrize(
    ("status", "made", "then", "now"),
    [
        # What the list says today, when it was issued: the verdicts then and now, by the issuer's word.
        ("granted", START - DAY, FAILED, FAILED),
        ("granted", START, HELD, HELD),
        ("granted", PAUSE - DAY, HELD, HELD),
        ("granted", PAUSE, FAILED, FAILED),
        ("granted", RESUME, HELD, HELD),
        ("suspended", START, HELD, OPEN),
        ("suspended", PAUSE, FAILED, FAILED),
        ("withdrawn", START, HELD, OPEN),
        ("withdrawn", PAUSE, FAILED, FAILED),
        ("withdrawn", RESUME, HELD, OPEN),
        ("withdrawn", END - DAY, HELD, OPEN),
        ("withdrawn", END, FAILED, FAILED),
    ],
)
def test_a_permission_counts_when_it_was_issued_and_today(
    status: str, made: datetime, then: Indication, now: Indication, *, is_proved: bool
) -> None:
    rows = {"suspended": LIFE[:2], "granted": LIFE[:3], "withdrawn": LIFE}[status]
    checks = serving(*rows).check(Issued(FOOD, subject=SUBJECT, made=made, is_proved=is_proved), now=NOON)
    assert worst(checks, Scope.THEN) is then
    # A trusted time proves that a permission had not been lost yet.
    assert worst(checks, Scope.NOW) is (then if is_proved else now)


def reasons(found: ServingList, now: datetime = NOON, **about: Any) -> set[Reason]:
    asked = Issued(**{"kind": FOOD, "subject": SUBJECT, "made": NOON - DAY, **about})
    return {check.reason for check in found.check(asked, now=now) if check.reason}


def test_the_reasons_say_what_was_lost() -> None:
    assert reasons(serving(*LIFE), made=RESUME) == {Reason.ISSUER_PERMISSION_WITHDRAWN}
    assert reasons(serving(*LIFE[:2]), made=START) == {Reason.ISSUER_PERMISSION_SUSPENDED}
    assert reasons(serving(*LIFE)) == {Reason.ISSUER_NOT_PERMITTED}


def test_an_issuer_is_known_by_its_certificate() -> None:
    found = serving(LIFE[0])
    assert reasons(found) == set()
    assert reasons(found, subject="CN=somebody") == {Reason.ISSUER_NOT_PERMITTED}
    assert reasons(found, subject=None) == {Reason.ISSUER_NOT_PERMITTED}
    assert reasons(found, subject=None, credit_codes=("1", CODE)) == set()
    assert reasons(found, kind=FOOD_CODE) == set()
    assert reasons(found, kind="urn:city:trade") == {Reason.ISSUER_NOT_PERMITTED}
    assert reasons(found, kind="") == {Reason.ISSUER_NOT_PERMITTED}
    assert reasons(found, kind=None) == set()
    assert reasons(serving(LIFE[3]), kind=None) == {Reason.ISSUER_NOT_PERMITTED}


def test_nobody_issues_copies_of_another_agencys_licence() -> None:
    assert reasons(serving(LIFE[0]), agency=CODE) == set()
    assert reasons(serving(LIFE[0]), agency=OTHER_CODE) == {Reason.ISSUER_MISMATCH}


def test_an_old_list_serves_within_its_grace_and_says_so() -> None:
    found = serving(LIFE[0])
    fresh, stale, over = NOON, NOON + 2 * DAY, NOON + 4 * DAY
    assert reasons(found, fresh) == reasons(found, stale) == set()
    assert reasons(found, over) == {Reason.TRUST_LIST_UNAVAILABLE}
    assert "serves until 2026-11-24" in found.check_age(stale).detail
    assert len(found.trust(stale)) == 1
    assert len(found.trust(over)) == 0
    assert reasons(replace(found, grace=timedelta(0)), stale) == {Reason.TRUST_LIST_UNAVAILABLE}


def test_without_the_list_that_is_demanded_nothing_passes() -> None:
    nothing = ServingList(None)
    assert reasons(nothing) == {Reason.TRUST_LIST_UNAVAILABLE}
    assert (len(nothing.trust(NOON)), nothing.hosts, nothing.snapshots) == (0, frozenset(), {})
    assert serving().snapshots == {"trust_list": "d" * 64}

"""Events, mistakes and changes by hand in any order: one current version, and nothing ends by a rumour."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from world.databases import with_tables
from world.subjects import FOOD, PHYSICIAN, SubjectWorld

from credentials.licence import EndingKind
from yinxin.app.subjects.values import EventKind, EventState
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.pki import Pki

EXAMPLES = 40 if os.environ.get("YINXIN_CAMPAIGN") == "full" else 4
NEW = "津城新海河糕点有限公司"
WHY = {"ground": "《中华人民共和国食品安全法》", "document_number": "津城监罚〔2026〕9号"}


@pytest.fixture
def city(pki: Pki, tmp_path: Path) -> Iterator[SubjectWorld]:
    found = with_tables(f"sqlite:///{tmp_path / 'city.db'}")
    yield SubjectWorld(pki, found).without_pages()
    found.close()


def rows(city: SubjectWorld, query: str) -> list[Any]:
    with city.database.reading() as session:
        return [tuple(row) for row in session.execute(text(query))]


KINDS = st.sampled_from(
    [
        EventKind.RENAMED, EventKind.REPRESENTATIVE_CHANGED, EventKind.DISSOLVED, EventKind.MERGED,
        EventKind.RESTORED, "suspend", "resume", "revoke",
    ]
)  # fmt: skip
DEATHS = st.sampled_from(
    [
        EventKind.DEATH_REPORTED,
        EventKind.DEATH_CONTESTED,
        EventKind.DEATH_CONFIRMED,
        EventKind.RESTORED,
        "end",
    ]
)


@pytest.mark.campaign
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(DEATHS, min_size=1, max_size=6))
def test_no_order_of_deaths_and_mistakes_ends_what_was_only_reported(
    city: SubjectWorld, kinds: list[Any]
) -> None:
    physician = city.give(PHYSICIAN, 2)
    person = {"subject": city.person_subject}
    ended_by_hand = False
    for kind in kinds:
        try:
            if kind == "end":
                identifier = city.versions(physician)[-1].identifier
                city.issuer.end(identifier, EndingKind.WITHDRAWN, actor=city.clerk, **WHY)
                ended_by_hand = True
            else:
                city.happen(kind, **{**person, **undoing(city, kind)})
        except YinxinError:
            continue
        assert_one_current(city)
    confirmed = {"death_confirmed"} & {str(one.facts.kind) for one in standing(city)}
    state = city.now_standing(physician)
    if not ended_by_hand and not confirmed:
        assert state in {"in_force", "suspended"}
    clean_up(city, person)


@pytest.mark.campaign
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(KINDS, min_size=1, max_size=5))
def test_no_order_of_events_leaves_two_current_versions(city: SubjectWorld, kinds: list[Any]) -> None:
    food = city.give(FOOD, 3)
    for number, kind in enumerate(kinds):
        try:
            act(city, food, kind, number)
        except YinxinError:
            continue
        assert_one_current(city)
    clean_up(city, {"subject": city.company_subject})


def act(city: SubjectWorld, food: Any, kind: Any, number: int) -> None:
    identifier = city.versions(food)[-1].identifier
    facts = {"actor": city.clerk, **WHY}
    if kind == "suspend":
        city.issuer.suspend(identifier, **facts)
    elif kind == "resume":
        city.issuer.resume(identifier, **facts)
    elif kind == "revoke":
        city.issuer.end(identifier, EndingKind.REVOKED, **facts)
    else:
        more: dict[str, Any] = {
            EventKind.RENAMED: {"name": f"{NEW}{number}"},
            EventKind.REPRESENTATIVE_CHANGED: {"representative": f"王{number}"},
            EventKind.MERGED: {"name": "津城大海河集团有限公司", "into": city.successor},
        }.get(kind, {})
        city.happen(kind, **more, **undoing(city, kind))


def standing(city: SubjectWorld) -> list[Any]:
    done = [one for one in city.recent() if one.state is EventState.DONE and one.undone_by is None]
    return [one for one in done if one.facts.undoes is None]


def undoing(city: SubjectWorld, kind: Any) -> dict[str, str]:
    """Contests and restorations take back the last event that stands; without one, anything."""
    if kind not in {EventKind.DEATH_CONTESTED, EventKind.RESTORED}:
        return {}
    found = sorted(standing(city), key=lambda one: one.begun_at, reverse=True)
    return {"undoes": found[0].id if found else "nothing"}


def assert_one_current(city: SubjectWorld) -> None:
    counts = rows(city, "SELECT count(*) FROM licence WHERE is_current GROUP BY lineage")
    assert set(counts) <= {(1,)}
    open_ones = rows(city, "SELECT count(*) FROM subject_effect WHERE outcome = 'pending'")
    assert open_ones == [(0,)]


def clean_up(city: SubjectWorld, subject: dict[str, Any]) -> None:
    """Take back all that stands, so that the next story begins with the same person or company."""
    while standing(city):
        city.happen(EventKind.RESTORED, **subject, **undoing(city, EventKind.RESTORED))

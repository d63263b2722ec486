"""Whatever becomes of a licence goes over the desk: one writes, another reviews, a third approves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.desks import DeskWorld
from world.quick import without_pages

from credentials import samples
from credentials.office import CaseState, Work, WorkKind
from credentials.office.cases import KINDS
from credentials.office.making import MAKERS
from credentials.standing import State
from yinxin.base.errors import Conflict, InvalidClaims, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

    from credentials.licence import Licence

FOOD = "food-business-licence"
WHY = {"ground": "《中华人民共和国行政许可法》第四十九条", "document_number": "津城审变〔2026〕3号"}


@pytest.fixture
def desk(pki: Pki) -> Iterator[DeskWorld]:
    database = with_tables()
    made = DeskWorld(pki, database)
    without_pages(made.issuer)
    yield made
    database.close()


def claims(**other: Any) -> dict[str, Any]:
    return {**samples.application(FOOD, 1), **other}


def done(desk: DeskWorld, kind: WorkKind, licence: Licence | str, number: str, **work: Any) -> Any:
    """A case of this kind, agreed to by three people and carried out."""
    name = licence if isinstance(licence, str) else licence.identifier
    stated = {"claims": claims(business_premises="新华路 9 号")} if KINDS[kind].states else {"claims": {}}
    return desk.sealed(number, **{"kind": kind, "licence": name, **stated, **WHY, **work})


@pytest.mark.parametrize("kind", [WorkKind.CORRECT, WorkKind.CHANGE, WorkKind.REPLACE, WorkKind.RENEW])
def test_a_next_version(desk: DeskWorld, kind: WorkKind) -> None:
    old = desk.sealed().licence
    new = done(desk, kind, old, "办-2").licence
    assert (new.number, new.version, new.replaces) == (old.number, 2, old.identifier)
    assert desk.standing(old.identifier).state is State.SUPERSEDED


def test_a_change_holds_from_the_day_that_was_approved(desk: DeskWorld) -> None:
    old = desk.sealed().licence
    day = desk.now + timedelta(hours=1)
    desk.clock.advance(timedelta(hours=5))
    new = done(desk, WorkKind.CHANGE, old, "办-2", details={"effective_from": day.isoformat()}).licence
    assert new.starts_at == day


def test_pauses_endings_and_undoings(desk: DeskWorld) -> None:
    name = desk.sealed().licence.identifier
    steps: list[tuple[WorkKind, dict[str, Any], State]] = [
        (WorkKind.SUSPEND, {}, State.SUSPENDED),
        (WorkKind.RESUME, {}, State.IN_FORCE),
        (WorkKind.END, {"ending": "revoked"}, State.REVOKED),
        (WorkKind.UNDO, {"event": 3}, State.IN_FORCE),
        (WorkKind.SUSPEND, {"cause": "death_reported"}, State.SUSPENDED),
        (WorkKind.END, {"ending": "deregistered", "cause": "death_confirmed"}, State.DEREGISTERED),
    ]
    for place, (kind, details, state) in enumerate(steps):
        done(desk, kind, name, f"办-{place + 2}", details=details)
        assert desk.standing(name).state is state
    events = desk.issuer.events_of(name)
    assert [str(one.kind) for one in events] == [
        "suspended", "resumed", "revoked", "undone", "suspended", "deregistered",
    ]  # fmt: skip


def test_a_merger_and_a_split(desk: DeskWorld) -> None:
    first = desk.sealed().licence
    second = desk.sealed("办-2", claims=claims(business_premises="新华路 11 号")).licence
    merged = done(
        desk,
        WorkKind.MERGE,
        first,
        "办-3",
        more_licences=(second.identifier,),
        details={"into": first.identifier},
    ).licence
    assert (merged.number, merged.origins) == (first.number, (second.identifier,))
    parts = done(
        desk,
        WorkKind.SPLIT,
        merged,
        "办-4",
        details={"parts": [claims(business_premises="新华路 13 号")], "goes_on": True},
    )
    assert parts.licence.version == 3
    case = desk.desk.numbered("办-4", actor=desk.li)
    assert (case.state, case.sealed_as) == (CaseState.SEALED, parts.licence.identifier)


def test_a_case_whose_licence_ended_meanwhile_is_a_clear_conflict(desk: DeskWorld) -> None:
    old = desk.sealed().licence
    case = desk.approved(
        "办-2", kind=WorkKind.CORRECT, licence=old.identifier, claims=claims(business_premises="9 号"), **WHY
    )
    done(desk, WorkKind.END, old, "办-3", details={"ending": "revoked"})
    with pytest.raises(Conflict, match="revoked"):
        desk.desk.seal(case.id, actor=desk.li)
    assert desk.desk.case(case.id, actor=desk.li).state is CaseState.APPROVED


@pytest.mark.parametrize(
    ("kind", "details", "named"),
    [
        (WorkKind.END, {}, "details.ending"),
        (WorkKind.END, {"ending": "superseded"}, "details.ending"),
        (WorkKind.END, {"ending": 7}, "details.ending"),
        (WorkKind.END, {"ending": "revoked", "cause": "boredom"}, "details.cause"),
        (WorkKind.UNDO, {"event": True}, "details.event"),
        (WorkKind.UNDO, {"event": 0}, "details.event"),
        (WorkKind.SUSPEND, {"effective_from": "yesterday"}, "details.effective_from"),
        (WorkKind.SUSPEND, {"effective_from": "2026-11-01T00:00:00"}, "details.effective_from"),
        (WorkKind.SPLIT, {"parts": []}, "details.parts"),
        (WorkKind.SPLIT, {"parts": ["x"]}, "details.parts"),
        (WorkKind.SPLIT, {"parts": [{"x": 1}]}, "x"),
        (WorkKind.SPLIT, {"parts": [{}], "goes_on": 1}, "details.goes_on"),
    ],
)
def test_what_cannot_be_meant_is_named(
    desk: DeskWorld, kind: WorkKind, details: dict[str, Any], named: str
) -> None:
    name = desk.issue().licence.identifier
    stated = claims() if KINDS[kind].states else {}
    with pytest.raises(InvalidClaims) as refused:
        desk.drafted("办-2", kind=kind, licence=name, claims=stated, details=details, **WHY)
    assert named in {field for field, _ in refused.value.faults}


def test_a_merger_goes_into_one_of_its_own(desk: DeskWorld) -> None:
    first, second = desk.issue().licence.identifier, desk.issue().licence.identifier
    with pytest.raises(InvalidClaims, match="into"):
        desk.drafted(
            kind=WorkKind.MERGE, licence=first, more_licences=(second,), details={"into": "1.2.3"}, **WHY
        )


def test_every_kind_has_a_row_and_a_maker() -> None:
    assert set(KINDS) == set(MAKERS) == set(WorkKind)
    for kind, row in KINDS.items():
        if row.licences[0]:
            with pytest.raises(UsageError):
                Work(kind, FOOD, {})

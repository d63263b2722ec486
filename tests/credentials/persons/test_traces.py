"""What people left beside their licences is told to them, kept for its time, and forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text
from sqlmodel import SQLModel

from credentials import samples
from credentials.foreign.records import FOREIGN
from credentials.persons import Held, Holding, Retention
from credentials.persons.traces import CorrectionHolding, DisputeHolding, ForeignHolding

if TYPE_CHECKING:
    from typing import Any

    from world.persons import PersonWorld

    from credentials.licence import Licence

PHYSICIAN = "physician-certificate"
YEAR = timedelta(days=366)


@pytest.fixture
def licence(world: PersonWorld) -> Licence:
    return world.sealed(type_code=PHYSICIAN, claims=samples.application(PHYSICIAN, 1)).licence


def put(world: PersonWorld, table: str, **values: Any) -> None:
    with world.database.transaction() as session:
        session.execute(insert(SQLModel.metadata.tables[table]).values(**values))


def a_dispute(world: PersonWorld, licence: Licence, *, state: str) -> None:
    put(
        world,
        "dispute",
        number="D1",
        agency=licence.agency.credit_code,
        kind="wrong",
        state=state,
        opened_by="holder",
        is_holder=True,
        secret=b"s" * 32,
        licence=licence.identifier,
        type_code=PHYSICIAN,
        fields=["practice_place"],
        words="执业地点写错了",
        answers=[],
        received_at=world.now,
        due_at=world.now,
        changed_at=world.now,
        step=0,
    )


def a_correction(world: PersonWorld, licence: Licence, *, state: str) -> None:
    put(
        world,
        "source_correction",
        id="c1",
        agency=licence.agency.credit_code,
        licence=licence.identifier,
        field="practice_place",
        authority=licence.agency.credit_code,
        words="应为中医医院",
        state=state,
        case_number="",
        note="",
        asked_by="clerk-li",
        asked_at=world.now,
        decided_at=world.now if state == "settled" else None,
    )


def a_foreign_entry(world: PersonWorld, licence: Licence) -> None:
    with world.database.transaction() as session:
        session.execute(
            insert(FOREIGN).values(
                type_code="passport",
                number="E 123",
                type_zh="护照",
                type_en="passport",
                issuer_code="x",
                issuer_zh="移民局",
                issuer_en="immigration",
                verify_at="https://example.gov",
                holder_index=world.index.of("holder", licence.holder_code),
                valid_from=world.now.date(),
                valid_until=world.now.date(),
                source="s",
                kept_by="y",
                recorded_at=world.now,
            )
        )


def held(world: PersonWorld, room: Holding, person: str) -> list[Held]:
    with world.database.reading() as session:
        return room.of(session, person)


def forgotten(world: PersonWorld, room: Holding) -> int:
    """Erase what is over; how many that was."""
    with world.database.reading() as session:
        over = room.over(session, now=world.now, limit=10)
        assert [one.key for one in room.named(session, [one.key for one in over], now=world.now)] == [
            one.key for one in over
        ]
    with world.database.transaction() as session:
        room.erase(session, over, at=world.now)
    return len(over)


def test_words_of_disputes_and_requests(world: PersonWorld, licence: Licence) -> None:
    retention = Retention(10)
    for room, make, closed in (
        (DisputeHolding(world.index, retention), a_dispute, "answered"),
        (CorrectionHolding(world.index, retention), a_correction, "settled"),
    ):
        make(world, licence, state=closed)
        (one,) = held(world, room, licence.holder_code)
        assert one.content["words"]
        assert held(world, room, "somebody else") == []
        assert forgotten(world, room) == 0
    world.clock.advance(YEAR)
    for room in (DisputeHolding(world.index, retention), CorrectionHolding(world.index, retention)):
        assert forgotten(world, room) == 1
        assert forgotten(world, room) == 0
        assert held(world, room, licence.holder_code) == []


def test_what_is_still_open_stays(world: PersonWorld, licence: Licence) -> None:
    a_dispute(world, licence, state="received")
    a_correction(world, licence, state="open")
    world.clock.advance(YEAR * 20)
    for room in (DisputeHolding(world.index, Retention(1)), CorrectionHolding(world.index, Retention(1))):
        (one,) = held(world, room, licence.holder_code)
        assert not one.may_go(world.now)
        assert forgotten(world, room) == 0


def test_nothing_leads_from_a_person_to_others_registers(world: PersonWorld, licence: Licence) -> None:
    a_foreign_entry(world, licence)
    room = ForeignHolding(world.index, Retention(1))
    (one,) = held(world, room, licence.holder_code)
    assert one.key == "passport E 123"
    world.clock.advance(YEAR * 2)
    assert forgotten(world, room) == 1
    assert held(world, room, licence.holder_code) == []
    with world.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM foreign_licence")).scalar_one() == 1

"""No look-up reads the whole register: the databases say how they would answer each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from benchmarks import register
from sqlalchemy import event, text

from credentials.batches.repository import BatchRepository
from credentials.office.notices.repository import NoticeRepository
from credentials.repository import LicenceRepository
from credentials.status_records import StatusRecords
from verify_api.repository import VerificationRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

    from yinxin.base.database import Database

COUNT, ONE = 400, 107  # a licence with two versions


def licences(session: Session) -> LicenceRepository:
    return LicenceRepository(session, index=register.INDEX)


QUESTIONS: dict[str, Callable[[Session], object]] = {
    "identifier": lambda session: licences(session).by_identifier(register.current(ONE)),
    "number": lambda session: licences(session).by_number(register.number(ONE)),
    "number of a type": lambda session: licences(session).by_number(
        register.number(ONE), type_code=register.TYPE
    ),
    "file": lambda session: licences(session).by_pdf(register.digest("pdf 1", ONE)),
    "holder": lambda session: licences(session).of_holder(register.holder(ONE)),
    "versions": lambda session: licences(session).versions(register.identifier(ONE)),
    "events": lambda session: licences(session).events(register.identifier(ONE)),
    "copies": lambda session: licences(session).copies(register.current(ONE)),
    "locked": lambda session: licences(session).for_change(register.current(ONE)),
    "not indexed yet": lambda session: licences(session).index_holders() + 1,
    "status": lambda session: StatusRecords(session).value(*register.place(ONE)) == 0,
    "changed statuses": lambda session: list(StatusRecords(session).other_than_valid(register.uri(0))) == [],
    "statuses changed since": lambda session: (
        list(StatusRecords(session).changed_since(register.uri(0), 3)) == []
    ),
    "statuses as they were": lambda session: (
        list(StatusRecords(session).changed_until(register.uri(0), register.FIRST)) == []
    ),
    "applications": lambda session: BatchRepository(session).issued("agency", ["a", "b"]) == {},
    "who accepted": lambda session: (
        VerificationRepository(session).departments_that_accepted(register.current(ONE)) == []
    ),
    "notices that wait": lambda session: NoticeRepository(session).waiting("a department", limit=9) == [],
    "drafts": lambda session: BatchRepository(session).drafts_before(register.FIRST) == [],
}


@pytest.fixture
def filled(database: Database) -> Database:
    register.fill(database, COUNT)
    return database


def test_every_look_up_uses_an_index(filled: Database) -> None:
    for name, question in QUESTIONS.items():
        statements = asked(filled, question)
        assert statements, name
        for statement, values in statements:
            plan = plan_of(filled, statement, values)
            assert reads_all(plan) == [], (name, statement, plan)


def test_the_test_would_see_a_scan(filled: Database) -> None:
    statement = "SELECT identifier FROM licence WHERE holder_name = 'nobody'"
    assert reads_all(plan_of(filled, statement, ()))


def asked(database: Database, question: Callable[[Session], object]) -> list[tuple[str, Any]]:
    """The statements that a question becomes, as they reach the database."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            heard.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with database.transaction() as session:
            assert question(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return heard


def plan_of(database: Database, statement: str, values: Any) -> list[str]:
    with database.transaction() as session:
        connection = session.connection()
        if (
            not database.is_sqlite
        ):  # in a small table a scan is right; what counts is whether it could be avoided
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        rows = connection.exec_driver_sql(explain + statement, values).all()
    return [str(row[-1]) for row in rows]


def reads_all(plan: list[str]) -> list[str]:
    """The steps that read a whole table, or sort what an index could hand over in order."""
    return [step for step in plan if "Seq Scan" in step or step.startswith("SCAN ")]

"""A change is kept or it is not; both databases behave alike."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, String, Table, insert, select, update
from sqlmodel import SQLModel

from yinxin.base.database import Database, UtcDateTime, schema_differences
from yinxin.base.errors import Conflict, MalformedInput, Unreachable, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlmodel import Session
    from world.databases import PostgreSQL

NOTES = Table(
    "test_note",
    SQLModel.metadata,
    Column("name", String(50), primary_key=True),
    Column("at", UtcDateTime),
    Column("count", Integer, nullable=False, default=0),
)
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(NOTES.c.name).order_by(NOTES.c.name)))


def test_a_transaction_keeps_all_or_nothing(database: Database) -> None:
    with database.transaction() as session:
        session.execute(insert(NOTES), {"name": "kept"})
    with pytest.raises(RuntimeError), database.transaction() as session:
        _write_then_fail(session)
    assert names(database) == ["kept"]


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    beijing = NOON.astimezone(timezone(timedelta(hours=8)))
    with database.transaction() as session:
        session.execute(insert(NOTES), [{"name": "a", "at": beijing}, {"name": "b", "at": None}])
    with database.reading() as session:
        found = list(session.scalars(select(NOTES.c.at).order_by(NOTES.c.name)))
        assert session.scalar(select(NOTES.c.name).where(NOTES.c.at == beijing)) == "a"
    assert found == [NOON, None]
    assert found[0].tzinfo is UTC


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(UsageError, match="zone"), database.transaction() as session:
        session.execute(insert(NOTES), {"name": "a", "at": datetime(2026, 1, 1)})  # noqa: DTZ001 - the point


def test_a_broken_rule_is_a_conflict(database: Database) -> None:
    with pytest.raises(Conflict, match="test_note"), database.transaction() as session:
        session.execute(insert(NOTES), [{"name": "secret"}, {"name": "secret"}])


def test_a_reading_cannot_write(database: Database) -> None:
    with pytest.raises(UsageError), database.reading() as session:
        session.execute(insert(NOTES), {"name": "a"})
    assert names(database) == []
    with database.transaction() as session:  # and the connection is none the worse
        session.execute(insert(NOTES), {"name": "a"})


def test_a_reading_is_one_consistent_picture(database: Database) -> None:
    with ThreadPoolExecutor(1) as elsewhere, database.reading() as session:
        assert session.scalars(select(NOTES.c.name)).all() == []
        elsewhere.submit(_write, database, "meanwhile").result()
        assert session.scalars(select(NOTES.c.name)).all() == []
    assert names(database) == ["meanwhile"]


def test_sessions_do_not_nest(database: Database) -> None:
    with database.transaction():
        with pytest.raises(UsageError), database.transaction():
            pass
        with pytest.raises(UsageError), database.reading():
            pass
    with database.reading() as outer:
        with database.reading() as inner:
            assert inner is outer
        with pytest.raises(UsageError), database.transaction():
            pass


def test_writers_in_many_threads_lose_nothing(database: Database) -> None:
    _write(database, "counter")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: _count_up(database), range(200)))
    with database.reading() as session:
        assert session.scalar(select(NOTES.c.count)) == 200


def test_in_memory_is_shared_by_threads() -> None:
    database = Database("sqlite://")
    database.create_schema()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: _write(database, f"n{i:02}"), range(50)))
        assert all(len(found) == 50 for found in pool.map(lambda _: names(database), range(20)))
    database.close()


def test_a_connection_that_is_busy_when_its_database_closes_is_closed_after(database_url: str) -> None:
    """A thread that reads a moment longer leaves no connection open that nobody has any more."""
    database = Database(database_url)
    with database.reading() as session:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        database.close()
        assert session.execute(select(1)).scalar_one() == 1
    if database.is_sqlite:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            driver.execute("SELECT 1")
    else:
        assert driver.closed


def test_a_database_that_was_closed_can_be_used_again(database_url: str) -> None:
    database = Database(database_url)
    database.close()
    for _ in range(2):
        with database.reading() as session:
            assert session.execute(select(1)).scalar_one() == 1
    database.close()


def test_a_missing_table_says_so(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(UsageError, match="never set up"):
        names(database)
    database.close()


@pytest.mark.parametrize("text", ["\ud800", "a\x00b"])
def test_text_that_cannot_be_stored_is_malformed(database: Database, text: str) -> None:
    if text == "a\x00b" and database.is_sqlite:
        pytest.skip("SQLite stores it")
    with pytest.raises(MalformedInput):
        _write(database, text)


def test_no_database_is_unreachable(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/a.db", f"postgresql://nobody@/none?host={tmp_path}"):
        database = Database(url)
        with pytest.raises(Unreachable):
            database.create_schema()
        database.close()


def test_a_server_that_was_restarted_is_found_again(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.fresh())
    database.create_schema()
    _write(database, "before")
    with pytest.raises(Unreachable), database.transaction() as session:
        _restart_between(session, postgresql)
    assert names(database) == ["before"]
    database.close()


def test_a_file_of_another_kind_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 100)
    database = Database(f"sqlite:///{tmp_path}/letter.db")
    with pytest.raises(Unreachable, match="NOTADB"):
        database.create_schema()
    database.close()


@pytest.mark.parametrize("url", ["", "no url", "mysql://host/db", "oracle://x", "sqlite+aiosqlite://"])
def test_an_unknown_kind_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Database(url)


def test_a_file_is_private_and_durable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/private.db")
    database.create_schema()
    with database.transaction() as session:
        connection = session.connection()
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SETTINGS}
    assert settings == SETTINGS
    assert (tmp_path / "private.db").stat().st_mode & 0o077 == 0
    database.close()


SETTINGS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_tables_agree_with_the_code(database: Database) -> None:
    assert schema_differences(database) == []


def test_differences_are_seen(database: Database) -> None:
    with database.connection() as connection:
        connection.exec_driver_sql("DROP TABLE test_note")
    assert [step[0] for step in schema_differences(database)] == ["add_table"]


def _write(database: Database, name: str) -> None:
    with database.transaction() as session:
        session.execute(insert(NOTES), {"name": name})


def _write_then_fail(session: Session) -> None:
    session.execute(insert(NOTES), {"name": "lost"})
    raise RuntimeError


def _restart_between(session: Session, server: PostgreSQL) -> None:
    session.execute(insert(NOTES), {"name": "lost"})
    server.restart()
    session.execute(insert(NOTES), {"name": "lost too"})


def _count_up(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(NOTES).values(count=NOTES.c.count + 1))

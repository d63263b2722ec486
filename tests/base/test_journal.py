"""One thread writes for all; what it answered is stored, and nobody pays for a neighbour's mistake."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import pytest

from yinxin.base import once
from yinxin.base.errors import Conflict, TooManyRequests, UsageError
from yinxin.base.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlmodel import Session

    from yinxin.base.database import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def journal(database: Database) -> Iterator[Journal]:
    with Journal(database) as journal:
        yield journal


def using(value: str) -> Callable[[Session], str]:
    def work(session: Session) -> str:
        once.consume(session, "test", value, expires_at=NOON)
        return value

    return work


def stored(database: Database) -> int:
    with database.connection() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM once_consumed").scalar() or 0)


def test_an_answer_comes_after_the_commit(database: Database, journal: Journal) -> None:
    assert journal.submit(using("a")).result() == "a"
    assert stored(database) == 1


def test_a_failing_work_does_not_spoil_its_neighbours(database: Database) -> None:
    gate = Event()
    with Journal(database) as journal:
        journal.submit(lambda _: gate.wait())  # so that the others are committed as one group
        futures = [journal.submit(using(str(i % 7))) for i in range(20)]
        broken = journal.submit(_write_then_fail)
        wrong_sql = journal.submit(
            lambda session: session.connection().exec_driver_sql("SELECT * FROM nothing")
        )
        after = journal.submit(using("after"))
        gate.set()
    outcomes = [future.exception() for future in futures]
    assert sum(outcome is None for outcome in outcomes) == 7
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome)
    assert isinstance(broken.exception(), RuntimeError)
    assert isinstance(wrong_sql.exception(), UsageError)
    assert after.result() == "after"
    assert stored(database) == 8


def test_closing_drains_and_then_refuses(database: Database) -> None:
    journal = Journal(database)
    futures = [journal.submit(using(str(i))) for i in range(500)]
    journal.close()
    assert [future.result(0) for future in futures] == [str(i) for i in range(500)]
    with pytest.raises(UsageError):
        journal.submit(using("late"))
    journal.close()


def test_a_full_queue_is_said_at_once(database: Database) -> None:
    gate, running = Event(), Event()
    with Journal(database, queue_size=2) as journal:
        journal.submit(lambda _: _hold(running, gate))
        running.wait()
        kept = [journal.submit(using(str(i))) for i in range(2)]
        with pytest.raises(TooManyRequests):
            journal.submit(using("too many"))
        gate.set()
    assert [future.result() for future in kept] == ["0", "1"]


def test_when_the_connection_breaks_the_answer_is_still_what_is_stored(database: Database) -> None:
    gate = Event()
    with Journal(database) as journal:
        journal.submit(lambda _: gate.wait())
        before = journal.submit(using("x"))
        journal.submit(lambda session: session.connection().invalidate())
        gate.set()
    if before.exception() is None:
        assert stored(database) == 1
    else:
        assert stored(database) == 0


def test_a_cancelled_work_is_not_done(database: Database) -> None:
    gate, running = Event(), Event()
    with Journal(database) as journal:
        journal.submit(lambda _: _hold(running, gate))
        running.wait()
        future = journal.submit(using("never"))
        assert future.cancel()
        gate.set()
    assert stored(database) == 0


def test_routes_can_wait_without_blocking(database: Database, journal: Journal) -> None:
    async def route(value: str) -> str:
        return await asyncio.wrap_future(journal.submit(using(value)))

    async def many() -> list[str]:
        return list(await asyncio.gather(*(route(str(i)) for i in range(50))))

    assert asyncio.run(many()) == [str(i) for i in range(50)]


def test_many_threads_submit(database: Database, journal: Journal) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: journal.submit(using(str(i))).result(), range(400)))
    assert stored(database) == 400


def _write_then_fail(session: Session) -> None:
    once.consume(session, "test", "half done", expires_at=NOON)
    raise RuntimeError


def _hold(running: Event, gate: Event) -> None:
    running.set()
    gate.wait()

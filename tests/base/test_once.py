"""A value is used once, whoever comes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from yinxin.base import once
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from yinxin.base.database import Database, Session

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def use(database: Database, value: str, scope: str = "nonce") -> bool:
    try:
        with database.transaction() as session:
            once.consume(session, scope, value, expires_at=NOON)
    except Conflict:
        return False
    return True


def test_of_a_hundred_at_once_exactly_one_wins(database: Database) -> None:
    start = Barrier(100)

    def consumer(_: int) -> bool:
        start.wait()
        return use(database, "the nonce")

    with ThreadPoolExecutor(100) as pool:
        assert sum(pool.map(consumer, range(100))) == 1
    assert not use(database, "the nonce")


def test_scopes_do_not_mix(database: Database) -> None:
    assert use(database, "b", scope="a")
    assert use(database, "ab", scope="")
    assert use(database, "b", scope="c")
    assert not use(database, "b", scope="a")


def test_what_was_rolled_back_was_not_used(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        _use_then_fail(session)
    assert use(database, "x")


def test_a_conflict_leaves_the_transaction_usable(database: Database) -> None:
    assert use(database, "x")
    with database.transaction() as session:
        with pytest.raises(Conflict):
            once.consume(session, "nonce", "x", expires_at=NOON)
        once.consume(session, "nonce", "y", expires_at=NOON)
    assert not use(database, "y")


def test_expired_values_are_forgotten(database: Database) -> None:
    assert use(database, "x")
    with database.transaction() as session:
        assert once.purge(session, now=NOON) == 0
        assert once.purge(session, now=NOON + timedelta(seconds=1)) == 1
    assert use(database, "x")


def test_the_value_itself_is_not_stored(database: Database) -> None:
    use(database, "tell nobody")
    with database.connection() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM once_consumed").all()
    assert b"tell nobody" not in bytes(rows[0][0])


def _use_then_fail(session: Session) -> None:
    once.consume(session, "nonce", "x", expires_at=NOON)
    raise RuntimeError

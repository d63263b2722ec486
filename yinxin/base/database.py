"""Open the database, SQLite or PostgreSQL, and hand out short sessions.

What stands here: how a connection is set up so that an acknowledged commit survives a power cut, how
writers queue instead of failing, how times are stored, and how the drivers' errors become ours. Tables
stand in the rooms' `records` modules, queries in their repositories; neither ever commits.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, TypeDecorator, create_engine, event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from yinxin.base.errors import Conflict, MalformedInput, Unreachable, UsageError, YinxinError
from yinxin.base.sealed import VAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL, Connection, Dialect, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

    from yinxin.base.vault import Vault

__all__ = ["Database", "Session", "UtcDateTime", "schema_differences", "translated"]

BUSY_SECONDS = 30.0  # how long a writer waits for its turn before it gives up
CONNECT_SECONDS = 5

# What is open in this thread or task, by the database's id: a reading session, or None for a transaction.
_OPEN: ContextVar[Mapping[int, Session | None]] = ContextVar("open sessions", default={})  # noqa: B039 - never changed in place


class UtcDateTime(TypeDecorator[datetime]):
    """A column of aware UTC times; a naive time is refused with `UsageError`.

    SQLite keeps them as text without a zone, PostgreSQL as `timestamptz`; both to the microsecond.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """An aware time becomes what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise UsageError("a time without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """What the database kept, as an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One database: `sqlite:///file`, `sqlite://` (in memory) or `postgresql://…`.

    `vault` seals its columns of personal data (`yinxin.base.sealed`). Safe to share between threads. A
    transaction stands alone: no other session of this database may be open in the same thread or task. A
    reading inside a reading is the same session again.
    """

    def __init__(self, url: str = "sqlite:///yinxin.db", *, vault: Vault | None = None) -> None:
        parsed = _driver_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.in_memory = self.is_sqlite and parsed.database in {None, "", ":memory:"}
        self.engine = _sqlite_engine(parsed, self.in_memory) if self.is_sqlite else _postgresql_engine(parsed)
        self.vault = vault
        setattr(self.engine.dialect, VAULT, vault)  # where the column types find it
        self._writing = self.engine.execution_options(yinxin_writes=True)
        self._reading = self.engine if self.is_sqlite else _consistent(self.engine)
        # SQLite's busy handler is no queue: without this lock one thread can starve the others.
        self._turn = threading.Lock()
        self._is_closed = False
        if not self.in_memory:  # there the one connection is the database
            event.listen(self.engine, "checkin", self._let_go)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that writes: committed at the end, rolled back when an exception leaves.

        On SQLite writers take turns (`BEGIN IMMEDIATE`), so that what was read stays true until the
        commit. `Conflict`: a constraint is broken, or somebody else was faster. `Unreachable`: no
        database, or no turn within 30 seconds.
        """
        session = Session(self._writing, expire_on_commit=False)
        with self._alone(), self._waiting(self.is_sqlite), translated(), session:
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads: one consistent picture of the data, from its first query on."""
        outer = _OPEN.get().get(id(self))
        if outer is not None:
            yield outer
            return
        session = Session(self._reading, expire_on_commit=False)
        with self._alone(session), self._waiting(self.in_memory), translated(), session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A transaction on the bare connection, for changes to the tables themselves."""
        with self._alone(), self._waiting(self.is_sqlite), translated(), self._writing.begin() as connection:
            yield connection

    def create_schema(self) -> None:
        """Create the missing tables of every imported `records` module."""
        with self.connection() as connection:
            SQLModel.metadata.create_all(connection)

    def migrate(self) -> None:
        """Bring the tables to their newest form by the migrations shipped with the package."""
        from yinxin.base import schema  # noqa: PLC0415 - Alembic takes 0.2 s to import

        with self.connection() as connection:
            schema.upgrade(connection)

    def is_migrated(self) -> bool:
        """Whether every migration of this version, and none of a later one, was run here."""
        from yinxin.base import schema  # noqa: PLC0415 - Alembic takes 0.2 s to import

        with self.reading() as session:
            return schema.is_newest(session.connection())

    def close(self) -> None:
        """Give all connections back, those in use as soon as they are free; one in memory is gone then."""
        self._is_closed = True
        self.engine.dispose()

    def _let_go(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """A connection that comes back late would lie open in a pool that nobody has any more."""
        if self._is_closed:
            record.invalidate()

    @contextmanager
    def _alone(self, session: Session | None = None) -> Iterator[None]:
        opened = _OPEN.get()
        if id(self) in opened:
            raise UsageError("a session is open here already: use it, or leave it first")
        token = _OPEN.set({**opened, id(self): session})
        try:
            yield
        finally:
            _OPEN.reset(token)

    def _waiting(self, needed: bool) -> AbstractContextManager[object]:  # noqa: FBT001 - private, read at its calls
        return _turn(self._turn) if needed else nullcontext()


def schema_differences(database: Database) -> list[Any]:
    """What a migration would still have to change, as Alembic's operations; empty when tables and code agree.

    Compares with the tables of every imported `records` module.
    """
    from yinxin.base import schema  # noqa: PLC0415 - Alembic takes 0.2 s to import

    with database.connection() as connection:
        return schema.differences(connection)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of SQLAlchemy and its drivers into ours; sessions of `Database` do so already."""
    try:
        yield
    except exc.StatementError as error:  # the root of SQLAlchemy's errors about one statement
        raise _ours(error) from error
    except exc.TimeoutError as error:
        raise Unreachable("no free connection to the database", retry_after=timedelta(seconds=1)) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise MalformedInput("database value", "the database cannot store it") from error


def _driver_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise UsageError("the database address is not a URL such as sqlite:///yinxin.db") from error
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise UsageError(f"no database of the kind {parsed.drivername}: sqlite or postgresql")
    return parsed


def _sqlite_engine(url: URL, in_memory: bool) -> Engine:  # noqa: FBT001 - private, one call
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    pool = {"poolclass": StaticPool} if in_memory else {"pool_size": 8, "max_overflow": 56}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool)

    @event.listens_for(engine, "do_connect")
    def keep_private(_dialect: object, _record: object, _args: object, _options: object) -> None:
        """A new file is readable by its owner only; SQLite gives its side files the same mode."""
        if not in_memory:
            with suppress(OSError):  # SQLite itself says better what is wrong
                os.close(os.open(Path(url.database or ""), os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        with suppress(connection.OperationalError):  # another process is just doing the same
            connection.execute("PRAGMA journal_mode = WAL")
        for setting in ("synchronous = FULL", "foreign_keys = ON", "fullfsync = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("yinxin_writes", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        # At once the writer: a deferred BEGIN that writes later fails when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    arguments = {"connect_timeout": CONNECT_SECONDS, "options": "-c timezone=UTC"}
    try:
        return create_engine(
            url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=8
        )
    except ImportError as error:
        raise UsageError("PostgreSQL needs the extra: yinxin[postgres]") from error


def _consistent(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def _turn(lock: threading.Lock) -> Iterator[None]:
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise Unreachable("the database is busy", retry_after=timedelta(seconds=1))
    try:
        yield
    finally:
        lock.release()


def _ours(error: exc.StatementError) -> YinxinError:  # noqa: PLR0911 - a table of cases
    cause: Any = error.orig
    if isinstance(cause, YinxinError):  # from a column type of ours
        return cause
    state = getattr(cause, "sqlstate", None)
    if isinstance(error, exc.IntegrityError):
        rule = getattr(getattr(cause, "diag", None), "constraint_name", None)
        return Conflict(f"a rule of the tables is broken: {rule or cause}")
    if isinstance(error, exc.DataError):
        return MalformedInput("database value", "the database cannot store it")
    if state == "42P01" or "no such table" in str(cause):
        return UsageError("the database has no such table: it was never set up, or by an older version")
    if state in {"40001", "40P01"}:
        return Conflict("somebody else changed the same data meanwhile")
    if isinstance(error, exc.DBAPIError) and not _is_refusal(cause):
        return Unreachable(f"the database fails: {_summary(cause)}", retry_after=timedelta(seconds=1))
    return UsageError(f"the database refuses the statement: {_summary(cause)}")


def _is_refusal(cause: Any) -> bool:
    """Whether the statement is to blame; the drivers' classes do not tell that reliably."""
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 1) & 0xFF in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY}
    # 0A not supported, 25 transaction state (read only), 26 and 42 syntax and names
    return str(getattr(cause, "sqlstate", "")).startswith(("0A", "25", "26", "42"))


def _summary(cause: object) -> str:
    """The name of a driver's error; never its message, which may repeat data."""
    return str(getattr(cause, "sqlite_errorname", None) or type(cause).__name__)

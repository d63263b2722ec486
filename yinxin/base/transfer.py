"""Carry a whole database to files and back: SQLite as its own copy, PostgreSQL as one file for each table.

Everything is read in one transaction, so the copy is of one moment, while others go on writing. What the
files are for, and whether they are whole, is the caller's knowledge (`yinxin.app.backup`). The database
holds our tables and no other program's.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text
from sqlmodel import Session

from yinxin.base import schema
from yinxin.base.errors import Conflict, MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from yinxin.base.database import Database

SQLITE_FILE = "database.sqlite"
VERSIONS = "alembic_version"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the kind of database, its last migration, and the columns of each table's file."""

    kind: str
    revision: str
    tables: Mapping[str, tuple[str, ...]]


def copy_out(
    database: Database,
    session: Session,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Copied:
    """Copy the database as this reading session sees it into an empty folder."""
    connection = session.connection()
    revision = schema.revision(connection)
    if not database.is_sqlite:
        return Copied("postgresql", revision, _copy_tables(connection, folder, progress))
    if database.in_memory:
        raise UsageError("a database in memory is not backed up")
    _create(folder / SQLITE_FILE)
    with closing(sqlite3.connect(folder / SQLITE_FILE)) as target:
        _driver(connection).backup(target)
        # One file, without the side files of a database at work.
        target.execute("PRAGMA journal_mode = DELETE")
    progress(1, 1)
    return Copied("sqlite", revision, {})


def copy_in(
    database: Database,
    copied: Copied,
    folder: Path,
    *,
    finish: Callable[[Session], None],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Fill an empty PostgreSQL database from `copy_out`'s files; `Conflict` when it is not empty.

    Its tables are of this version then. `finish` works in the same transaction, when all else is done.
    SQLite's copy is a database itself: its file is put where the new one should be.
    """
    if database.is_sqlite or copied.kind != "postgresql":
        raise UsageError("a backup goes back into the kind of database that it was taken from")
    with database.connection() as connection:
        if inspect(connection).get_table_names():
            raise Conflict("the database is not empty: restore into one without any table")
        schema.upgrade(connection, to=copied.revision)
        names = _in_order(connection, list(copied.tables))
        for done, name in enumerate(names):
            _fill(connection, name, copied.tables[name], folder / f"{name}.copy")
            progress(done + 1, len(names))
        _set_sequences(connection, copied.tables)
        schema.upgrade(connection)
        with Session(connection) as session:
            finish(session)
            session.commit()


def _copy_tables(
    connection: Connection, folder: Path, progress: Callable[[int, int], None]
) -> dict[str, tuple[str, ...]]:
    inspector = inspect(connection)
    names = sorted(set(inspector.get_table_names()) - {VERSIONS})
    tables: dict[str, tuple[str, ...]] = {}
    for done, name in enumerate(names):
        tables[name] = tuple(column["name"] for column in inspector.get_columns(name))
        _create(folder / f"{name}.copy")
        query = f"COPY {_quoted(name)} ({_columns(tables[name])}) TO STDOUT"
        with (
            (folder / f"{name}.copy").open("wb") as file,
            _driver(connection).cursor() as cursor,
            cursor.copy(query) as rows,
        ):
            for chunk in rows:
                file.write(chunk)
        progress(done + 1, len(names))
    return tables


def _fill(connection: Connection, name: str, columns: tuple[str, ...], path: Path) -> None:
    known = {column["name"] for column in inspect(connection).get_columns(name)}
    if not set(columns) <= known:
        raise MalformedInput("backup", f"the table {name} has columns that its version does not have")
    query = f"COPY {_quoted(name)} ({_columns(columns)}) FROM STDIN"
    with path.open("rb") as file, _driver(connection).cursor() as cursor, cursor.copy(query) as rows:
        while chunk := file.read(_CHUNK):
            rows.write(chunk)


def _set_sequences(connection: Connection, tables: Mapping[str, tuple[str, ...]]) -> None:
    """Have counters go on behind the rows that were put back."""
    for name, columns in tables.items():
        for column in columns:
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": name, "column": column}
            ).scalar()
            if sequence:
                newest = f"SELECT setval(:sequence, coalesce(max({_quoted(column)}), 0) + 1, false)"
                connection.execute(text(f"{newest} FROM {_quoted(name)}"), {"sequence": sequence})


def _in_order(connection: Connection, names: list[str]) -> list[str]:
    """Tables that others refer to come before those."""
    present = [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name]
    if unknown := set(names) - set(present):
        raise MalformedInput("backup", f"a table that this version does not make: {min(unknown)}")
    return [name for name in present if name in names]


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise MalformedInput("backup", "the name of a table or column is none of ours")
    return f'"{name}"'


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _create(path: Path) -> None:
    """An empty file for its owner only."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

"""How status lists are stored, and every query about them.

An entry is a row from the moment its index is given away, and stays for ever: an index is never given
twice. Nothing commits here; `credentials.status_service` owns the meaning of the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    select,
    update,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from credentials.vocabulary import INVALID
from yinxin.base.database import UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, CursorResult
    from sqlmodel import Session

# `changes` counts up with every changed entry, so that a published token knows when it is out of date.
LISTS = Table(
    "status_list",
    SQLModel.metadata,
    Column("uri", String(200), primary_key=True),
    Column("bits", SmallInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

ENTRIES = Table(
    "status_entry",
    SQLModel.metadata,
    Column("uri", String(200), ForeignKey("status_list.uri"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("value", SmallInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_status_entry_value", "uri", "value"),
)

# What an entry became, in the order of the list's `changes`: a list as it was is read from here.
CHANGES = Table(
    "status_change",
    SQLModel.metadata,
    Column("uri", String(200), ForeignKey("status_list.uri"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("value", SmallInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)


class StatusRecords:
    """Every query about status lists, in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open_list(self, prefix: str, *, fill: float) -> tuple[str, int] | None:
        """URI and size of a list that is used to less than `fill`; the row is locked where that exists."""
        query = (
            select(LISTS.c.uri, LISTS.c.size)
            .where(LISTS.c.uri.startswith(prefix, autoescape=True), LISTS.c.used < LISTS.c.size * fill)
            .order_by(LISTS.c.created_at, LISTS.c.uri)
            .limit(1)
            .with_for_update()
        )
        row = self._session.execute(query).first()
        return (row.uri, row.size) if row else None

    def add_list(self, uri: str, *, bits: int, size: int, at: datetime) -> None:
        """Make an empty list."""
        row = {"uri": uri, "bits": bits, "size": size, "used": 0, "changes": 0, "created_at": at}
        self._session.execute(plain_insert(LISTS), row)

    def take(self, uri: str, index: int, *, at: datetime) -> bool:
        """Give an index away; False when it was given before."""
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        row = {"uri": uri, "position": index, "value": 0, "changed_at": at}
        given = dialect.insert(ENTRIES).values(row).on_conflict_do_nothing().returning(ENTRIES.c.position)
        if self._session.execute(given).first() is None:
            return False
        self._session.execute(update(LISTS).where(LISTS.c.uri == uri).values(used=LISTS.c.used + 1))
        return True

    def take_back(self, uri: str, index: int, value: int, *, at: datetime) -> bool:
        """Have an entry, also one that is not known, the value that was published; False when it stands.

        What is revoked here stays revoked.
        """
        before = self.value(uri, index)
        if before in {value, INVALID}:
            return False
        if before is None and not self.take(uri, index, at=at):
            return False
        self.set_value(uri, index, value, at=at)
        return True

    def close_lists(self) -> int:
        """Give no index of any present list away any more; returns how many lists that closes."""
        open_lists = LISTS.c.used < LISTS.c.size
        closed = update(LISTS).where(open_lists).values(used=LISTS.c.size, changes=LISTS.c.changes + 1)
        return cast("CursorResult[tuple[()]]", self._session.execute(closed)).rowcount

    def value(self, uri: str, index: int) -> int | None:
        """The value of an entry, locked where that exists; None when the index was never given away."""
        query = select(ENTRIES.c.value).where(ENTRIES.c.uri == uri, ENTRIES.c.position == index)
        found: int | None = self._session.execute(query.with_for_update()).scalar_one_or_none()
        return found

    def look(self, uri: str, index: int) -> int | None:
        """The value of an entry as it is just now, for who only reads; None as for `value`."""
        query = select(ENTRIES.c.value).where(ENTRIES.c.uri == uri, ENTRIES.c.position == index)
        found: int | None = self._session.execute(query).scalar_one_or_none()
        return found

    def set_value(self, uri: str, index: int, value: int, *, at: datetime) -> None:
        """Change an entry, count the change and keep it."""
        entry = (ENTRIES.c.uri == uri) & (ENTRIES.c.position == index)
        self._session.execute(update(ENTRIES).where(entry).values(value=value, changed_at=at))
        counted = update(LISTS).where(LISTS.c.uri == uri).values(changes=LISTS.c.changes + 1)
        number = self._session.execute(counted.returning(LISTS.c.changes)).scalar_one()
        row = {"uri": uri, "number": number, "position": index, "value": value, "changed_at": at}
        self._session.execute(plain_insert(CHANGES), row)

    def changes(self, uri: str) -> int | None:
        """How many changes the list has seen; None when there is no such list."""
        found: int | None = self._session.execute(
            select(LISTS.c.changes).where(LISTS.c.uri == uri)
        ).scalar_one_or_none()
        return found

    def shape(self, uri: str) -> tuple[int, int]:
        """Size and bits of a list that exists."""
        row = self._session.execute(select(LISTS.c.size, LISTS.c.bits).where(LISTS.c.uri == uri)).one()
        return row.size, row.bits

    def created_at(self, uri: str) -> datetime | None:
        """Since when there is such a list; None when there is none."""
        query = select(LISTS.c.created_at).where(LISTS.c.uri == uri)
        found: datetime | None = self._session.execute(query).scalar_one_or_none()
        return found

    def other_than_valid(self, uri: str) -> Iterator[tuple[int, int]]:
        """Index and value of every entry that is not 0."""
        query = select(ENTRIES.c.position, ENTRIES.c.value).where(ENTRIES.c.uri == uri, ENTRIES.c.value > 0)
        return ((row.position, row.value) for row in self._session.execute(query))

    def changed_since(self, uri: str, number: int) -> Iterator[tuple[int, int]]:
        """Index and new value of each change after that many, in their order."""
        return self._changed(CHANGES.c.uri == uri, CHANGES.c.number > number)

    def changed_until(self, uri: str, at: datetime) -> Iterator[tuple[int, int]]:
        """Index and new value of each change up to a time, in their order."""
        return self._changed(CHANGES.c.uri == uri, CHANGES.c.changed_at <= at)

    def _changed(self, *which: ColumnElement[bool]) -> Iterator[tuple[int, int]]:
        query = select(CHANGES.c.position, CHANGES.c.value).where(*which).order_by(CHANGES.c.number)
        return ((row.position, row.value) for row in self._session.execute(query))

    def uris(self, prefix: str) -> list[str]:
        """The lists under `prefix`, oldest first."""
        query = select(LISTS.c.uri).where(LISTS.c.uri.startswith(prefix, autoescape=True))
        return list(self._session.execute(query.order_by(LISTS.c.created_at, LISTS.c.uri)).scalars())

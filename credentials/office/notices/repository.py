"""Every query about notices. Never commits; the services own the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlmodel import SQLModel

from credentials.office.notices.records import NoticeRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_NOTICES: Table = SQLModel.metadata.tables[str(NoticeRecord.__tablename__)]


@dataclass(frozen=True, slots=True)
class Notice:
    """A department hears of an event (its sequence) of a version that it accepted; `fields` are names."""

    id: str
    department: str
    agency: str
    licence: str
    event: int
    fields: tuple[str, ...]
    told_at: datetime
    read_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class NoticeRepository:
    """Notices of all departments of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, notices: Sequence[Notice]) -> None:
        """Store new ones."""
        rows = [{name: getattr(one, name) for name in Notice.__slots__} for one in notices]
        if rows:
            self._session.execute(insert(_NOTICES), [{**row, "fields": list(row["fields"])} for row in rows])

    def waiting(self, department: str, *, limit: int) -> list[Notice]:
        """A department's notices that it did not acknowledge, oldest first."""
        mine = (_NOTICES.c.department == department) & _NOTICES.c.acknowledged_at.is_(None)
        query = select(_NOTICES).where(mine).order_by(_NOTICES.c.told_at, _NOTICES.c.id)
        return [_notice(row) for row in self._session.execute(query.limit(limit))]

    def find(self, notice: str, *, department: str) -> Notice | None:
        """A department's own notice."""
        query = select(_NOTICES).where(_NOTICES.c.id == notice, _NOTICES.c.department == department)
        row = self._session.execute(query).one_or_none()
        return _notice(row) if row else None

    def mark_read(self, notice: str, *, at: datetime) -> bool:
        """Note that it was handed out; False when it was before."""
        unread = (_NOTICES.c.id == notice) & _NOTICES.c.read_at.is_(None)
        return self._changed(update(_NOTICES).where(unread).values(read_at=at))

    def acknowledge(self, notice: str, *, by: str, at: datetime) -> bool:
        """Take it off the queue; False when it was before."""
        waiting = (_NOTICES.c.id == notice) & _NOTICES.c.acknowledged_at.is_(None)
        return self._changed(update(_NOTICES).where(waiting).values(acknowledged_at=at, acknowledged_by=by))

    def _changed(self, statement: Any) -> bool:
        return bool(self._session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]  # an update's result has it


def _notice(row: Any) -> Notice:
    values = {name: getattr(row, name) for name in Notice.__slots__}
    return Notice(**{**values, "fields": tuple(values["fields"])})

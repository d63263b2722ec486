"""That this database was put back from a backup, kept in the database itself: services wait for a release.

Whoever opens the database sees it, on whatever machine. What is done to a restored node is
`yinxin.app.backup`'s; here stands only who restored it, and who released it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Column, String, Table, insert, select, update
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

_RESTORATIONS = Table(
    "restoration",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("taken_at", UtcDateTime),  # None: put back by other means than a backup of ours
    Column("restored_at", UtcDateTime, nullable=False),
    Column("restored_by", String(220), nullable=False),
    Column("released_at", UtcDateTime),
    Column("released_by", String(220)),
)


@dataclass(frozen=True, slots=True)
class Restoration:
    """One time that a database was put back, not released yet."""

    id: str
    taken_at: datetime | None
    restored_at: datetime
    restored_by: str


def keep(session: Session, restoration: Restoration) -> None:
    """Remember that the database was put back."""
    names = ("id", "taken_at", "restored_at", "restored_by")
    session.execute(insert(_RESTORATIONS), {name: getattr(restoration, name) for name in names})


def unreleased(session: Session) -> Restoration | None:
    """The latest one that nobody released."""
    waiting = select(_RESTORATIONS).where(_RESTORATIONS.c.released_at.is_(None))
    row = session.execute(waiting.order_by(_RESTORATIONS.c.restored_at.desc()).limit(1)).first()
    return Restoration(row.id, row.taken_at, row.restored_at, row.restored_by) if row else None


def release(session: Session, restoration: Restoration, *, by: str, at: datetime) -> None:
    """Let services start again; `Conflict` when somebody else was faster."""
    waiting = (_RESTORATIONS.c.id == restoration.id) & _RESTORATIONS.c.released_at.is_(None)
    values = {"released_at": at, "released_by": by}
    changed = update(_RESTORATIONS).where(waiting).values(values).returning(_RESTORATIONS.c.id)
    if session.execute(changed).first() is None:
        raise Conflict("it was released meanwhile")

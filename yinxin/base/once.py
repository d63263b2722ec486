"""Single use, atomically: nonces, codes, token identifiers.

A value is consumed by inserting its digest; the database decides who is first. Verification never consumes,
only sessions, codes and acceptances do.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from sqlalchemy import Column, LargeBinary, Table, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlmodel import Session

_CONSUMED = Table(
    "once_consumed",
    SQLModel.metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)


def consume(session: Session, scope: str, value: str, *, expires_at: datetime) -> None:
    """Use up a value within its scope, in the caller's transaction.

    `Conflict` when it was consumed before; the transaction stays usable. The value itself is not stored.
    `expires_at`: when the value is refused for its age anyway and `purge` may forget it.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(_CONSUMED).values(digest=_digest(scope, value), expires_at=expires_at)
    inserted = statement.on_conflict_do_nothing().returning(_CONSUMED.c.digest)
    if session.execute(inserted).first() is None:
        raise Conflict(f"this {scope} was used before")


def purge(session: Session, *, now: datetime) -> int:
    """Forget what expired before `now`; returns how many values that were."""
    expired = delete(_CONSUMED).where(_CONSUMED.c.expires_at < now)
    return cast("CursorResult[tuple[()]]", session.execute(expired)).rowcount


def _digest(scope: str, value: str) -> bytes:
    # The length keeps ("ab", "c") apart from ("a", "bc").
    name = scope.encode("utf-8", "surrogatepass")
    return hashlib.sha256(
        len(name).to_bytes(4, "big") + name + value.encode("utf-8", "surrogatepass")
    ).digest()

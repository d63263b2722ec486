"""Every query about presentation sessions. Never commits; the service owns the transactions."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, insert, select, update

from verify_api.presentations.records import PRESENTATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class StoredPresentation:
    """A session as its row has it."""

    id: str
    request: bytes
    department: str
    state: str
    expires_at: datetime
    kept_until: datetime
    tries: int
    content: Mapping[str, Any]
    sealed: bytes
    browser: bytes | None = None
    code: bytes | None = None
    outcome: Mapping[str, Any] | None = None
    result: bytes | None = None


_NAMES = tuple(item.name for item in fields(StoredPresentation))


class PresentationRepository:
    """Presentation sessions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, made: StoredPresentation) -> None:
        """Store a new one."""
        self._session.execute(insert(PRESENTATIONS).values({name: getattr(made, name) for name in _NAMES}))

    def find(self, session_id: str, *, department: str) -> StoredPresentation | None:
        """A department's own session."""
        own = (PRESENTATIONS.c.id == session_id) & (PRESENTATIONS.c.department == department)
        return self._first(own)

    def by_request(self, digest: bytes) -> StoredPresentation | None:
        """The session that a wallet names."""
        return self._first(PRESENTATIONS.c.request == digest)

    def by_code(self, digest: bytes) -> StoredPresentation | None:
        """The session that a browser comes back to."""
        return self._first(PRESENTATIONS.c.code == digest)

    def change(self, session_id: str, *, states: tuple[str, ...], **values: Any) -> bool:
        """Change a session that is in one of these states; False when it is in none of them any more."""
        mine = (PRESENTATIONS.c.id == session_id) & PRESENTATIONS.c.state.in_(states)
        return _count(self._session.execute(update(PRESENTATIONS).where(mine).values(**values))) == 1

    def count_try(self, session_id: str) -> None:
        """Count a response that could not be read."""
        counted = PRESENTATIONS.c.tries + 1
        mine = PRESENTATIONS.c.id == session_id
        self._session.execute(update(PRESENTATIONS).where(mine).values(tries=counted))

    def burn(self) -> int:
        """Forget every session, for a node that was put back from a backup; returns how many."""
        return _count(self._session.execute(delete(PRESENTATIONS)))

    def purge(self, *, now: datetime) -> int:
        """Forget the sessions whose time is over; returns how many."""
        return _count(self._session.execute(delete(PRESENTATIONS).where(PRESENTATIONS.c.kept_until < now)))

    def _first(self, condition: Any) -> StoredPresentation | None:
        row = self._session.execute(select(PRESENTATIONS).where(condition)).first()
        return StoredPresentation(**{name: getattr(row, name) for name in _NAMES}) if row else None


def _count(result: object) -> int:
    return cast("CursorResult[tuple[()]]", result).rowcount

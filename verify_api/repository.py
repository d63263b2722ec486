"""Every query of the verification service. Never commits; the services own the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, delete, insert, select, update

from verify_api.records import DEPARTMENTS, PROPOSALS, SESSIONS, VERIFICATIONS
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlmodel import Session


# What every verification runs is built once: building a statement costs more than running it.
_ADD_SESSION, _ADD_VERIFICATION = insert(SESSIONS), insert(VERIFICATIONS)
_FIND_SESSION = select(SESSIONS).where(SESSIONS.c.nonce == bindparam("wanted"))
_ACCEPT_SESSION = update(SESSIONS).where(
    SESSIONS.c.nonce == bindparam("wanted"), SESSIONS.c.presentation.is_(None)
)
_OWN = select(VERIFICATIONS).where(VERIFICATIONS.c.department == bindparam("owner"))
_FIND_VERIFICATION = _OWN.where(VERIFICATIONS.c.id == bindparam("wanted"))
_FIND_BY_KEY = _OWN.where(VERIFICATIONS.c.idempotency_key == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class StoredDepartment:
    """A department as its row has it."""

    id: str
    version: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """An open proposal: `base` is the version of the department that it changes (0: a new one)."""

    base: int
    content: Mapping[str, Any]
    proposed_by: str


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A nonce that was given out, and what became of it."""

    department: str
    expires_at: datetime
    presentation: bytes | None
    verification: str | None


@dataclass(frozen=True, slots=True)
class StoredVerification:
    """What one verification found, without any claim."""

    id: str
    department: str
    at: datetime
    content: Mapping[str, Any]
    request: str


class DepartmentRepository:
    """Departments and proposals."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, department_id: str) -> StoredDepartment | None:
        """The department of this id."""
        row = self._session.execute(select(DEPARTMENTS).where(DEPARTMENTS.c.id == department_id)).first()
        return StoredDepartment(row.id, row.version, row.content) if row else None

    def all(self) -> list[StoredDepartment]:
        """Every department."""
        rows = self._session.execute(select(DEPARTMENTS).order_by(DEPARTMENTS.c.id))
        return [StoredDepartment(row.id, row.version, row.content) for row in rows]

    def put(self, department_id: str, version: int, content: dict[str, Any], *, at: datetime) -> None:
        """Store a version; `Conflict` unless it follows the stored one."""
        values = {"version": version, "content": content, "changed_at": at}
        if version == 1:
            self._session.execute(insert(DEPARTMENTS).values(id=department_id, **values))
            return
        mine = (DEPARTMENTS.c.id == department_id) & (DEPARTMENTS.c.version == version - 1)
        if _count(self._session.execute(update(DEPARTMENTS).where(mine).values(**values))) != 1:
            raise Conflict("the department has changed meanwhile")

    def add_proposal(
        self, proposal: str, content: dict[str, Any], *, base: int, by: str, at: datetime
    ) -> None:
        """Store an open proposal."""
        row = {"id": proposal, "base": base, "content": content, "proposed_by": by, "proposed_at": at}
        self._session.execute(insert(PROPOSALS).values(**row))

    def open_proposal(self, proposal: str) -> StoredProposal:
        """A proposal that nobody decided yet; else `NotFound` or `Conflict`."""
        row = self._session.execute(select(PROPOSALS).where(PROPOSALS.c.id == proposal)).first()
        if row is None:
            raise NotFound("no such proposal")
        if row.decision is not None:
            raise Conflict(f"the proposal was {row.decision} before")
        return StoredProposal(row.base, row.content, row.proposed_by)

    def open_proposals(self) -> list[dict[str, Any]]:
        """All open proposals, oldest first."""
        query = select(PROPOSALS).where(PROPOSALS.c.decision.is_(None)).order_by(PROPOSALS.c.proposed_at)
        names = ("id", "content", "proposed_by", "proposed_at")
        return [{name: getattr(row, name) for name in names} for row in self._session.execute(query)]

    def decide(self, proposal: str, *, approved: bool, by: str, at: datetime) -> None:
        """Close a proposal; `Conflict` when somebody else was faster."""
        still_open = (PROPOSALS.c.id == proposal) & PROPOSALS.c.decision.is_(None)
        values = {"decision": "approved" if approved else "rejected", "decided_by": by, "decided_at": at}
        if _count(self._session.execute(update(PROPOSALS).where(still_open).values(**values))) != 1:
            raise Conflict("the proposal was decided meanwhile")


class SessionRepository:
    """Nonces."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, nonce: bytes, *, department: str, expires_at: datetime) -> None:
        """Store a fresh one, by its digest."""
        row = {"nonce": nonce, "department": department, "expires_at": expires_at}
        self._session.execute(_ADD_SESSION, row)

    def find(self, nonce: bytes) -> StoredSession | None:
        """The session of this digest."""
        row = self._session.execute(_FIND_SESSION, {"wanted": nonce}).first()
        return (
            StoredSession(row.department, row.expires_at, row.presentation, row.verification) if row else None
        )

    def accept(self, nonce: bytes, *, presentation: bytes, verification: str) -> bool:
        """Bind a nonce to the presentation accepted for it; False when it is bound already."""
        values = {"wanted": nonce, "presentation": presentation, "verification": verification}
        return _count(self._session.execute(_ACCEPT_SESSION, values)) == 1

    def burn(self) -> int:
        """Forget every nonce, for a node that was put back from a backup; returns how many."""
        return _count(self._session.execute(delete(SESSIONS)))

    def purge(self, *, now: datetime) -> int:
        """Forget the sessions that are over; returns how many."""
        return _count(self._session.execute(delete(SESSIONS).where(SESSIONS.c.expires_at < now)))


class VerificationRepository:
    """Verifications: what was found, by whom it was asked."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, found: StoredVerification, *, idempotency_key: str | None) -> None:
        """Store one; `Conflict` at the commit when the department used the key before."""
        values = {name: getattr(found, name) for name in found.__dataclass_fields__}
        accepted = found.content.get("licence") if found.content.get("indication") == "passed" else None
        values |= {"idempotency_key": idempotency_key, "accepted": accepted}
        self._session.execute(_ADD_VERIFICATION, values)

    def find(self, verification_id: str, *, department: str) -> StoredVerification | None:
        """A department's own verification."""
        return self._first(_FIND_VERIFICATION, wanted=verification_id, owner=department)

    def by_idempotency_key(self, key: str, *, department: str) -> StoredVerification | None:
        """What the department was answered under this key."""
        return self._first(_FIND_BY_KEY, wanted=key, owner=department)

    def departments_that_accepted(self, licence: str) -> list[str]:
        """Which departments found this version of a licence good, in order."""
        found = select(VERIFICATIONS.c.department).where(VERIFICATIONS.c.accepted == licence)
        query = found.distinct().order_by(VERIFICATIONS.c.department)
        return list(self._session.execute(query).scalars())

    def recent(
        self, departments: Sequence[str], *, since: datetime, limit: int
    ) -> tuple[StoredVerification, ...]:
        """The latest of these departments, newest first."""
        wanted = VERIFICATIONS.c.department.in_(departments) & (VERIFICATIONS.c.at >= since)
        query = select(VERIFICATIONS).where(wanted).order_by(VERIFICATIONS.c.at.desc(), VERIFICATIONS.c.id)
        return tuple(map(_verification, self._session.execute(query.limit(limit))))

    def _first(self, query: Any, **values: str) -> StoredVerification | None:
        row = self._session.execute(query, values).first()
        return _verification(row) if row else None


def _verification(row: Any) -> StoredVerification:
    return StoredVerification(row.id, row.department, row.at, row.content, row.request)


def _count(result: object) -> int:
    return cast("CursorResult[tuple[()]]", result).rowcount

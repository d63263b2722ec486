"""Notices for departments: what became of licences that they accepted (`credentials.office.notices`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from verify_api.repository import VerificationRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sqlmodel import Session

    from credentials.catalogue import Catalogue
    from credentials.office.notices import NoticeQueue
    from verify_api.departments import Department
    from yinxin.base.actor import Actor
    from yinxin.base.journal import Journal

    T = TypeVar("T")


class RecordedAcceptances:
    """Who relied on a version: departments whose recorded verification of it passed."""

    @staticmethod
    def departments(session: Session, licence: str) -> Sequence[str]:
        """Their ids."""
        return VerificationRepository(session).departments_that_accepted(licence)


class DepartmentNotices:
    """A department's queue, for HTTP."""

    def __init__(self, queue: NoticeQueue, journal: Journal, catalogue: Catalogue) -> None:
        self._queue, self._journal, self._catalogue = queue, journal, catalogue

    async def waiting(
        self, department: Department, *, limit: int, clerk: Actor | None = None
    ) -> list[dict[str, Any]]:
        """What waits for it, oldest first, with the values that its grants cover.

        The log says that `clerk` read them, or else the department's system.
        """
        granted, actor = granted_fields(department), clerk or department.actor
        found = await self._write(
            lambda session: self._queue.hand_out(
                session, department.id, granted=granted, actor=actor, limit=limit
            )
        )
        return [one.to_dict(self._catalogue) for one in found]

    async def acknowledge(
        self, notice: str, department: Department, *, clerk: Actor | None = None
    ) -> dict[str, Any]:
        """Take one off; `NotFound` for another department's."""
        actor = clerk or department.actor
        found = await self._write(
            lambda session: self._queue.acknowledge(session, notice, department.id, actor=actor)
        )
        at = found.acknowledged_at
        return {"id": found.id, "acknowledged_at": at.isoformat() if at else None}

    async def _write(self, work: Callable[[Session], T]) -> T:
        future: Future[T] = self._journal.submit(work)
        return await asyncio.wrap_future(future)


def granted_fields(department: Department) -> dict[str, frozenset[str]]:
    """What a department may see of each licence type, for any of its matters: all have its one purpose."""
    granted: dict[str, frozenset[str]] = {}
    for grant in department.grants:
        for code, names in grant.fields.items():
            granted[code] = granted.get(code, frozenset()) | names
    return granted

"""Every query about cases. Never commits; the desk owns the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.agreements import Consent
from credentials.office.cases import Case, CaseState, Work
from credentials.office.records import CaseRecord
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_CASES: Table = SQLModel.metadata.tables[str(CaseRecord.__tablename__)]


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with what its row alone knows: the digest of what was first asked for, and the step it is at."""

    case: Case
    asked_for: str
    step: int


class CaseRepository:
    """Cases of all agencies of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, case: Case, *, asked_for: str) -> None:
        """Store a new case; `Conflict` when the agency has one of this number."""
        try:
            with self._session.begin_nested():
                row = {"id": case.id, "agency": case.agency, "number": case.number, "asked_for": asked_for}
                self._session.execute(insert(_CASES).values(**row, step=0, **_changing(case)))
        except IntegrityError as exc:
            raise Conflict(f"the case number {case.number} is taken") from exc

    def find(self, case_id: str, *, agency: str) -> StoredCase:
        """An agency's own case, or `NotFound`."""
        wanted = (_CASES.c.id == case_id) & (_CASES.c.agency == agency)
        row = self._session.execute(select(_CASES).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such case")
        return _stored(row)

    def by_number(self, number: str, *, agency: str) -> StoredCase | None:
        """An agency's case of this number."""
        wanted = (_CASES.c.number == number) & (_CASES.c.agency == agency)
        row = self._session.execute(select(_CASES).where(wanted)).one_or_none()
        return _stored(row) if row else None

    def change(self, stored: StoredCase, case: Case) -> None:
        """Store a changed case; `Conflict` when somebody else changed it meanwhile."""
        mine = (_CASES.c.id == case.id) & (_CASES.c.step == stored.step)
        changed = update(_CASES).where(mine).values(step=stored.step + 1, **_changing(case))
        if self._session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("somebody else changed the case meanwhile: look at it again")

    def reopen(self, note: str, *, at: datetime) -> int:
        """Have every case that people agreed on, and that is not sealed here, begin again; returns how many.

        For a node that was put back from a backup: such a case may have been sealed since.
        """
        states = (CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED)
        values: dict[str, Any] = {
            "state": str(CaseState.DRAFT),
            "consents": [],
            "note": note,
            "changed_at": at,
        }
        reopened = (
            update(_CASES)
            .where(_CASES.c.state.in_(map(str, states)))
            .values(revision=_CASES.c.revision + 1, step=_CASES.c.step + 1, **values)
        )
        return int(self._session.execute(reopened).rowcount)  # type: ignore[attr-defined]  # the same

    def in_states(
        self, agency: str, states: tuple[CaseState, ...], *, limit: int, after: Case | None = None
    ) -> list[Case]:
        """An agency's cases in these states, the longest unchanged first; those behind `after` alone."""
        query = select(_CASES).where(_CASES.c.agency == agency, _CASES.c.state.in_(map(str, states)))
        if after is not None:
            place = tuple_(_CASES.c.changed_at, _CASES.c.id)
            query = query.where(place > tuple_(literal(after.changed_at, _CASES.c.changed_at.type), after.id))
        rows = self._session.execute(query.order_by(_CASES.c.changed_at, _CASES.c.id).limit(limit))
        return [_stored(row).case for row in rows]


def _changing(case: Case) -> dict[str, Any]:
    return {
        "work": case.work.to_dict(),
        "state": str(case.state),
        "revision": case.revision,
        "editors": list(case.editors),
        "consents": [consent.to_dict() for consent in case.consents],
        "note": case.note,
        "changed_at": case.changed_at,
        "sealed_as": case.sealed_as,
    }


def _stored(row: Any) -> StoredCase:
    case = Case(
        id=row.id,
        agency=row.agency,
        number=row.number,
        work=Work.from_dict(row.work),
        state=CaseState(row.state),
        revision=row.revision,
        editors=tuple(row.editors),
        changed_at=row.changed_at,
        consents=tuple(Consent.from_dict(item) for item in row.consents),
        note=row.note,
        sealed_as=row.sealed_as,
    )
    return StoredCase(case, row.asked_for, row.step)

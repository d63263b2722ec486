"""Every query about cases. Never commits; the desk owns the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.agreements import Consent
from credentials.office.cases import Case, CaseState, Work
from credentials.office.records import BUNDLES, CaseRecord
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
                self._session.execute(insert(_CASES).values(**case_row(case, asked_for=asked_for)))
        except IntegrityError as exc:
            raise Conflict(f"the case number {case.number} is taken") from exc

    def find(self, case_id: str, *, agency: str) -> StoredCase:
        """An agency's own case, or `NotFound`."""
        wanted = (_CASES.c.id == case_id) & (_CASES.c.agency == agency)
        row = self._session.execute(select(_CASES).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such case")
        return stored_case(row)

    def by_number(self, number: str, *, agency: str) -> StoredCase | None:
        """An agency's case of this number."""
        wanted = (_CASES.c.number == number) & (_CASES.c.agency == agency)
        row = self._session.execute(select(_CASES).where(wanted)).one_or_none()
        return stored_case(row) if row else None

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
        bundles = update(BUNDLES).where(BUNDLES.c.state.in_(map(str, states)))
        self._session.execute(bundles.values(step=BUNDLES.c.step + 1, **values))
        return int(self._session.execute(reopened).rowcount)  # type: ignore[attr-defined]  # the same

    def note_editor(self, bundle: str, editor: str, *, at: datetime) -> None:
        """Somebody edits a case of a bundle that is a draft; `Conflict` when it is none any more."""
        drafted = (BUNDLES.c.id == bundle) & (BUNDLES.c.state == str(CaseState.DRAFT))
        row = self._session.execute(select(BUNDLES).where(drafted).with_for_update()).one_or_none()
        if row is None:
            raise Conflict("the bundle was handed over meanwhile: look at it again")
        values: dict[str, Any] = {"editors": list(dict.fromkeys((*row.editors, editor))), "changed_at": at}
        mine = drafted & (BUNDLES.c.step == row.step)
        noted = update(BUNDLES).where(mine).values(step=row.step + 1, **values)
        if self._session.execute(noted).rowcount != 1:  # type: ignore[attr-defined]  # the same
            raise Conflict("somebody else changed the bundle meanwhile: look at it again")

    def in_states(
        self, agency: str, states: tuple[CaseState, ...], *, limit: int, after: Case | None = None
    ) -> list[Case]:
        """An agency's cases of no bundle in these states, longest unchanged first; those behind `after`."""
        alone = _CASES.c.bundle.is_(None)
        query = select(_CASES).where(_CASES.c.agency == agency, alone, _CASES.c.state.in_(map(str, states)))
        if after is not None:
            place = tuple_(_CASES.c.changed_at, _CASES.c.id)
            query = query.where(place > tuple_(literal(after.changed_at, _CASES.c.changed_at.type), after.id))
        rows = self._session.execute(query.order_by(_CASES.c.changed_at, _CASES.c.id).limit(limit))
        return [stored_case(row).case for row in rows]


def case_row(case: Case, *, asked_for: str) -> dict[str, Any]:
    """The row of a new case; `asked_for` is the digest of its work."""
    row = {"id": case.id, "agency": case.agency, "number": case.number, "asked_for": asked_for}
    return {**row, "bundle": case.bundle, "place": case.place, "step": 0, **_changing(case)}


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


def stored_case(row: Any) -> StoredCase:
    """A row of the table as a case."""
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
        bundle=row.bundle,
        place=row.place,
    )
    return StoredCase(case, row.asked_for, row.step)

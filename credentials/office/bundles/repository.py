"""Every query about bundles. Never commits; the services own the transactions.

A bundle's row is changed before those of its cases, by everybody: so nobody waits for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.agreements import Consent
from credentials.office.bundles.values import Bundle, fault_from_dict, fault_to_dict
from credentials.office.cases import CaseState
from credentials.office.records import BUNDLES, CaseRecord
from credentials.office.repository import case_row, stored_case
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlmodel import Session

    from credentials.office.cases import Case

_CASES: Table = SQLModel.metadata.tables[str(CaseRecord.__tablename__)]
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle and the step it is at."""

    bundle: Bundle
    step: int


class BundleRepository:
    """Bundles of all agencies of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, bundle: Bundle, cases: Sequence[tuple[Case, str]]) -> None:
        """Store a new bundle with its cases, each with the digest of what it asks for.

        `Conflict` when one of the numbers is taken.
        """
        row = {
            "id": bundle.id,
            "agency": bundle.agency,
            "number": bundle.number,
            "content": bundle.content,
            "total": bundle.total,
            "faults": [fault_to_dict(one) for one in bundle.faults],
        }
        try:
            with self._session.begin_nested():
                self._session.execute(insert(BUNDLES).values(**row, step=0, **_changing(bundle)))
                if cases:
                    rows = [case_row(case, asked_for=asked_for) for case, asked_for in cases]
                    self._session.execute(insert(_CASES), rows)
        except IntegrityError as exc:
            raise Conflict("the number of the bundle, or of one of its cases, is taken") from exc

    def taken(self, agency: str, numbers: Collection[str]) -> set[str]:
        """Those of these case numbers that the agency has used."""
        found: set[str] = set()
        wanted = sorted(numbers)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            query = select(_CASES.c.number).where(_CASES.c.agency == agency, _CASES.c.number.in_(part))
            found.update(self._session.scalars(query))
        return found

    def find(self, bundle_id: str, *, agency: str) -> StoredBundle:
        """An agency's own bundle, or `NotFound`."""
        return self._one(BUNDLES.c.id == bundle_id, agency)

    def by_number(self, number: str, *, agency: str) -> StoredBundle | None:
        """An agency's bundle of this number."""
        try:
            return self._one(BUNDLES.c.number == number, agency)
        except NotFound:
            return None

    def latest(self, agency: str, *, limit: int) -> list[Bundle]:
        """An agency's bundles, the latest changed first."""
        query = select(BUNDLES).where(BUNDLES.c.agency == agency)
        rows = self._session.execute(query.order_by(BUNDLES.c.changed_at.desc(), BUNDLES.c.id).limit(limit))
        return [_stored(row, self._counts(row.id)).bundle for row in rows.all()]

    def cases(self, bundle_id: str, *, after: int = 0, limit: int | None = None) -> list[Case]:
        """A bundle's cases in the file's order, those behind a row."""
        query = select(_CASES).where(_CASES.c.bundle == bundle_id, _CASES.c.place > after)
        rows = self._session.execute(query.order_by(_CASES.c.place).limit(limit))
        return [stored_case(row).case for row in rows]

    def change(self, stored: StoredBundle, bundle: Bundle) -> None:
        """Store a changed bundle; `Conflict` when somebody else changed it meanwhile."""
        mine = (BUNDLES.c.id == bundle.id) & (BUNDLES.c.step == stored.step)
        changed = update(BUNDLES).where(mine).values(step=stored.step + 1, **_changing(bundle))
        if self._session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("somebody else changed the bundle meanwhile: look at it again")

    def move_cases(
        self, bundle_id: str, states: Collection[CaseState], to: CaseState, *, at: datetime
    ) -> int:
        """Take a bundle's cases that are in these states to another; returns how many."""
        mine = (_CASES.c.bundle == bundle_id) & _CASES.c.state.in_([str(one) for one in states])
        values: dict[str, Any] = {"state": str(to), "changed_at": at}
        moved = update(_CASES).where(mine).values(step=_CASES.c.step + 1, **values)
        return int(self._session.execute(moved).rowcount)  # type: ignore[attr-defined]  # the same

    def seal_case(self, case_id: str, licence: str, *, at: datetime) -> None:
        """Note that an approved case led to a licence; `Conflict` when it is not approved any more."""
        mine = (_CASES.c.id == case_id) & (_CASES.c.state == str(CaseState.APPROVED))
        values: dict[str, Any] = {"state": str(CaseState.SEALED), "sealed_as": licence, "changed_at": at}
        sealed = update(_CASES).where(mine).values(step=_CASES.c.step + 1, **values)
        if self._session.execute(sealed).rowcount != 1:  # type: ignore[attr-defined]  # the same
            raise Conflict("the case was withdrawn or sealed meanwhile")

    def reopen(self, note: str, *, at: datetime) -> int:
        """Have every bundle that people agreed on begin again; returns how many (see the cases' `reopen`)."""
        states = [str(one) for one in (CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED)]
        again: dict[str, Any] = {"state": str(CaseState.DRAFT), "consents": [], "note": note}
        reopened = update(BUNDLES).where(BUNDLES.c.state.in_(states))
        result = self._session.execute(reopened.values(step=BUNDLES.c.step + 1, changed_at=at, **again))
        return int(result.rowcount)  # type: ignore[attr-defined]  # an update's result has it

    def _one(self, wanted: Any, agency: str) -> StoredBundle:
        query = select(BUNDLES).where(wanted, BUNDLES.c.agency == agency)
        row = self._session.execute(query).one_or_none()
        if row is None:
            raise NotFound("no such bundle")
        return _stored(row, self._counts(row.id))

    def _counts(self, bundle_id: str) -> dict[CaseState, int]:
        query = select(_CASES.c.state, func.count()).where(_CASES.c.bundle == bundle_id)
        rows = self._session.execute(query.group_by(_CASES.c.state))
        return {CaseState(state): int(number) for state, number in rows}


def _changing(bundle: Bundle) -> dict[str, Any]:
    return {
        "state": str(bundle.state),
        "editors": list(bundle.editors),
        "consents": [consent.to_dict() for consent in bundle.consents],
        "digest": bundle.digest,
        "note": bundle.note,
        "changed_at": bundle.changed_at,
    }


def _stored(row: Any, counts: dict[CaseState, int]) -> StoredBundle:
    bundle = Bundle(
        id=row.id,
        agency=row.agency,
        number=row.number,
        content=row.content,
        state=CaseState(row.state),
        total=row.total,
        faults=tuple(fault_from_dict(item) for item in row.faults),
        editors=tuple(row.editors),
        digest=row.digest,
        changed_at=row.changed_at,
        consents=tuple(Consent.from_dict(item) for item in row.consents),
        note=row.note,
        counts=counts,
    )
    return StoredBundle(bundle, row.step)

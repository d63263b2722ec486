"""Every query about findings. Never commits; the services own the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlmodel import SQLModel

from credentials.office.supervision.findings.finding import Finding, FindingState, Remark
from credentials.office.supervision.records import FindingRecord
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Table
    from sqlmodel import Session

_FINDINGS: Table = SQLModel.metadata.tables[str(FindingRecord.__tablename__)]


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding with the step that its row is at."""

    finding: Finding
    step: int


class FindingRepository:
    """Findings of all organisations of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Store the findings that are not there yet; those that were new."""
        given = {one.id: one for one in findings}
        known = set(self._session.scalars(select(_FINDINGS.c.id).where(_FINDINGS.c.id.in_(given))))
        new = [one for name, one in given.items() if name not in known]
        if new:
            self._session.execute(insert(_FINDINGS), [_row(one) for one in new])
        return new

    def find(self, finding_id: str) -> StoredFinding:
        """A finding, or `NotFound`."""
        row = self._session.execute(select(_FINDINGS).where(_FINDINGS.c.id == finding_id)).one_or_none()
        if row is None:
            raise NotFound("no such finding")
        return _stored(row)

    def of(
        self, scope: Collection[str], *, states: Collection[FindingState], rule: str | None, limit: int
    ) -> list[Finding]:
        """The findings about these organisations, the newest first."""
        wanted = _FINDINGS.c.organisation.in_(scope) & _FINDINGS.c.state.in_(list(map(str, states)))
        if rule is not None:
            wanted &= _FINDINGS.c.rule == rule
        query = select(_FINDINGS).where(wanted).order_by(_FINDINGS.c.found_at.desc(), _FINDINGS.c.id)
        return [_stored(row).finding for row in self._session.execute(query.limit(limit))]

    def count(self, scope: Collection[str]) -> dict[tuple[str, str], int]:
        """How many of each rule are in each state."""
        query = select(_FINDINGS.c.rule, _FINDINGS.c.state, func.count())
        query = query.where(_FINDINGS.c.organisation.in_(scope)).group_by(_FINDINGS.c.rule, _FINDINGS.c.state)
        return {(row[0], row[1]): row[2] for row in self._session.execute(query)}

    def change(self, before: StoredFinding, after: Finding) -> None:
        """Store a change of a finding as it was seen; `Conflict` when somebody else was faster."""
        wanted = (_FINDINGS.c.id == after.id) & (_FINDINGS.c.step == before.step)
        changed = update(_FINDINGS).where(wanted).values(step=before.step + 1, **_changing(after))
        if self._session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
            raise Conflict("somebody else has just changed this finding: look at it again")


def _changing(finding: Finding) -> dict[str, Any]:
    said, closed = finding.explanation, finding.closing
    return {
        "state": str(finding.state),
        "explained_by": said.by if said else None,
        "explained_at": said.at if said else None,
        "explanation": said.words if said else None,
        "closed_by": closed.by if closed else None,
        "closed_at": closed.at if closed else None,
        "closing": closed.words if closed else None,
    }


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "organisation": finding.organisation,
        "officers": list(finding.officers),
        "entries": [list(one) for one in finding.entries],
        "count": finding.count,
        "found_at": finding.found_at,
        "step": 0,
        **_changing(finding),
    }


def _stored(row: Any) -> StoredFinding:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's way: `count` is a method of a row
    finding = Finding(
        id=row.id,
        rule=row.rule,
        organisation=row.organisation,
        officers=tuple(row.officers),
        entries=tuple((index, entry) for index, entry in row.entries),
        count=values["count"],
        found_at=row.found_at,
        state=FindingState(row.state),
        explanation=_remark(row.explained_by, row.explained_at, row.explanation),
        closing=_remark(row.closed_by, row.closed_at, row.closing),
    )
    return StoredFinding(finding, row.step)


def _remark(by: str | None, at: Any, words: str | None) -> Remark | None:
    return Remark(by, at, words or "") if by is not None else None

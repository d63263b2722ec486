"""Every query about disputes. Never commits; the service owns the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.disputes.dispute import OPEN, Answer, Dispute, DisputeKind, DisputeState
from credentials.office.disputes.records import DisputeRecord
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Table
    from sqlmodel import Session

_DISPUTES: Table = SQLModel.metadata.tables[str(DisputeRecord.__tablename__)]


@dataclass(frozen=True, slots=True)
class StoredDispute:
    """A dispute with what its row alone knows: the digest of its secret, and the step it is at."""

    dispute: Dispute
    secret: bytes
    step: int


class DisputeRepository:
    """Disputes of all agencies of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, dispute: Dispute, *, secret: bytes, slip: bytes | None, is_holder: bool) -> None:
        """Store a new dispute; `Conflict` when its slip opened one before."""
        row = {
            "number": dispute.number,
            "agency": dispute.agency,
            "kind": str(dispute.kind),
            "opened_by": dispute.opened_by,
            "is_holder": is_holder,
            "secret": secret,
            "slip": slip,
            "licence": dispute.licence,
            "type_code": dispute.type_code,
            "fields": list(dispute.fields),
            "words": dispute.words,
            "received_at": dispute.received_at,
            "step": 0,
        }
        try:
            with self._session.begin_nested():
                self._session.execute(
                    insert(_DISPUTES).values(**row, **_changing(dispute, dispute.received_at))
                )
        except IntegrityError as exc:
            raise Conflict("a dispute was opened with this slip before") from exc

    def find(self, number: str, *, agency: str | None = None) -> StoredDispute:
        """A dispute, of one agency where named; `NotFound` else."""
        wanted = _DISPUTES.c.number == number
        if agency is not None:
            wanted &= _DISPUTES.c.agency == agency
        row = self._session.execute(select(_DISPUTES).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such dispute")
        return _stored(row)

    def change(self, before: StoredDispute, after: Dispute, *, at: datetime) -> None:
        """Store a change of a dispute as it was seen; `Conflict` when somebody else was faster."""
        wanted = (_DISPUTES.c.number == after.number) & (_DISPUTES.c.step == before.step)
        changed = update(_DISPUTES).where(wanted).values(step=before.step + 1, **_changing(after, at))
        if self._session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
            raise Conflict("somebody else has just answered this dispute: look at it again")

    def of_agency(self, agency: str, states: Collection[DisputeState], *, limit: int) -> list[Dispute]:
        """An agency's disputes in these states, the first to be answered first."""
        wanted = (_DISPUTES.c.agency == agency) & _DISPUTES.c.state.in_(list(map(str, states)))
        query = select(_DISPUTES).where(wanted).order_by(_DISPUTES.c.due_at, _DISPUTES.c.number)
        return [_stored(row).dispute for row in self._session.execute(query.limit(limit))]

    def count_open(self, *, agency: str | None = None, opened_by: str | None = None) -> int:
        """How many wait for an answer: of an agency from holders, or of one opener."""
        wanted: ColumnElement[bool] = _DISPUTES.c.state.in_(list(map(str, OPEN)))
        if agency is not None:
            wanted &= (_DISPUTES.c.agency == agency) & _DISPUTES.c.is_holder
        if opened_by is not None:
            wanted &= _DISPUTES.c.opened_by == opened_by
        return self._session.scalar(select(func.count()).select_from(_DISPUTES).where(wanted)) or 0

    def forget(self, *, before: datetime) -> list[str]:
        """Forget what people wrote in disputes that ended before; their numbers."""
        ended = _DISPUTES.c.state.not_in(list(map(str, OPEN))) & (_DISPUTES.c.changed_at < before)
        wanted = update(_DISPUTES).where(ended & _DISPUTES.c.words.is_not(None))
        rows = self._session.execute(wanted.values(words=None, answers=None).returning(_DISPUTES.c.number))
        return sorted(row.number for row in rows)


def _changing(dispute: Dispute, at: datetime) -> dict[str, Any]:
    return {
        "state": str(dispute.state),
        "due_at": dispute.due_at,
        "answers": [one.to_dict() for one in dispute.answers],
        "changed_at": at,
        "case_id": dispute.case_id,
        "result": dispute.result,
    }


def _stored(row: Any) -> StoredDispute:
    dispute = Dispute(
        number=row.number,
        agency=row.agency,
        kind=DisputeKind(row.kind),
        state=DisputeState(row.state),
        opened_by=row.opened_by,
        words=row.words or "",
        received_at=row.received_at,
        due_at=row.due_at,
        licence=row.licence,
        type_code=row.type_code,
        fields=tuple(row.fields),
        slip=row.slip.hex()[:16] if row.slip else None,
        answers=tuple(_answer(one) for one in row.answers or ()),
        case_id=row.case_id,
        result=row.result,
    )
    return StoredDispute(dispute, row.secret, row.step)


def _answer(value: dict[str, str]) -> Answer:
    at = datetime.fromisoformat(value["at"])
    return Answer(DisputeState(value["state"]), at, value["by"], value["words"])

"""Every query about requests for correction. Never commits; the service owns the transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlmodel import SQLModel

from credentials.sources.corrections.records import CorrectionRecord
from credentials.sources.corrections.routing import Request, RequestState
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlmodel import Session

_REQUESTS: Table = SQLModel.metadata.tables[str(CorrectionRecord.__tablename__)]


class CorrectionRepository:
    """The requests of one agency."""

    def __init__(self, session: Session, *, agency: str) -> None:
        self._session, self._agency = session, agency

    def add(self, request: Request) -> None:
        """Store a new request."""
        row = {
            "id": request.id,
            "agency": self._agency,
            "licence": request.licence,
            "field": request.field,
            "authority": request.authority,
            "words": request.words,
            "target": request.target,
            "state": str(request.state),
            "case_number": request.case,
            "note": request.note,
            "asked_by": request.asked_by,
            "asked_at": request.asked_at,
        }
        self._session.execute(insert(_REQUESTS).values(**row))

    def find(self, request_id: str) -> Request:
        """A request of this agency, or `NotFound`."""
        wanted = (_REQUESTS.c.id == request_id) & (_REQUESTS.c.agency == self._agency)
        row = self._session.execute(select(_REQUESTS).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such request")
        return _request(row)

    def decide(self, request: Request) -> None:
        """Store a decision on an open request; `Conflict` when somebody else was faster."""
        is_open = (_REQUESTS.c.id == request.id) & (_REQUESTS.c.state == str(RequestState.OPEN))
        decided = update(_REQUESTS).where(is_open)
        decided = decided.values(
            state=str(request.state),
            case_number=request.case,
            note=request.note,
            decided_by=request.decided_by,
            decided_at=request.decided_at,
        )
        if self._session.execute(decided).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("the request was decided before")

    def in_state(self, state: RequestState, *, limit: int) -> list[Request]:
        """Requests in a state, the longest waiting first."""
        query = select(_REQUESTS).where(_REQUESTS.c.agency == self._agency, _REQUESTS.c.state == str(state))
        rows = self._session.execute(query.order_by(_REQUESTS.c.asked_at, _REQUESTS.c.id).limit(limit))
        return [_request(row) for row in rows]


def _request(row: Any) -> Request:
    return Request(
        id=row.id,
        agency=row.agency,
        licence=row.licence,
        field=row.field,
        authority=row.authority,
        words=row.words,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=RequestState(row.state),
        target=row.target,
        case=row.case_number,
        note=row.note,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )

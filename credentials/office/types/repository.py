"""Every query about changes of the catalogue. Never commits; the service owns the transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.agreements import Consent
from credentials.office.types.records import TypeChangeRecord
from credentials.office.types.versions import ChangeKind, ChangeState, TypeChange
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlmodel import Session

_CHANGES: Table = SQLModel.metadata.tables[str(TypeChangeRecord.__tablename__)]


class TypeRepository:
    """The changes of one agency's catalogue."""

    def __init__(self, session: Session, *, agency: str) -> None:
        self._session, self._agency = session, agency

    def add(self, change: TypeChange) -> None:
        """Store a new proposal."""
        row = {
            "id": change.id,
            "agency": self._agency,
            "kind": str(change.kind),
            "code": change.code,
            "version": change.version,
            "day": change.day,
            "base": change.base,
            "file": change.file,
            "ground": change.ground,
            "document_number": change.document_number,
            "state": str(change.state),
            "note": change.note,
            "proposed_by": change.proposed_by,
            "proposed_at": change.proposed_at,
        }
        self._session.execute(insert(_CHANGES).values(**row))

    def find(self, change_id: str) -> TypeChange:
        """A change of this agency, or `NotFound`."""
        wanted = (_CHANGES.c.id == change_id) & (_CHANGES.c.agency == self._agency)
        row = self._session.execute(select(_CHANGES).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such change of the catalogue")
        return _change(row)

    def decide(self, change: TypeChange) -> None:
        """Store a decision on an open proposal; `Conflict` when somebody else was faster."""
        consent = change.consent.to_dict() if change.consent else None
        is_open = (_CHANGES.c.id == change.id) & (_CHANGES.c.state == str(ChangeState.PROPOSED))
        decided = update(_CHANGES).where(is_open)
        decided = decided.values(state=str(change.state), note=change.note, consent=consent)
        try:
            found = self._session.execute(decided).rowcount  # type: ignore[attr-defined]  # an update's result has it
        except IntegrityError as exc:
            raise Conflict("another change of this type was approved meanwhile: propose it again") from exc
        if found != 1:
            raise Conflict("somebody else decided meanwhile")

    def approved_count(self, code: str | None = None) -> int:
        """How many changes were approved, of one type or of all."""
        query = select(func.count()).select_from(_CHANGES).where(self._is_approved())
        if code is not None:
            query = query.where(_CHANGES.c.code == code)
        return int(self._session.execute(query).scalar_one())

    def approved(self) -> list[TypeChange]:
        """What the catalogue is made of, by type in the order of approval."""
        query = select(_CHANGES).where(self._is_approved()).order_by(_CHANGES.c.code, _CHANGES.c.base)
        return [_change(row) for row in self._session.execute(query)]

    def every(self, *, limit: int) -> list[TypeChange]:
        """All changes, the newest first."""
        query = select(_CHANGES).where(_CHANGES.c.agency == self._agency)
        query = query.order_by(_CHANGES.c.proposed_at.desc(), _CHANGES.c.id).limit(limit)
        return [_change(row) for row in self._session.execute(query)]

    def _is_approved(self) -> Any:
        return (_CHANGES.c.agency == self._agency) & (_CHANGES.c.state == str(ChangeState.APPROVED))


def _change(row: Any) -> TypeChange:
    return TypeChange(
        id=row.id,
        agency=row.agency,
        kind=ChangeKind(row.kind),
        code=row.code,
        version=row.version,
        day=row.day,
        base=row.base,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        file=bytes(row.file),
        ground=row.ground,
        document_number=row.document_number,
        state=ChangeState(row.state),
        note=row.note,
        consent=Consent.from_dict(row.consent) if row.consent else None,
    )

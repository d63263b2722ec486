"""Every query about what people left beside their licences: disputes, corrections, others' registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlmodel import SQLModel

from credentials.foreign.records import FOREIGN
from credentials.office.disputes.dispute import OPEN
from credentials.office.disputes.records import DisputeRecord
from credentials.sources.corrections.records import CorrectionRecord
from credentials.sources.corrections.routing import RequestState

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlalchemy import Row, Table
    from sqlmodel import Session

_DISPUTES: Table = SQLModel.metadata.tables[str(DisputeRecord.__tablename__)]
_CORRECTIONS: Table = SQLModel.metadata.tables[str(CorrectionRecord.__tablename__)]
OPEN_DISPUTES = frozenset(map(str, OPEN))
OPEN_CORRECTIONS = frozenset({str(RequestState.OPEN), str(RequestState.REFERRED)})


class TraceRepository:
    """Traces in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def disputes(self, *, licences: Collection[str] = (), numbers: Collection[str] = ()) -> list[Row[Any]]:
        """Disputes about these licences, or of these numbers, whose words are kept."""
        named = _DISPUTES.c.licence.in_(licences) | _DISPUTES.c.number.in_(numbers)
        query = select(_DISPUTES).where(named, _DISPUTES.c.words.is_not(None))
        return list(self._session.execute(query.order_by(_DISPUTES.c.number)).all())

    def disputes_over(self, *, before: datetime, limit: int) -> list[str]:
        """Numbers of disputes that ended before a moment and whose words are kept."""
        ended = _DISPUTES.c.state.not_in(OPEN_DISPUTES) & (_DISPUTES.c.changed_at < before)
        query = select(_DISPUTES.c.number).where(ended, _DISPUTES.c.words.is_not(None))
        return list(self._session.execute(query.order_by(_DISPUTES.c.number).limit(limit)).scalars())

    def erase_disputes(self, numbers: Collection[str]) -> None:
        """Forget what was written."""
        query = update(_DISPUTES).where(_DISPUTES.c.number.in_(numbers))
        self._session.execute(query.values(words=None, answers=None))

    def corrections(self, *, licences: Collection[str] = (), ids: Collection[str] = ()) -> list[Row[Any]]:
        """Requests for correction about these licences, or of these ids."""
        named = _CORRECTIONS.c.licence.in_(licences) | _CORRECTIONS.c.id.in_(ids)
        return list(
            self._session.execute(select(_CORRECTIONS).where(named).order_by(_CORRECTIONS.c.id)).all()
        )

    def corrections_over(self, *, before: datetime, limit: int) -> list[str]:
        """Ids of requests that were decided before a moment and whose words are kept."""
        decided = _CORRECTIONS.c.state.not_in(OPEN_CORRECTIONS) & (_CORRECTIONS.c.decided_at < before)
        query = select(_CORRECTIONS.c.id, _CORRECTIONS.c.words).where(decided).order_by(_CORRECTIONS.c.id)
        found = (row.id for row in self._session.execute(query) if row.words)
        return [name for name, _ in zip(found, range(limit), strict=False)]

    def erase_corrections(self, ids: Collection[str]) -> None:
        """Forget what was written."""
        self._session.execute(
            update(_CORRECTIONS).where(_CORRECTIONS.c.id.in_(ids)).values(words="", note="")
        )

    def foreign(self, holder: bytes) -> list[Row[Any]]:
        """What the index of others' licences has of a holder."""
        query = select(FOREIGN).where(FOREIGN.c.holder_index == holder)
        return list(self._session.execute(query.order_by(FOREIGN.c.type_code, FOREIGN.c.number)).all())

    def foreign_named(self, keys: Collection[tuple[str, str]]) -> list[Row[Any]]:
        """Entries of these types and numbers that still lead from a holder."""
        found: list[Row[Any]] = []
        for type_code, number in keys:
            mine = (FOREIGN.c.type_code == type_code) & (FOREIGN.c.number == number)
            query = select(FOREIGN).where(mine, FOREIGN.c.holder_index.is_not(None))
            found += self._session.execute(query).all()
        return found

    def foreign_over(self, *, before: date, limit: int) -> list[Row[Any]]:
        """Entries whose last day was before a day, and that still lead from a holder."""
        query = select(FOREIGN).where(FOREIGN.c.valid_until < before, FOREIGN.c.holder_index.is_not(None))
        return list(self._session.execute(query.order_by(FOREIGN.c.number).limit(limit)).all())

    def erase_foreign(self, keys: Collection[tuple[str, str]]) -> None:
        """Let nothing lead from a holder to these entries any more."""
        for type_code, number in keys:
            mine = (FOREIGN.c.type_code == type_code) & (FOREIGN.c.number == number)
            self._session.execute(update(FOREIGN).where(mine).values(holder_index=None))

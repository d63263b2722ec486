"""Every query about batches. Never commits; `credentials.batches.work` owns the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from credentials.batches.records import APPLICATIONS, BATCHES, DRAFTS
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlmodel import Session

_AT_ONCE = 500  # values in one statement: SQLite allows 32,766, planners like fewer


@dataclass(frozen=True, slots=True)
class Batch:
    """A file of applications: how many rows it has, how many licences it led to, how it ended."""

    id: str
    agency_code: str
    total: int
    issued: int
    begun_at: datetime
    ended_at: datetime | None
    faulty: int | None


@dataclass(frozen=True, slots=True)
class Application:
    """An application that a licence was issued for."""

    key: str
    batch: str
    row: int
    licence: str


class BatchRepository:
    """Batches in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, batch: str, *, agency_code: str, total: int, actor: str, at: datetime) -> None:
        """Add a batch; `Conflict` when there is one with this id."""
        row = {"id": batch, "agency_code": agency_code, "total": total, "actor": actor, "begun_at": at}
        try:
            self._session.execute(insert(BATCHES), row)
        except IntegrityError as exc:
            raise Conflict(f"the batch {batch} exists already") from exc

    def end(self, batch: str, *, faulty: int, at: datetime) -> None:
        """Say that every row was decided."""
        ended = update(BATCHES).where(BATCHES.c.id == batch).values(ended_at=at, faulty=faulty)
        self._session.execute(ended)

    def find(self, batch: str) -> Batch | None:
        """The batch of this id."""
        row = self._session.execute(select(BATCHES).where(BATCHES.c.id == batch)).one_or_none()
        return self._batch(row) if row else None

    def of_agency(self, agency_code: str, *, limit: int = 100) -> list[Batch]:
        """An agency's batches, newest first."""
        query = select(BATCHES).where(BATCHES.c.agency_code == agency_code)
        rows = self._session.execute(query.order_by(BATCHES.c.begun_at.desc(), BATCHES.c.id).limit(limit))
        return [self._batch(row) for row in rows.all()]

    def add(self, agency_code: str, applications: Sequence[Application]) -> None:
        """Remember what licences were issued for; `Conflict` when one of the keys was used before."""
        rows = [
            {
                "agency_code": agency_code,
                "key": one.key,
                "batch": one.batch,
                "row": one.row,
                "licence": one.licence,
            }
            for one in applications
        ]
        try:
            self._session.execute(insert(APPLICATIONS), rows)
        except IntegrityError as exc:
            raise Conflict("a licence was issued for this application before") from exc

    def issued(self, agency_code: str, keys: Sequence[str]) -> Mapping[str, Application]:
        """Those of an agency's applications that led to a licence, by their keys."""
        found: dict[str, Application] = {}
        for start in range(0, len(keys), _AT_ONCE):
            wanted = APPLICATIONS.c.key.in_(keys[start : start + _AT_ONCE])
            mine = select(APPLICATIONS).where(APPLICATIONS.c.agency_code == agency_code, wanted)
            for row in self._session.execute(mine):
                found[row.key] = Application(row.key, row.batch, row.row, row.licence)
        return found

    def add_drafts(self, digests: Collection[str], *, at: datetime) -> None:
        """Remember documents before they are written."""
        if digests:
            self._session.execute(insert(DRAFTS), [{"digest": one, "made_at": at} for one in digests])

    def drop_drafts(self, digests: Collection[str]) -> None:
        """Forget drafts: their licences are recorded, or they are gone."""
        if digests:
            self._session.execute(delete(DRAFTS).where(DRAFTS.c.digest.in_(list(digests))))

    def drafts_before(self, moment: datetime, *, limit: int = _AT_ONCE) -> list[str]:
        """Drafts that were made before a moment."""
        query = select(DRAFTS.c.digest).where(DRAFTS.c.made_at < moment).order_by(DRAFTS.c.made_at)
        return list(self._session.execute(query.limit(limit)).scalars())

    def _batch(self, row: Row[Any]) -> Batch:
        number = select(func.count()).select_from(APPLICATIONS).where(APPLICATIONS.c.batch == row.id)
        issued = int(self._session.execute(number).scalar_one())
        return Batch(row.id, row.agency_code, row.total, issued, row.begun_at, row.ended_at, row.faulty)

"""Every query about uses, places of a day and alarms. Never commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from credentials.office.seals.grants import Refusal
from credentials.office.seals.records import (
    SealAlarmRecord,
    SealCountRecord,
    SealGrantRecord,
    SealRecord,
    SealUseRecord,
)
from credentials.office.seals.uses.values import Alarm, Use
from credentials.office.seals.values import BEFORE, SealState
from credentials.records import LicenceRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_SEALS: Table = SQLModel.metadata.tables[str(SealRecord.__tablename__)]
_GRANTS: Table = SQLModel.metadata.tables[str(SealGrantRecord.__tablename__)]
_COUNTS: Table = SQLModel.metadata.tables[str(SealCountRecord.__tablename__)]
_USES: Table = SQLModel.metadata.tables[str(SealUseRecord.__tablename__)]
_LICENCES: Table = SQLModel.metadata.tables[str(LicenceRecord.__tablename__)]
_ALARMS: Table = SQLModel.metadata.tables[str(SealAlarmRecord.__tablename__)]

# Asked beside every sealing, so built once. Both rows stay as they are until the transaction ends.
_MAY_USE = (
    select(_SEALS.c.state, _GRANTS.c.stopped_at)
    .join(_GRANTS, _GRANTS.c.seal == _SEALS.c.id)
    .where(_SEALS.c.id == bindparam("seal"), _GRANTS.c.id == bindparam("grant"))
    .with_for_update(read=True)
)
_ADD_USE = insert(_USES)


class UseRepository:
    """The log of uses of all seals of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def may_use(self, seal: str, grant: str) -> bool:
        """Whether a seal is in use and a grant of it holds; neither changes before the transaction ends."""
        row = self._session.execute(_MAY_USE, {"seal": seal, "grant": grant}).one_or_none()
        return row is not None and row.state == SealState.IN_USE and row.stopped_at is None

    def take(self, grant: str, day: date, *, count: int, limit: int) -> bool:
        """Take places of a day; False, and none taken, when there are not so many left."""
        if count > limit:
            return False
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        start = dialect.insert(_COUNTS).values(grant=grant, day=day, taken=count)
        counted = start.on_conflict_do_update(
            index_elements=["grant", "day"],
            set_={"taken": _COUNTS.c.taken + count},
            where=_COUNTS.c.taken + count <= limit,
        ).returning(_COUNTS.c.taken)
        return self._session.execute(counted).one_or_none() is not None

    def taken(self, grant: str, day: date) -> int:
        """How many places of a day were taken."""
        wanted = (_COUNTS.c.grant == grant) & (_COUNTS.c.day == day)
        return self._session.execute(select(_COUNTS.c.taken).where(wanted)).scalar_one_or_none() or 0

    def add(self, **row: Any) -> None:
        """Add a use; its number is given here."""
        self._session.execute(_ADD_USE, row)

    def add_before(self, seal: str, *, agency: str) -> None:
        """Add the sealed licences of an agency that no use tells of; they have no audit entry of a use."""
        told = select(_USES.c.number).where(_USES.c.licence == _LICENCES.c.identifier).exists()
        sealed = select(
            literal(seal),
            literal(BEFORE),
            _LICENCES.c.pdf_sha256,
            _LICENCES.c.identifier,
            literal(BEFORE),
            _LICENCES.c.issued_at,
            literal(""),
        ).where(_LICENCES.c.agency_code == agency, _LICENCES.c.pdf_sha256.is_not(None), ~told)
        names = ["seal", "grant", "document", "licence", "actor", "used_at", "entry"]
        self._session.execute(insert(_USES).from_select(names, sealed))

    def uses(  # noqa: PLR0913 - what can be asked of a log
        self,
        seal: str,
        *,
        after: int = 0,
        limit: int = 100,
        since: datetime | None = None,
        until: datetime | None = None,
        licence: str | None = None,
    ) -> list[Use]:
        """Uses behind a number, in their order; of a time or a licence where named."""
        query = select(_USES).where(_USES.c.seal == seal, _USES.c.number > after)
        if since is not None:
            query = query.where(_USES.c.used_at >= since)
        if until is not None:
            query = query.where(_USES.c.used_at < until)
        if licence is not None:
            query = query.where(_USES.c.licence == licence)
        rows = self._session.execute(query.order_by(_USES.c.number).limit(limit))
        return [Use(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def documents(self, seal: str, wanted: Sequence[str]) -> frozenset[str]:
        """Which of these documents (digests in hex) a seal was used for; it looks through the whole log."""
        query = select(_USES.c.document).where(_USES.c.seal == seal, _USES.c.document.in_(list(wanted)))
        return frozenset(self._session.execute(query).scalars())

    def count(self, seal: str, *, since: datetime, until: datetime) -> int:
        """How often a seal was used in a time."""
        wanted = (_USES.c.seal == seal) & (_USES.c.used_at >= since) & (_USES.c.used_at <= until)
        return int(self._session.execute(select(func.count()).select_from(_USES).where(wanted)).scalar_one())

    def count_all(self, seal: str) -> int:
        """How often a seal was used."""
        found = select(func.count()).select_from(_USES).where(_USES.c.seal == seal)
        return int(self._session.execute(found).scalar_one())

    def add_alarm(self, alarm: Alarm) -> None:
        """Add an alarm."""
        row = {name: getattr(alarm, name) for name in Alarm.__slots__}
        row |= {"kind": str(alarm.kind), "wanted": dict(alarm.wanted)}
        self._session.execute(insert(_ALARMS).values(**row))

    def count_alarms(self, seal: str, grant: str, kind: Refusal, *, since: datetime) -> int:
        """How many alarms of a kind a grant gave from a time on."""
        wanted = (_ALARMS.c.seal == seal) & (_ALARMS.c.grant == grant) & (_ALARMS.c.kind == str(kind))
        query = select(func.count()).select_from(_ALARMS).where(wanted, _ALARMS.c.at >= since)
        return int(self._session.execute(query).scalar_one())

    def alarms_by_kind(self, agency: str, *, since: datetime) -> dict[str, float]:
        """How many alarms an agency's seals gave from a time on, by kind; every kind is named."""
        query = (
            select(_ALARMS.c.kind, func.count())
            .join(_SEALS, _SEALS.c.id == _ALARMS.c.seal)
            .where(_SEALS.c.agency == agency, _ALARMS.c.at >= since)
            .group_by(_ALARMS.c.kind)
        )
        found = {str(kind): float(count) for kind, count in self._session.execute(query)}
        return {str(kind): found.get(str(kind), 0.0) for kind in Refusal}

    def alarms(self, seal: str, *, limit: int = 50) -> list[Alarm]:
        """A seal's alarms, the newest first."""
        query = select(_ALARMS).where(_ALARMS.c.seal == seal).order_by(_ALARMS.c.number.desc())
        return [
            Alarm(row.seal, row.grant, Refusal(row.kind), row.actor, row.wanted, row.at, row.stopped)
            for row in self._session.execute(query.limit(limit))
        ]

"""Every query about drills. Never commits."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlmodel import SQLModel

from credentials.office.seals.drills.values import Drill, DrillState, Item, ItemState, Verdict
from credentials.office.seals.records import SealDrillItemRecord, SealDrillRecord, SealRequestRecord
from credentials.records import CredentialCopyRecord, LicenceRecord
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_DRILLS: Table = SQLModel.metadata.tables[str(SealDrillRecord.__tablename__)]
_ITEMS: Table = SQLModel.metadata.tables[str(SealDrillItemRecord.__tablename__)]
_REQUESTS: Table = SQLModel.metadata.tables[str(SealRequestRecord.__tablename__)]
_COPIES: Table = SQLModel.metadata.tables[str(CredentialCopyRecord.__tablename__)]
_LICENCES: Table = SQLModel.metadata.tables[str(LicenceRecord.__tablename__)]
_PAGE = 2000


class DrillRepository:
    """Drills of all agencies of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, drill: Drill) -> None:
        """Store a new drill."""
        row = {item.name: getattr(drill, item.name) for item in fields(drill)}
        self._session.execute(insert(_DRILLS).values(**{**row, "state": str(drill.state)}))

    def find(self, drill_id: str, *, agency: str, lock: bool = False) -> Drill:
        """An agency's drill, or `NotFound`; `lock` keeps others from going on with it meanwhile."""
        query = select(_DRILLS).where(_DRILLS.c.id == drill_id, _DRILLS.c.agency == agency)
        row = self._session.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFound("no such drill")
        return _drill(row)

    def of_certificate(self, certificate: str, *, agency: str) -> list[Drill]:
        """The drills about a key, the newest first."""
        query = select(_DRILLS).where(_DRILLS.c.certificate == certificate, _DRILLS.c.agency == agency)
        return [_drill(row) for row in self._session.execute(query.order_by(_DRILLS.c.begun_at.desc()))]

    def all_of(self, agency: str, *, limit: int = 100) -> list[Drill]:
        """An agency's drills, the newest first."""
        query = select(_DRILLS).where(_DRILLS.c.agency == agency).order_by(_DRILLS.c.begun_at.desc())
        return [_drill(row) for row in self._session.execute(query.limit(limit))]

    def advance(
        self, drill: Drill, *, at: datetime, state: DrillState | None = None, cursor: int | None = None
    ) -> None:
        """Store how far a drill is; `Conflict` when somebody else went on with it."""
        mine = (
            (_DRILLS.c.id == drill.id)
            & (_DRILLS.c.state == str(drill.state))
            & (_DRILLS.c.cursor == drill.cursor)
        )
        values = {
            "state": str(state or drill.state),
            "cursor": drill.cursor if cursor is None else cursor,
            "changed_at": at,
        }
        if self._session.execute(update(_DRILLS).where(mine).values(**values)).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("somebody else goes on with this drill")

    def add_items(self, drill: str, items: Sequence[Item]) -> None:
        """Store how uses were judged."""
        rows = [
            {
                "drill": drill,
                "use": one.use,
                "document": one.document,
                "licence": one.licence,
                "verdict": str(one.verdict),
                "proved_at": one.proved_at,
                "state": str(one.state),
                "result": one.result,
            }
            for one in items
        ]
        if rows:
            self._session.execute(insert(_ITEMS), rows)

    def items(
        self, drill: str, *, after: int = 0, state: ItemState | None = None, limit: int = 100
    ) -> list[Item]:
        """The items behind a use, in their order; of one state where named."""
        query = select(_ITEMS).where(_ITEMS.c.drill == drill, _ITEMS.c.use > after)
        if state is not None:
            query = query.where(_ITEMS.c.state == str(state))
        return [_item(row) for row in self._session.execute(query.order_by(_ITEMS.c.use).limit(limit))]

    def settle(self, drill: str, use: int, *, state: ItemState, result: str) -> None:
        """Say what became of an open item; `Conflict` when somebody else did."""
        mine = (_ITEMS.c.drill == drill) & (_ITEMS.c.use == use) & (_ITEMS.c.state == str(ItemState.OPEN))
        values = {"state": str(state), "result": result[:200]}
        if self._session.execute(update(_ITEMS).where(mine).values(**values)).rowcount != 1:  # type: ignore[attr-defined]  # the same
            raise Conflict("somebody else dealt with this document")

    def reopen(self, drill: str, *, result: str) -> int:
        """Open again what was left for a reason that passed; returns how many."""
        mine = (
            (_ITEMS.c.drill == drill) & (_ITEMS.c.state == str(ItemState.LEFT)) & (_ITEMS.c.result == result)
        )
        done = self._session.execute(update(_ITEMS).where(mine).values(state=str(ItemState.OPEN), result=""))
        return int(done.rowcount)  # type: ignore[attr-defined]  # the same

    def counts(self, drill: str) -> tuple[dict[str, int], dict[str, int]]:
        """How many items there are of each verdict, and of each state."""
        return self._count(drill, _ITEMS.c.verdict), self._count(drill, _ITEMS.c.state)

    def digest(self, drill: str) -> str:
        """SHA-256 (hex) over every item and its verdict: what a second person agrees to."""
        total, after = hashlib.sha256(), 0
        while page := self.items(drill, after=after, limit=_PAGE):
            for one in page:
                total.update(f"{one.use} {one.document} {one.licence or '-'} {one.verdict}\n".encode())
            after = page[-1].use
        return total.hexdigest()

    def request_of(self, drill: str, *, agency: str) -> str | None:
        """The newest request that is about a drill."""
        query = select(_REQUESTS.c.id, _REQUESTS.c.content).where(
            _REQUESTS.c.agency == agency, _REQUESTS.c.kind == "compromise"
        )
        rows = self._session.execute(query.order_by(_REQUESTS.c.asked_at.desc(), _REQUESTS.c.id))
        return next((row.id for row in rows if row.content.get("drill") == drill), None)

    def content_of(self, drill: str, *, agency: str) -> dict[str, Any]:
        """What the newest request about a drill says, or `NotFound`."""
        request = self.request_of(drill, agency=agency)
        if request is None:
            raise NotFound("nothing is planned yet")
        query = select(_REQUESTS.c.content).where(_REQUESTS.c.id == request)
        return dict(self._session.execute(query).scalar_one())

    # Machine copies, of a credential key

    def copies(self, agency: str, *, since: datetime, until: datetime, limit: int) -> list[Any]:
        """Copies of an agency's licences that were made in a time and are not ended."""
        return list(self._session.execute(_live_copies(agency, since, until).limit(limit)))

    def count_copies(self, agency: str, *, since: datetime, until: datetime) -> int:
        """How many of them there are."""
        found = select(func.count()).select_from(_live_copies(agency, since, until).subquery())
        return int(self._session.execute(found).scalar_one())

    def retire_copy(self, uri: str, index: int, *, at: datetime, by: str) -> None:
        """End a copy for good."""
        mine = (_COPIES.c.status_uri == uri) & (_COPIES.c.status_index == index)
        self._session.execute(update(_COPIES).where(mine).values(retired_at=at, retired_by=by))

    def _count(self, drill: str, column: Any) -> dict[str, int]:
        query = select(column, func.count()).where(_ITEMS.c.drill == drill).group_by(column)
        return {str(name): int(count) for name, count in self._session.execute(query)}


def _live_copies(agency: str, since: datetime, until: datetime) -> Any:
    wanted = (_COPIES.c.made_at >= since) & (_COPIES.c.made_at <= until) & _COPIES.c.retired_at.is_(None)
    return (
        select(_COPIES.c.status_uri, _COPIES.c.status_index, _COPIES.c.licence)
        .join(_LICENCES, _LICENCES.c.identifier == _COPIES.c.licence)
        .where(wanted, _LICENCES.c.agency_code == agency)
        .order_by(_COPIES.c.status_uri, _COPIES.c.status_index)
    )


def _drill(row: Any) -> Drill:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return Drill(**{**values, "state": DrillState(values["state"])})


def _item(row: Any) -> Item:
    return Item(
        row.use,
        row.document,
        row.licence,
        Verdict(row.verdict),
        row.proved_at,
        ItemState(row.state),
        row.result,
    )

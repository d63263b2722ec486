"""Every query about seals, requests and grants. Never commits; the services own the transactions."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from credentials.office.agreements import Consent
from credentials.office.seals.grants import Grant, GrantTerms
from credentials.office.seals.records import SealGrantRecord, SealRecord, SealRequestRecord
from credentials.office.seals.requests import Request, RequestKind
from credentials.office.seals.values import RemakeReason, Seal, SealKind, SealState
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_SEALS: Table = SQLModel.metadata.tables[str(SealRecord.__tablename__)]
_REQUESTS: Table = SQLModel.metadata.tables[str(SealRequestRecord.__tablename__)]
_GRANTS: Table = SQLModel.metadata.tables[str(SealGrantRecord.__tablename__)]


class SealRepository:
    """Seals of all agencies of this database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, seal: Seal) -> None:
        """Store a new seal; `Conflict` when its certificate belongs to another."""
        try:
            with self._session.begin_nested():
                self._session.execute(insert(_SEALS).values(**_row(seal)))
        except IntegrityError as exc:
            raise Conflict("this certificate belongs to another seal of the register") from exc

    def find(self, seal_id: str, *, agency: str) -> Seal:
        """A seal of an agency's register, or `NotFound`."""
        row = self._session.execute(
            select(_SEALS).where(_SEALS.c.id == seal_id, _SEALS.c.agency == agency)
        ).one_or_none()
        if row is None:
            raise NotFound("no such seal")
        return _seal(row)

    def by_certificate(self, fingerprint: str, *, agency: str, lock: bool = False) -> Seal | None:
        """The seal with this certificate; `lock` keeps it as it is until the transaction ends.

        Others may lock it so too; who wants to change it waits (on SQLite writers take turns anyway).
        """
        query = select(_SEALS).where(_SEALS.c.agency == agency, _SEALS.c.certificate == fingerprint)
        row = self._session.execute(query.with_for_update(read=True) if lock else query).one_or_none()
        return _seal(row) if row else None

    def all_of(self, agency: str, *, owner: str | None = None, limit: int = 1000) -> list[Seal]:
        """An agency's register, the last changed first; the seals of one owner where named."""
        query = select(_SEALS).where(_SEALS.c.agency == agency)
        if owner is not None:
            query = query.where(_SEALS.c.owner == owner)
        rows = self._session.execute(query.order_by(_SEALS.c.changed_at.desc(), _SEALS.c.id).limit(limit))
        return [_seal(row) for row in rows]

    def in_states(self, states: Collection[SealState]) -> list[Seal]:
        """The seals of all agencies that are in these states."""
        query = select(_SEALS).where(_SEALS.c.state.in_([str(one) for one in states]))
        return [_seal(row) for row in self._session.execute(query.order_by(_SEALS.c.id))]

    def change(self, before: Seal, after: Seal) -> Seal:
        """Store a changed seal; `Conflict` when somebody else changed it meanwhile."""
        values = {**_row(after), "step": before.step + 1}
        mine = (_SEALS.c.id == before.id) & (_SEALS.c.step == before.step)
        try:
            with self._session.begin_nested():
                done = self._session.execute(update(_SEALS).where(mine).values(**values))
        except IntegrityError as exc:
            raise Conflict("this certificate belongs to another seal of the register") from exc
        if done.rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("somebody else changed the seal meanwhile: look at it again")
        return _seal_of(values)

    def add_request(self, request: Request) -> None:
        """Store what is asked for."""
        row = {
            "id": request.id,
            "agency": request.agency,
            "seal": request.seal,
            "kind": str(request.kind),
            "content": dict(request.content),
            "asked_by": request.asked_by,
            "asked_at": request.asked_at,
        }
        self._session.execute(insert(_REQUESTS).values(**row))

    def request(self, request_id: str, *, agency: str) -> Request:
        """A request of the agency, or `NotFound`."""
        wanted = (_REQUESTS.c.id == request_id) & (_REQUESTS.c.agency == agency)
        row = self._session.execute(select(_REQUESTS).where(wanted)).one_or_none()
        if row is None:
            raise NotFound("no such request")
        return _request(row)

    def open_requests(self, agency: str, *, limit: int = 200) -> list[Request]:
        """What waits for a second person, the oldest first."""
        query = select(_REQUESTS).where(_REQUESTS.c.agency == agency, _REQUESTS.c.decided_at.is_(None))
        rows = self._session.execute(query.order_by(_REQUESTS.c.asked_at, _REQUESTS.c.id).limit(limit))
        return [_request(row) for row in rows]

    def decide(self, request: Request, consent: Consent | None, *, at: datetime) -> None:
        """Close a request, agreed to or not; `Conflict` when somebody else decided on it before."""
        mine = (_REQUESTS.c.id == request.id) & _REQUESTS.c.decided_at.is_(None)
        values = {"consent": consent.to_dict() if consent else None, "decided_at": at}
        if self._session.execute(update(_REQUESTS).where(mine).values(**values)).rowcount != 1:  # type: ignore[attr-defined]  # the same
            raise Conflict("somebody else decided on it meanwhile")

    def add_grant(self, grant: Grant) -> None:
        """Store a grant."""
        row = {
            "id": grant.id,
            "seal": grant.seal,
            "terms": grant.terms.to_dict(),
            "granted_by": grant.granted_by,
            "granted_at": grant.granted_at,
            "stopped_at": grant.stopped_at,
            "stopped_for": grant.stopped_for,
        }
        self._session.execute(insert(_GRANTS).values(**row))

    def grants(self, seal_id: str, *, active: bool = True) -> list[Grant]:
        """The grants of a seal, the oldest first; ended ones too unless only the `active` are wanted."""
        query = select(_GRANTS).where(_GRANTS.c.seal == seal_id)
        if active:
            query = query.where(_GRANTS.c.stopped_at.is_(None))
        rows = self._session.execute(query.order_by(_GRANTS.c.granted_at, _GRANTS.c.id))
        return [_grant(row) for row in rows]

    def stop_grant(self, grant_id: str, *, seal: str, at: datetime, why: str) -> bool:
        """End a grant; False when it has ended before."""
        mine = (_GRANTS.c.id == grant_id) & (_GRANTS.c.seal == seal) & _GRANTS.c.stopped_at.is_(None)
        done = self._session.execute(update(_GRANTS).where(mine).values(stopped_at=at, stopped_for=why))
        return bool(done.rowcount)  # type: ignore[attr-defined]  # the same


def _row(seal: Seal) -> dict[str, Any]:
    row = {item.name: getattr(seal, item.name) for item in fields(seal)}
    row |= {"kind": str(seal.kind), "state": str(seal.state)}
    row |= {"stopped_from": str(seal.stopped_from) if seal.stopped_from else None}
    return row | {"remade_for": str(seal.remade_for) if seal.remade_for else None}


def _seal(row: Any) -> Seal:
    return _seal_of(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name


def _seal_of(values: dict[str, Any]) -> Seal:
    reason, before = values["remade_for"], values["stopped_from"]
    words = {
        "stopped_from": SealState(before) if before else None,
        "kind": SealKind(values["kind"]),
        "state": SealState(values["state"]),
        "remade_for": RemakeReason(reason) if reason else None,
    }
    return Seal(**{**values, **words})


def _request(row: Any) -> Request:
    return Request(
        row.id,
        row.agency,
        row.seal,
        RequestKind(row.kind),
        row.content,
        row.asked_by,
        row.asked_at,
        Consent.from_dict(row.consent) if row.consent else None,
        row.decided_at,
    )


def _grant(row: Any) -> Grant:
    terms = GrantTerms.from_dict(row.terms)
    return Grant(row.id, row.seal, terms, row.granted_by, row.granted_at, row.stopped_at, row.stopped_for)

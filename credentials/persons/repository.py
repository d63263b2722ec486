"""Every query that is about a person: what there is, what is over, and the strokes that erase it.

Nothing here commits. The blind index finds licences; grants and cases that no index leads to are read and
compared, which is slow and rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, insert, or_, select, update
from sqlmodel import SQLModel

from credentials.office.cases import CaseState
from credentials.office.records import CaseRecord
from credentials.oid4vci.records import AuthorizationRecord, GrantRecord, LoginRecord, OfferRecord
from credentials.persons.records import ErasureRecord
from credentials.records import LicenceEventRecord, LicenceRecord
from credentials.repository import LicenceRepository
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Row, Table
    from sqlmodel import Session

    from credentials.blind_index import BlindIndex
    from credentials.licence import Licence


def _table(record: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(record.__tablename__)]


_LICENCES, _EVENTS, _CASES = _table(LicenceRecord), _table(LicenceEventRecord), _table(CaseRecord)
_ERASURES = _table(ErasureRecord)
_ISSUANCE = tuple(
    (_table(record), key)
    for record, key in (
        (OfferRecord, "id"),
        (LoginRecord, "digest"),
        (AuthorizationRecord, "id"),
        (GrantRecord, "id"),
    )
)


class PersonRepository:
    """Questions about persons in the caller's session."""

    def __init__(self, session: Session, index: BlindIndex) -> None:
        self._session, self._index = session, index

    def licences(self, code: str) -> list[Licence]:
        """Every version of every licence that a person holds or held, oldest first."""
        query = select(_LICENCES.c.identifier).where(
            _LICENCES.c.holder_index == self._index.of("holder", code)
        )
        query = query.order_by(_LICENCES.c.issued_at, _LICENCES.c.identifier)
        repository = LicenceRepository(self._session, index=self._index)
        found = (repository.by_identifier(row.identifier) for row in self._session.execute(query).all())
        return [licence for licence in found if licence]

    def licences_over(self, type_code: str, *, before: datetime, limit: int) -> list[str]:
        """Identifiers of a type's licences that ended before a moment and are not erased: all versions.

        A licence ends with its current version: by that one's last day, or by its ending.
        """
        ending = exists().where(
            _EVENTS.c.licence == _LICENCES.c.identifier,
            _EVENTS.c.is_ending,
            _EVENTS.c.effective_from < before,
        )
        last_day = and_(_LICENCES.c.valid_until.is_not(None), _LICENCES.c.valid_until < before.date())
        ended = select(_LICENCES.c.lineage).where(
            _LICENCES.c.type_code == type_code, _LICENCES.c.is_current, or_(ending, last_day)
        )
        query = select(_LICENCES.c.identifier).where(
            _LICENCES.c.lineage.in_(ended), _LICENCES.c.erased_at.is_(None)
        )
        return list(self._session.execute(query.order_by(_LICENCES.c.identifier).limit(limit)).scalars())

    def type_codes(self) -> list[str]:
        """Every licence type that has licences here."""
        return list(self._session.execute(select(_LICENCES.c.type_code).distinct()).scalars())

    def erase_licences(self, identifiers: Collection[str], *, at: datetime) -> None:
        """Empty what is personal; identifier, type, days and standing stay."""
        empty: dict[str, Any] = {"holder_name": "", "holder_code": "", "claims": {}}
        query = update(_LICENCES).where(_LICENCES.c.identifier.in_(identifiers))
        self._session.execute(query.values(**empty, holder_index=None, erased_at=at))

    def cases(self, states: Iterable[CaseState] = (), *, sealed_as: Collection[str] = ()) -> list[Row[Any]]:
        """Cases in some states, or that led to these licences."""
        query = select(_CASES)
        wanted = or_(_CASES.c.state.in_(map(str, states)), _CASES.c.sealed_as.in_(sealed_as))
        return list(self._session.execute(query.where(wanted).order_by(_CASES.c.id)).all())

    def cases_over(self, *, before: datetime, limit: int) -> list[Row[Any]]:
        """Cases withdrawn before a moment, and those whose licence was erased; not emptied yet."""
        erased = exists().where(
            _LICENCES.c.identifier == _CASES.c.sealed_as, _LICENCES.c.erased_at.is_not(None)
        )
        withdrawn = and_(_CASES.c.state == str(CaseState.WITHDRAWN), _CASES.c.changed_at < before)
        query = select(_CASES.c.id, _CASES.c.work).where(or_(withdrawn, erased)).order_by(_CASES.c.id)
        found: list[Row[Any]] = []
        for row in self._session.execute(query.execution_options(yield_per=500)):
            if row.work.get("claims"):
                found.append(row)
                if len(found) >= limit:
                    break
        return found

    def cases_named(self, ids: Collection[str]) -> list[Row[Any]]:
        """Cases of these ids."""
        query = select(_CASES.c.id, _CASES.c.work).where(_CASES.c.id.in_(ids)).order_by(_CASES.c.id)
        return list(self._session.execute(query).all())

    def erase_cases(self, ids: Collection[str]) -> None:
        """Empty the claims of cases; what was asked for, and who agreed, stays."""
        rows = self._session.execute(select(_CASES.c.id, _CASES.c.work).where(_CASES.c.id.in_(ids))).all()
        for row in rows:
            work = {**row.work, "claims": {}, "holder_key": None}
            self._session.execute(update(_CASES).where(_CASES.c.id == row.id).values(work=work))

    def issuance(self, code: str) -> list[tuple[str, Any, Row[Any]]]:
        """Offers, logins, requests and grants of a person: table, key, row."""
        wanted = self._index.of("holder", code)
        return [
            (table.name, getattr(row, key), row)
            for table, key in _ISSUANCE
            for row in self._session.execute(select(table))
            if row.holder and self._index.of("holder", row.holder) == wanted
        ]

    def erase_issuance(self, keys: Iterable[tuple[str, Any]], *, at: datetime) -> None:
        """Forget hand-overs: single-use things go, a grant ends and keeps no name."""
        for name, key in keys:
            table, column = next((one, one.c[key_name]) for one, key_name in _ISSUANCE if one.name == name)
            if name == _table(GrantRecord).name:
                self._session.execute(update(table).where(column == key).values(holder="", revoked_at=at))
            else:
                self._session.execute(delete(table).where(column == key))

    def add_erasure(self, row: Mapping[str, Any]) -> None:
        """Keep a new erasure."""
        self._session.execute(insert(_ERASURES).values(**row))

    def erasure(self, identifier: str, *, agency: str) -> Row[Any] | None:
        """An agency's own erasure."""
        mine = (_ERASURES.c.id == identifier) & (_ERASURES.c.agency == agency)
        return self._session.execute(select(_ERASURES).where(mine)).one_or_none()

    def change_erasure(self, identifier: str, found: str, **values: Any) -> None:
        """Change an erasure that is found in this state; `Conflict` when somebody was faster."""
        mine = (_ERASURES.c.id == identifier) & (_ERASURES.c.state == found)
        if self._session.execute(update(_ERASURES).where(mine).values(**values)).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("somebody else changed this erasure meanwhile")

    def erased(self) -> list[tuple[str, str]]:
        """Kind and key of all that was erased on demand."""
        done = (
            select(_ERASURES.c.erased).where(_ERASURES.c.done_at.is_not(None)).order_by(_ERASURES.c.done_at)
        )
        return [(kind, key) for names in self._session.execute(done).scalars() for kind, key in names]


def reopen_erasures(session: Session) -> int:
    """Have erasures that were agreed to and not done here be agreed to anew; returns how many.

    For a node that was put back from a backup.
    """
    agreed = update(_ERASURES).where(_ERASURES.c.state == "agreed")
    result = session.execute(agreed.values(state="asked", consent=None))
    return int(result.rowcount)  # type: ignore[attr-defined]  # an update's result has it

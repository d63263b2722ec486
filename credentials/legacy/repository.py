"""Every query about older registers. Never commits; `importing` and `sealing` own the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from credentials.legacy.records import REGISTERS, ROWS, RUNS
from credentials.records import LicenceRecord
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Table
    from sqlmodel import Session

_LICENCES: Table = LicenceRecord.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Register:
    """An older register of an agency.

    It is read by the mapping of this SHA-256, which `proposed_by` wrote and somebody else gave `consent` to.
    `cursor` is how far it was followed, `cut_off` the last day that it may add.
    """

    agency: str
    register: str
    source: str
    type_code: str
    mapping_sha256: str
    proposed_by: str
    consent: Mapping[str, Any] | None = None
    cursor: datetime | None = None
    cut_off: date | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the proof of the consent."""
        return {
            "register": self.register,
            "source": self.source,
            "type": self.type_code,
            "mapping_sha256": self.mapping_sha256,
            "proposed_by": self.proposed_by,
            "agreed_by": self.consent["by"] if self.consent else None,
            "cursor": self.cursor.isoformat() if self.cursor else None,
            "cut_off": self.cut_off.isoformat() if self.cut_off else None,
        }


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row that was taken over: what it was like then, and the licence that it led to."""

    key: bytes
    digest: bytes
    licence: str | None


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row that is being taken over. `fixes` are columns and rules."""

    key: bytes
    digest: bytes
    licence: str | None
    row: int
    fixes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One walk over a file."""

    id: str
    register: str
    actor: str
    begun_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, int] | None


class LegacyRepository:
    """The older registers of one agency (its credit code) in the caller's session."""

    def __init__(self, session: Session, *, agency: str) -> None:
        self._session, self._agency = session, agency

    def register(self, name: str) -> Register | None:
        """The register of this name."""
        query = select(REGISTERS).where(self._is(name))
        row = self._session.execute(query).one_or_none()
        return _register(row) if row else None

    def registers(self) -> list[Register]:
        """Every register, by name."""
        query = select(REGISTERS).where(REGISTERS.c.agency == self._agency)
        return [_register(row) for row in self._session.execute(query.order_by(REGISTERS.c.register))]

    def add_register(self, register: Register) -> None:
        """Add one; `Conflict` when it is there."""
        row = {name: getattr(register, name) for name in Register.__slots__}
        self._insert(REGISTERS, [row], "the register exists")

    def change_mapping(self, register: Register) -> None:
        """Read a register by another mapping, which nobody has agreed to yet."""
        self._change_register(
            register.register,
            source=register.source,
            mapping_sha256=register.mapping_sha256,
            proposed_by=register.proposed_by,
            consent=None,
        )

    def agree(self, name: str, consent: Mapping[str, Any], *, mapping_sha256: str) -> None:
        """Keep somebody's consent to the mapping; `Conflict` when it is another one by now."""
        same = self._is(name) & (REGISTERS.c.mapping_sha256 == mapping_sha256)
        agreed = update(REGISTERS).where(same, REGISTERS.c.consent.is_(None)).values(consent=dict(consent))
        if self._session.execute(agreed).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("the mapping was changed, or agreed to, meanwhile")

    def set_cut_off(self, name: str, day: date) -> None:
        """From which day on the old register may not add."""
        self._change_register(name, cut_off=day)

    def advance(self, name: str, *, to: datetime) -> None:
        """Move the cursor forward, never back."""
        register = self.register(name)
        if register and (register.cursor is None or register.cursor < to):
            self._change_register(name, cursor=to)

    def begin(self, run: str, **facts: Any) -> None:
        """Add a run."""
        self._insert(RUNS, [{"id": run, "agency": self._agency, **facts}], "the run exists")

    def end(self, run: str, *, at: datetime, counts: Mapping[str, int], file_sha256: str) -> None:
        """Say that every row was decided."""
        ended = update(RUNS).where(RUNS.c.id == run, RUNS.c.agency == self._agency)
        self._session.execute(ended.values(ended_at=at, counts=dict(counts), file_sha256=file_sha256))

    def runs(self, *, limit: int = 50) -> list[Run]:
        """The newest runs."""
        query = (
            select(RUNS).where(RUNS.c.agency == self._agency).order_by(RUNS.c.begun_at.desc()).limit(limit)
        )
        return [
            Run(row.id, row.register, row.actor, row.begun_at, row.ended_at, row.counts)
            for row in self._session.execute(query)
        ]

    def known(self, register: str, keys: Collection[bytes]) -> dict[bytes, KnownRow]:
        """Those of the rows that were taken over before, by key."""
        query = select(ROWS.c.key, ROWS.c.digest, ROWS.c.licence).where(
            ROWS.c.agency == self._agency, ROWS.c.register == register, ROWS.c.key.in_(keys)
        )
        return {row.key: KnownRow(row.key, row.digest, row.licence) for row in self._session.execute(query)}

    def add_rows(self, register: str, run: str, rows: Sequence[NewRow]) -> None:
        """Remember rows; `Conflict` when one is there already."""
        if rows:
            values = [self._row(register, run, one) for one in rows]
            self._insert(ROWS, values, "one of these rows was taken over meanwhile")

    def change_row(self, register: str, run: str, row: NewRow, *, before: bytes) -> None:
        """Remember what a row is like now; `Conflict` when it is no longer as it was `before`."""
        same = (ROWS.c.agency == self._agency) & (ROWS.c.register == register) & (ROWS.c.key == row.key)
        changed = update(ROWS).where(same, ROWS.c.digest == before).values(**self._row(register, run, row))
        if self._session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("the row was taken over meanwhile")

    def taken(self, type_code: str, numbers: Collection[str]) -> set[str]:
        """Which of these numbers licences of this type have here, of whatever agency."""
        query = select(_LICENCES.c.number).where(
            _LICENCES.c.type_code == type_code, _LICENCES.c.number.in_(numbers), _LICENCES.c.is_current
        )
        return set(self._session.execute(query).scalars())

    def unsealed(self, register: str, *, after: str = "", limit: int) -> list[str]:
        """Current licences of a register that have no document, by identifier."""
        query = (
            select(_LICENCES.c.identifier)
            .join(ROWS, ROWS.c.licence == _LICENCES.c.identifier)
            .where(
                ROWS.c.agency == self._agency,
                ROWS.c.register == register,
                _LICENCES.c.is_current,
                _LICENCES.c.pdf_sha256.is_(None),
                _LICENCES.c.identifier > after,
            )
            .order_by(_LICENCES.c.identifier)
            .limit(limit)
        )
        return list(self._session.execute(query).scalars())

    def counts(self, register: str) -> tuple[int, int]:
        """How many licences came from a register, and how many of them have a document."""
        query = (
            select(func.count(), func.count(_LICENCES.c.pdf_sha256))
            .select_from(ROWS)
            .join(_LICENCES, ROWS.c.licence == _LICENCES.c.identifier)
            .where(ROWS.c.agency == self._agency, ROWS.c.register == register)
        )
        total, sealed = self._session.execute(query).one()
        return int(total), int(sealed)

    def _row(self, register: str, run: str, row: NewRow) -> dict[str, Any]:
        return {
            "agency": self._agency,
            "register": register,
            "key": row.key,
            "digest": row.digest,
            "licence": row.licence,
            "run": run,
            "row": row.row,
            "fixes": [list(one) for one in row.fixes],
        }

    def _change_register(self, name: str, **values: Any) -> None:
        self._session.execute(update(REGISTERS).where(self._is(name)).values(**values))

    def _is(self, name: str) -> Any:
        return (REGISTERS.c.agency == self._agency) & (REGISTERS.c.register == name)

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]], otherwise: str) -> None:
        try:
            self._session.execute(insert(table), list(rows))
        except IntegrityError as exc:
            raise Conflict(otherwise) from exc


def _register(row: Any) -> Register:
    return Register(**{name: getattr(row, name) for name in Register.__slots__})

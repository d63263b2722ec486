"""Every query about licences that others issued. Never commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from credentials.foreign.licence import ForeignLicence
from credentials.foreign.records import FOREIGN
from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlmodel import Session

_LIMIT = 100


class ForeignRepository:
    """Others' licences in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_all(self, licences: Sequence[tuple[ForeignLicence, bytes | None]]) -> None:
        """Index licences, each with its holder's digest; a number that is indexed already is a `Conflict`."""
        if not licences:
            return
        try:
            self._session.execute(insert(FOREIGN), [_row(one, index) for one, index in licences])
        except IntegrityError as exc:
            raise Conflict("one of these numbers is indexed already") from exc

    def replace(self, licence: ForeignLicence, holder_index: bytes | None) -> None:
        """Put newer facts in place of those of the same number, from the agency that indexed it."""
        row = _row(licence, holder_index)
        same = (
            (FOREIGN.c.type_code == licence.type_code)
            & (FOREIGN.c.number == licence.number)
            & (FOREIGN.c.kept_by == licence.kept_by)
        )
        if self._session.execute(update(FOREIGN).where(same).values(**row)).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("another agency indexed this number")

    def find(self, number: str, *, type_code: str | None = None) -> list[ForeignLicence]:
        """Others' licences with this number."""
        query = select(FOREIGN).where(FOREIGN.c.number == number).limit(_LIMIT)
        if type_code is not None:
            query = query.where(FOREIGN.c.type_code == type_code)
        return [_licence(row) for row in self._session.execute(query)]

    def of_holder(self, holder_index: bytes) -> list[ForeignLicence]:
        """Others' licences of a holder, by the digest of who that is."""
        query = select(FOREIGN).where(FOREIGN.c.holder_index == holder_index).limit(_LIMIT)
        return [_licence(row) for row in self._session.execute(query)]

    def taken(self, type_code: str, numbers: Collection[str]) -> set[str]:
        """Which of these numbers others gave licences of this type."""
        query = select(FOREIGN.c.number).where(
            FOREIGN.c.type_code == type_code, FOREIGN.c.number.in_(numbers)
        )
        return set(self._session.execute(query).scalars())


def _row(licence: ForeignLicence, holder_index: bytes | None) -> dict[str, Any]:
    return {
        "type_code": licence.type_code,
        "number": licence.number,
        "type_zh": licence.type_name.zh,
        "type_en": licence.type_name.en,
        "issuer_code": licence.issuer_code,
        "issuer_zh": licence.issuer_name.zh,
        "issuer_en": licence.issuer_name.en,
        "verify_at": licence.verify_at,
        "holder_index": holder_index,
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
        "source": licence.source,
        "kept_by": licence.kept_by,
        "recorded_at": licence.recorded_at,
    }


def _licence(row: Any) -> ForeignLicence:
    return ForeignLicence(
        type_code=row.type_code,
        number=row.number,
        type_name=Text(row.type_zh, row.type_en),
        issuer_code=row.issuer_code,
        issuer_name=Text(row.issuer_zh, row.issuer_en),
        verify_at=row.verify_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        source=row.source,
        kept_by=row.kept_by,
        recorded_at=row.recorded_at,
    )

"""Columns of personal data: sealed by the database's vault when written, opened when read.

A table says `Column(SealedText("licence.holder_name"))` and the rest of the code never knows. A database
without a vault (tests, tools) keeps values plain, and refuses to read sealed ones. What cannot be searched
in clear is found by a blind index beside it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, TypeDecorator, func, or_, select, type_coerce, update
from sqlmodel import SQLModel

from yinxin.base.errors import SignerUnavailable, UsageError
from yinxin.base.vault import PLAIN, Vault, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Dialect
    from sqlmodel import Session

VAULT = "yinxin_vault"  # where an engine's dialect carries its vault


class SealedText(TypeDecorator[str]):
    """A column of text under the vault; `place` is its `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """What is kept."""
        return None if value is None else _seal(value.encode(), self.place, dialect)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """What was kept."""
        return None if value is None else _open(value, self.place, dialect).decode()


class SealedJson(TypeDecorator[Any]):
    """A column of JSON under the vault; `place` is its `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """What is kept."""
        if value is None:
            return None
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _seal(text.encode(), self.place, dialect)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """What was kept."""
        return None if value is None else json.loads(_open(value, self.place, dialect))


def reseal(session: Session, *, limit: int = 500) -> int:
    """Seal up to `limit` rows whose values are plain, or sealed with an older key; returns how many.

    For rows from before there was a key, and after a new key was put in front. `UsageError` without a vault.
    """
    vault = _vault(session.get_bind().dialect)
    if vault is None:
        raise UsageError("this database has no vault")
    left = limit
    for table in SQLModel.metadata.sorted_tables:
        columns = [one for one in table.columns if isinstance(one.type, SealedText | SealedJson)]
        if columns and left > 0:
            left -= _reseal_table(session, table, columns, mark=vault.mark, limit=left)
    return limit - left


def _reseal_table(
    session: Session, table: Table, columns: Sequence[Column[Any]], *, mark: bytes, limit: int
) -> int:
    keys = list(table.primary_key.columns)
    stale = [func.substr(type_coerce(one, LargeBinary), 1, len(mark)) != mark for one in columns]
    rows = session.execute(select(*keys, *columns).where(or_(*stale)).limit(limit)).all()
    for row in rows:
        values = {one.name: getattr(row, one.name) for one in columns}
        mine = [key == getattr(row, key.name) for key in keys]
        session.execute(update(table).where(*mine).values(values))
    return len(rows)


def _vault(dialect: Dialect) -> Vault | None:
    return getattr(dialect, VAULT, None)


def _seal(value: bytes, place: str, dialect: Dialect) -> bytes:
    vault = _vault(dialect)
    return vault.seal(value, place=place) if vault else plain(value)


def _open(kept: bytes, place: str, dialect: Dialect) -> bytes:
    vault = _vault(dialect)
    if vault is not None:
        return vault.open(kept, place=place)
    if kept[:1] != PLAIN:
        raise SignerUnavailable(f"personal data in {place} is sealed, and this database has no vault")
    return kept[1:]

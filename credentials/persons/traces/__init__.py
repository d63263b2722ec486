"""What people left beside their licences: what they wrote in disputes and requests, and others' registers.

A key of an entry of another's register is its type and number, with a space between; types have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.licence import start_of_day
from credentials.persons.holdings import IN_USE, OVER, Held, why_kept
from credentials.persons.repository import PersonRepository
from credentials.persons.retention import Retention, years_earlier
from credentials.persons.traces.repository import OPEN_CORRECTIONS, OPEN_DISPUTES, TraceRepository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from yinxin.base.database import Session


class _Holding:
    """What the three have in common."""

    def __init__(self, index: BlindIndex, retention: Retention) -> None:
        self._index, self._retention = index, retention

    def _licences(self, session: Session, person: str) -> list[str]:
        return [one.identifier for one in PersonRepository(session, self._index).licences(person)]


class DisputeHolding(_Holding):
    """Disputes about a person's licences: what was written, and answered."""

    kind = "dispute"

    def of(self, session: Session, person: str) -> list[Held]:
        """Those whose words are kept."""
        rows = TraceRepository(session).disputes(licences=self._licences(session, person))
        return [self._held(row, {"words": row.words, "answers": row.answers}) for row in rows]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Those that ended as long ago as withdrawn cases are kept."""
        before = years_earlier(now, self._retention.case_years)
        names = TraceRepository(session).disputes_over(before=before, limit=limit)
        return [Held(self.kind, name, now, OVER, {}) for name in names]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Those of these numbers whose words are kept."""
        rows = TraceRepository(session).disputes(numbers=keys)
        return [Held(self.kind, row.number, now, OVER, {}) for row in rows]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Forget the words; that there was a dispute stays."""
        del at
        TraceRepository(session).erase_disputes([one.key for one in held])

    def _held(self, row: Any, content: Mapping[str, Any]) -> Held:
        is_open = row.state in OPEN_DISPUTES
        until = None if is_open else self._retention.case_until(row.changed_at)
        return Held(self.kind, row.number, until, why_kept(until), content)


class CorrectionHolding(_Holding):
    """Requests to correct a datum of a person's licences."""

    kind = "correction"

    def of(self, session: Session, person: str) -> list[Held]:
        """Those whose words are kept."""
        rows = TraceRepository(session).corrections(licences=self._licences(session, person))
        return [self._held(row) for row in rows if row.words]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Those that were decided as long ago as withdrawn cases are kept."""
        before = years_earlier(now, self._retention.case_years)
        names = TraceRepository(session).corrections_over(before=before, limit=limit)
        return [Held(self.kind, name, now, OVER, {}) for name in names]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Those of these ids whose words are kept."""
        rows = TraceRepository(session).corrections(ids=keys)
        return [Held(self.kind, row.id, now, OVER, {}) for row in rows if row.words]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Forget the words; that there was a request stays."""
        del at
        TraceRepository(session).erase_corrections([one.key for one in held])

    def _held(self, row: Any) -> Held:
        is_open = row.state in OPEN_CORRECTIONS or row.decided_at is None
        until = None if is_open else self._retention.case_until(row.decided_at)
        content = {"licence": row.licence, "field": row.field, "words": row.words, "note": row.note}
        return Held(self.kind, row.id, until, why_kept(until), content)


class ForeignHolding(_Holding):
    """Entries about licences that others issued; they hold no name, but lead from a holder's number."""

    kind = "foreign_licence"

    def of(self, session: Session, person: str) -> list[Held]:
        """What the index has of the person."""
        return [self._held(row) for row in TraceRepository(session).foreign(self._index.of("holder", person))]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Entries whose licences ended as long ago as ours are kept."""
        before = years_earlier(now, self._retention.licence_years).date()
        rows = TraceRepository(session).foreign_over(before=before, limit=limit)
        return [Held(self.kind, _key(row), now, OVER, {}) for row in rows]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Entries of these keys that still lead from a holder."""
        rows = TraceRepository(session).foreign_named([_read_key(key) for key in keys])
        return [Held(self.kind, _key(row), now, OVER, {}) for row in rows]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Let nothing lead from the holder to them."""
        del at
        TraceRepository(session).erase_foreign([_read_key(one.key) for one in held])

    def _held(self, row: Any) -> Held:
        ended = start_of_day(row.valid_until) if row.valid_until else None
        until = self._retention.licence_until(row.type_code, ended) if ended else None
        content = {"type": row.type_zh, "number": row.number, "issuer": row.issuer_zh, "source": row.source}
        return Held(self.kind, _key(row), until, why_kept(until) if until else IN_USE, content)


def _key(row: Any) -> str:
    return f"{row.type_code} {row.number}"


def _read_key(key: str) -> tuple[str, str]:
    type_code, _, number = key.partition(" ")
    return type_code, number

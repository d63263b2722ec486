"""Write what was decided on some rows, in one transaction for all that is new; a changed row has its own.

A new row becomes a licence without a document (or an entry in the index of others' licences), a changed one
the next version, an ending, or a conflict for a clerk, as the mapping says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from credentials.foreign.repository import ForeignRepository
from credentials.legacy.judging import day_of
from credentials.legacy.mapping import OnChange
from credentials.legacy.registers import may_add
from credentials.legacy.repository import LegacyRepository, NewRow
from credentials.legacy.results import Outcome, RowResult
from credentials.licence import VersionKind, agency_day, still_counting
from credentials.repository import LicenceRepository
from yinxin.base import audit
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from credentials.changes import Changes
    from credentials.holders import HolderStates
    from credentials.legacy.judging import Entry, Judged
    from credentials.legacy.making import Maker
    from credentials.legacy.repository import KnownRow, Register
    from credentials.licence import Licence
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session
    from yinxin.base.text import Text


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A row that no earlier one has the number of."""

    key: bytes
    digest: bytes
    judged: Judged
    entry: Entry


@dataclass(frozen=True, slots=True)
class ChangedEntry:
    """A row that was taken over before, and says something else now."""

    before: KnownRow
    digest: bytes
    judged: Judged
    entry: Entry


@dataclass(slots=True)
class Found:
    """Some rows, sorted: what is decided already, what is new, what has changed."""

    results: list[RowResult] = field(default_factory=list)
    new: list[NewEntry] = field(default_factory=list)
    changed: list[ChangedEntry] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Writes for one walk over a file; with an empty `run_id` it only says what would be written."""

    database: Database
    index: BlindIndex
    changes: Changes
    clock: Clock
    maker: Maker
    register: Register
    actor: Actor
    run_id: str
    holders: HolderStates | None = None

    def take(self, found: Found) -> list[RowResult]:
        """Take rows over; `Conflict` when somebody was faster with one that is new: look again then."""
        now = self.clock.now()
        return [*self._take_new(found.new, now), *(self._take_changed(one, now) for one in found.changed)]

    def _session(self) -> AbstractContextManager[Session]:
        return self.database.transaction() if self.run_id else self.database.reading()

    def _take_new(self, entries: Sequence[NewEntry], now: datetime) -> list[RowResult]:
        if not entries:
            return []
        with self._session() as session:
            numbers = [one.entry.number for one in entries]
            own = self._own(session).taken(self.maker.mapping.type_code, numbers)
            foreign = ForeignRepository(session).taken(self.maker.mapping.type_code, numbers)
            gone = self._gone(session, [one.entry for one in entries])
            refused = {one.key: self._refusal(one, own, foreign, gone, now) for one in entries}
            accepted = [one for one in entries if refused[one.key] is None]
            identifiers = {
                one.key: self.maker.identifier(one.key) if self.maker.kind else None for one in accepted
            }
            if accepted and self.run_id:
                self._write(session, [(one, identifiers[one.key]) for one in accepted], now)
        return [
            RowResult(one.judged.row, Outcome.REFUSED, said)
            if (said := refused[one.key])
            else RowResult(one.judged.row, Outcome.NEW, one.judged, identifiers[one.key])
            for one in entries
        ]

    def _gone(self, session: Session, entries: Sequence[Entry]) -> Mapping[str, Text]:
        """Holders recorded as dead or dissolved, and why; rows that ended in the old system do not ask."""
        if self.holders is None or self.maker.kind is None:
            return {}
        codes = {one.holder_code for one in entries if one.ended is None}
        return self.holders.refusals(session, codes) if codes else {}

    def _refusal(
        self,
        one: NewEntry,
        own: set[str],
        foreign: set[str],
        gone: Mapping[str, Text],
        now: datetime,
    ) -> Judged | None:
        number, column = one.entry.number, self.maker.mapping.number
        if number in own:
            return one.judged.refused(
                column, "编号已被本库另一证照使用", "another licence in this repository has the number"
            )
        if number in foreign:
            return one.judged.refused(
                column,
                "此编号的证照由其他机关签发",
                "the licence of this number was issued by another agency",
            )
        if one.entry.ended is None and (why := gone.get(one.entry.holder_code)):
            return one.judged.refused("", why.zh, why.en)
        if not may_add(self.register, day_of(one.entry), today=agency_day(now)):
            last = self.register.cut_off
            return one.judged.refused(
                "", f"原登记系统自 {last} 之后不得新增", f"the old register may not add after {last}"
            )
        return None

    def _write(
        self, session: Session, accepted: Sequence[tuple[NewEntry, str | None]], now: datetime
    ) -> None:
        rows = [
            NewRow(one.key, one.digest, identifier, one.judged.row, fixes_of(one.judged))
            for one, identifier in accepted
        ]
        if self.maker.kind is None:
            holders = [self.index.of("holder", one.entry.holder_code) for one, _ in accepted]
            licences = [self.maker.foreign(one.entry, now) for one, _ in accepted]
            ForeignRepository(session).add_all(list(zip(licences, holders, strict=True)))
        else:
            repository = LicenceRepository(session, index=self.index)
            repository.add_all(
                [self.maker.licence(one.entry, one.digest, name or "", now) for one, name in accepted]
            )
            for one, name in accepted:
                if one.entry.ended is not None:
                    ending = self.maker.ending(one.entry, now, actor=str(self.actor))
                    repository.add_event(name or "", ending)
        self._own(session).add_rows(self.maker.mapping.register, self.run_id, rows)
        self._audit(session, "legacy.rows", rows, now)

    def _take_changed(self, one: ChangedEntry, now: datetime) -> RowResult:
        last = self.register.cut_off
        if last and day_of(one.entry) > last:
            return _conflict(one, f"原登记系统已于 {last} 停用", f"the old register was closed on {last}")
        try:
            with self._session() as session:
                if self.maker.kind is None:
                    return self._index_again(session, one, now)
                return self._follow(session, one, now)
        except (Conflict, UsageError) as exc:
            return _conflict(one, "变更与本库现状冲突，需人工处理", exc.detail)

    def _index_again(self, session: Session, one: ChangedEntry, now: datetime) -> RowResult:
        if self.run_id:
            holder = self.index.of("holder", one.entry.holder_code)
            ForeignRepository(session).replace(self.maker.foreign(one.entry, now), holder)
            self._remember(session, one, None, now)
        return RowResult(one.judged.row, Outcome.CHANGED, one.judged)

    def _follow(self, session: Session, one: ChangedEntry, now: datetime) -> RowResult:
        """Let the licence follow its row: the next version, an ending, or nothing that it says."""
        repository = LicenceRepository(session, index=self.index)
        old = repository.by_identifier(one.before.licence or "")
        if old is None or old.provenance is None or old.replaced_by or old.successors:
            raise Conflict("the licence was changed here since it was taken over")
        ended = next((e.kind for e in still_counting(repository.events(old.identifier)) if e.is_ending), None)
        new = self.maker.licence(one.entry, one.digest, old.identifier, now)
        identifier, outcome = old.identifier, Outcome.CHANGED
        if not _says_the_same(old, new):
            identifier = self._next_version(session, old, new, one.entry)
        elif one.entry.ended is ended:
            outcome = Outcome.SAME
        elif one.entry.ended is None:
            raise Conflict("the licence has ended here, and holds in the old system")
        elif self.run_id:
            ending = self.maker.ending(one.entry, now, actor=str(self.actor))
            self.changes.record(session, old.identifier, ending, actor=self.actor)
        if self.run_id:
            self._remember(session, one, identifier, now)
        return RowResult(one.judged.row, outcome, one.judged, identifier)

    def _next_version(self, session: Session, old: Licence, new: Licence, entry: Entry) -> str:
        if self.maker.mapping.on_change is OnChange.CONFLICT:
            raise Conflict("by the mapping, a clerk decides on changed rows")
        if entry.ended is not None:
            raise Conflict("the row was changed and ended at once: a clerk decides what it said last")
        if gone := self._gone(session, [entry]):
            raise Conflict(gone[entry.holder_code].en)
        identifier = str(LicenceIdentifier.parse(old.identifier).with_version(old.version + 1))
        if self.run_id:
            ending = self.maker.superseding(identifier, new.recorded_at, actor=str(self.actor))
            changed = [name for name in new.claims if new.claims[name] != old.claims.get(name)]
            self.changes.record(session, old.identifier, ending, actor=self.actor, fields=changed)
            successor = replace(
                new,
                identifier=identifier,
                version=old.version + 1,
                replaces=old.identifier,
                kind=VersionKind.CHANGED,
                # Said, not left to the time of sealing: that is later, and answers for a past day stay.
                effective_from=new.recorded_at,
            )
            LicenceRepository(session, index=self.index).add(successor)
        return identifier

    def _remember(self, session: Session, one: ChangedEntry, identifier: str | None, now: datetime) -> None:
        row = NewRow(one.before.key, one.digest, identifier, one.judged.row, fixes_of(one.judged))
        register = self.maker.mapping.register
        self._own(session).change_row(register, self.run_id, row, before=one.before.digest)
        self._audit(session, "legacy.row", [row], now)

    def _own(self, session: Session) -> LegacyRepository:
        return LegacyRepository(session, agency=self.maker.agency.credit_code)

    def _audit(self, session: Session, action: str, rows: Sequence[NewRow], now: datetime) -> None:
        """One entry for the rows of a transaction: how many, and a digest over what each led to."""
        lines = b"".join(row.key + row.digest + (row.licence or "").encode() + b"\n" for row in rows)
        details = {"run": self.run_id, "rows": len(rows), "digest": hashlib.sha256(lines).hexdigest()}
        audit.record(
            session,
            action=action,
            subject=f"register:{self.maker.mapping.register}",
            actor=self.actor,
            at=now,
            details=details,
        )


def fixes_of(judged: Judged) -> tuple[tuple[str, str], ...]:
    """Which fixes were applied where, without data."""
    return tuple(dict.fromkeys((one.column, str(one.fix)) for one in judged.fixes))


def _conflict(one: ChangedEntry, zh: str, en: str) -> RowResult:
    return RowResult(one.judged.row, Outcome.CONFLICT, one.judged.refused("", zh, en), one.before.licence)


def _says_the_same(old: Licence, new: Licence) -> bool:
    days = (old.valid_from, old.valid_until, old.issued_on)
    return old.claims == new.claims and days == (new.valid_from, new.valid_until, new.issued_on)

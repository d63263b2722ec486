"""Bring an older register in: row by row, in batches that stand whole or not at all.

A row is known by a keyed digest of its register and number, and by another of what it says: the same row
again is a no-op, so that a file can be walked again after a kill, and every night. The number and the days
stay those of the paper. Nothing is sealed here.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from credentials.gate import Gate
from credentials.legacy.batch import Batch, ChangedEntry, Found, NewEntry
from credentials.legacy.judging import Judge, Judged, read_moment
from credentials.legacy.keys import RowKeys
from credentials.legacy.making import Maker
from credentials.legacy.numbers import SeenNumbers
from credentials.legacy.registers import CLERK, Registers
from credentials.legacy.repository import LegacyRepository, Register
from credentials.legacy.results import Outcome, RowResult, Summary
from credentials.legacy.sheets import Sheet
from credentials.licence import Agency, agency_day
from yinxin.base import audit
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.changes import Changes
    from credentials.holders import HolderStates
    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.repository import KnownRow
    from credentials.legacy.sheets import RawRow
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

BATCH = 500  # rows that share their transaction
_TRIES = 3  # a batch that others got in the way of
Each = Callable[[RowResult], None]
Progress = Callable[[int], None]


def _ignore(_value: object) -> None:
    """Nobody wants to hear."""


@dataclass(frozen=True)
class LegacyImport:
    """Takes over the older registers of one agency. `changes` writes what became of licences."""

    agency: Agency
    catalogue: Catalogue
    database: Database
    index: BlindIndex
    registers: Registers
    changes: Changes
    clock: Clock = field(default_factory=SystemClock)
    randomness: Randomness = field(default_factory=SystemRandomness)
    holders: HolderStates | None = None

    def check(
        self,
        stream: BinaryIO,
        mapping: LegacyMapping,
        *,
        actor: Actor,
        each: Each = _ignore,
        progress: Progress = _ignore,
    ) -> Summary:
        """What would become of every row; nothing is changed and no agreement is needed.

        `each` hears of every row, `progress` of the rows done. `MalformedInput` or `TooLarge` when the file
        as a whole cannot be read.
        """
        self._admit(actor, "legacy check")
        register = Register(
            self.agency.credit_code,
            mapping.register,
            mapping.source,
            mapping.type_code,
            mapping.digest,
            actor.identifier,
        )
        with self.database.reading() as session:
            known = LegacyRepository(session, agency=self.agency.credit_code).register(mapping.register)
        walk = _Walk(self, mapping, known or register, actor, "")
        return walk.run(stream, each, progress)

    def run(  # noqa: PLR0913 - the facts of a walk
        self,
        stream: BinaryIO,
        mapping: LegacyMapping,
        *,
        actor: Actor,
        catch_up: bool = False,
        each: Each = _ignore,
        progress: Progress = _ignore,
    ) -> Summary:
        """Take the rows over; the same file again changes nothing, whatever stopped it before.

        With `catch_up` rows from before the register's cursor are left out unread; at the end of the file
        the cursor moves to its newest change. `NotPermitted` until somebody else agreed to the mapping.
        """
        self._admit(actor, "legacy import")
        register = self.registers.require_agreed(mapping)
        if catch_up and mapping.changed_at is None:
            raise UsageError("a catch-up needs a column with the time of the last change: changed_at")
        run = random_text(self.randomness)[:32]
        walk = _Walk(self, mapping, register, actor, run, catch_up=catch_up)
        walk.begin()
        summary = walk.run(stream, each, progress)
        walk.end(summary)
        return summary

    def _admit(self, actor: Actor, verb: str) -> None:
        Gate(self.agency.credit_code, self.database, self.clock).admit(actor, verb, role=CLERK)


class _Walk:
    """One walk over a file; with an empty `run_id` it changes nothing."""

    def __init__(  # noqa: PLR0913 - one caller, in its order
        self,
        office: LegacyImport,
        mapping: LegacyMapping,
        register: Register,
        actor: Actor,
        run_id: str,
        *,
        catch_up: bool = False,
    ) -> None:
        self._office, self._mapping, self._register = office, mapping, register
        self._actor, self._run, self._since = actor, run_id, register.cursor if catch_up else None
        self._now = office.clock.now()
        kind = None if mapping.foreign else office.catalogue[mapping.type_code]
        self._judge = Judge(mapping, kind, agency_day(self._now))
        self._keys = RowKeys(office.index, office.agency.credit_code, mapping)
        maker = Maker(office.agency, mapping, kind, self._keys)
        self._batch = Batch(
            office.database,
            office.index,
            office.changes,
            office.clock,
            maker,
            register,
            actor,
            run_id,
            office.holders,
        )
        self._seen, self._newest, self._sha256 = SeenNumbers(), register.cursor, hashlib.sha256()

    def begin(self) -> None:
        with self._office.database.transaction() as session:
            self._repository(session).begin(
                self._run,
                register=self._mapping.register,
                mapping_sha256=self._mapping.digest,
                actor=str(self._actor),
                begun_at=self._now,
            )

    def run(self, stream: BinaryIO, each: Each, progress: Progress) -> Summary:
        summary = Summary(run=self._run)
        sheet = Sheet(io.BufferedReader(_Hashed(stream, self._sha256), 1 << 18), self._mapping)
        rows = sheet.rows()
        while chunk := list(islice(rows, BATCH)):
            for result in self._chunk(chunk):
                summary.add(result)
                each(result)
            progress(summary.rows)
        sheet.release()
        return summary

    def end(self, summary: Summary) -> None:
        """Every row was decided: the run's counts, the cursor, and the entry in the log."""
        at, counts = self._office.clock.now(), {str(one): n for one, n in summary.outcomes.items()}
        digest = self._sha256.hexdigest()
        with self._office.database.transaction() as session:
            repository = self._repository(session)
            repository.end(self._run, at=at, counts=counts, file_sha256=digest)
            if self._newest is not None:
                # A clock of the old system that is ahead of ours must not hide what changes meanwhile.
                repository.advance(self._mapping.register, to=min(self._newest, self._now))
            audit.record(
                session,
                action="legacy.import",
                subject=f"register:{self._mapping.register}",
                actor=self._actor,
                at=at,
                details={"run": self._run, "file": digest, "mapping": self._mapping.digest, **counts},
            )

    def _chunk(self, chunk: Sequence[RawRow]) -> list[RowResult]:
        keys = [self._keys.key(row) for row in chunk]
        # None: another row of the file has the number. Asked once, however often the batch is tried.
        rows = [(row, key, key is None or self._seen.add(key)) for row, key in zip(chunk, keys, strict=True)]
        for left in reversed(range(_TRIES)):
            found = self._decide(rows)
            try:
                taken = self._batch.take(found)
            except Conflict:  # somebody took one of the numbers between the look and the writing
                if not left:
                    raise
            else:
                return sorted([*found.results, *taken], key=lambda one: one.row)
        return []

    def _decide(self, rows: Sequence[tuple[RawRow, bytes | None, bool]]) -> Found:
        """What is known of these rows, and a judgement on the others."""
        with self._office.database.reading() as session:
            keys = [key for _, key, _ in rows if key is not None]
            known = self._repository(session).known(self._mapping.register, keys)
        found = Found()
        for row, key, is_first in rows:
            if not is_first:
                found.results.append(_twice(row, self._mapping))
            elif self._is_before(row):
                found.results.append(RowResult(row.row, Outcome.BEFORE))
            else:
                self._sort(row, key, known.get(key) if key else None, found)
        return found

    def _sort(self, row: RawRow, key: bytes | None, before: KnownRow | None, found: Found) -> None:
        digest = self._keys.digest(row)
        if before is not None and before.digest == digest:
            found.results.append(RowResult(row.row, Outcome.SAME, None, before.licence))
            return
        judged = self._judge.judge(row)
        if judged.entry is None or key is None:
            found.results.append(RowResult(row.row, Outcome.REFUSED, judged))
        elif before is None:
            found.new.append(NewEntry(key, digest, judged, judged.entry))
        else:
            found.changed.append(ChangedEntry(before, digest, judged, judged.entry))

    def _is_before(self, row: RawRow) -> bool:
        """Whether a catch-up leaves the row out; also finds the newest change of the file."""
        heading = self._mapping.changed_at
        moment = read_moment(row.cells[heading]) if heading and row.cells else None
        if moment is None:
            return False
        if self._newest is None or self._newest < moment:
            self._newest = moment
        return self._since is not None and moment < self._since

    def _repository(self, session: object) -> LegacyRepository:
        return LegacyRepository(session, agency=self._office.agency.credit_code)  # type: ignore[arg-type]


class _Hashed(io.RawIOBase):
    """A stream that is hashed as it is read."""

    def __init__(self, stream: BinaryIO, digest: hashlib._Hash) -> None:
        self._stream, self._digest = stream, digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the base says Any
        data = self._stream.read(len(buffer))
        self._digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def _twice(row: RawRow, mapping: LegacyMapping) -> RowResult:
    judged = Judged(row.row, None).refused(
        mapping.number, "文件中有另一行用同一编号", "another row of the file has this number"
    )
    return RowResult(row.row, Outcome.REFUSED, judged)

"""Issue the rows of a file, and go on with a file that was begun before.

Rows go through in chunks: numbers and status entries are reserved, pages set and sealed in threads (and
processes), the documents' digests noted, the documents kept, then licences, keys and audit entries
recorded at once. What a killed process leaves are gaps in the numbers and drafts of documents, which a
later batch removes.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from credentials.applications import RowFault
from credentials.batches.repository import Application, BatchRepository
from credentials.holders import HolderNotActive
from credentials.production import Draft, IssuedLicence, Made
from credentials.repository import LicenceRepository
from yinxin.base.errors import Conflict, InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from credentials.applications import ApplicationRow, Applications
    from credentials.catalogue import LicenceType
    from credentials.fields import Claim
    from credentials.production import Production, Reserved
    from signing.keys import PublicKey
    from yinxin.base.actor import Actor
    from yinxin.base.database import Session

    HolderKey = Callable[[LicenceType, Mapping[str, Claim]], PublicKey | None]

CHUNK = 16  # rows that share their transactions
STALE = timedelta(hours=1)  # a draft of a document that is older belongs to a process that is gone
_IN_USE = Text("编号已被其他证照使用", "another licence has this number")


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a file of applications; every row is in one of the three.

    `before` are rows that led to a licence earlier: in this batch before it was stopped, or by their case
    number in another.
    """

    issued: tuple[IssuedLicence, ...]
    faults: tuple[RowFault, ...]
    total: int
    before: tuple[Application, ...] = ()
    batch: str = ""


@dataclass(frozen=True)
class BatchOrder:
    """Who issues which file, and how.

    `holder_key` finds a holder's key; `progress` hears of the rows done and all rows, `each` of every licence
    once it is recorded; `beside` is done in the transaction that records some rows.
    """

    batch: str
    actor: Actor
    approval: str | None = None
    holder_key: HolderKey = lambda _kind, _claims: None
    progress: Callable[[int, int], None] = lambda _done, _total: None
    each: Callable[[IssuedLicence], None] = lambda _issued: None
    workers: int = 1
    resume: bool = False
    beside: Callable[[Session, Sequence[Application]], None] = lambda _session, _done: None


@dataclass
class BatchWork:
    """One file on its way."""

    production: Production
    order: BatchOrder
    found: Applications
    _issued: list[IssuedLicence] = field(default_factory=list)
    _faults: list[RowFault] = field(default_factory=list)
    _before: list[Application] = field(default_factory=list)

    def run(self) -> BatchResult:
        """Issue what was not issued yet.

        `Conflict` when the file was begun before and the order does not say to resume. A failing key or
        time-stamp authority stops the batch by its error; what was recorded before stays.
        """
        self._begin()
        self._remove_stale_drafts()
        self._faults += self.found.faults
        rows = self._open_rows(self.found.rows)
        done = self.found.total - len(rows)
        self.order.progress(done, self.found.total)
        with ThreadPoolExecutor(self.order.workers) as pool:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                self._issue(chunk, pool)
                done += len(chunk)
                self.order.progress(done, self.found.total)
        return self._end()

    def key(self, row: ApplicationRow) -> str:
        """What a row is known by: nobody without the key finds the row of a digest by trying."""
        index = self.production.index
        plain = f"{self.production.agency.credit_code}\0{row.content}"
        if index is None:
            return hashlib.sha256(plain.encode()).hexdigest()
        return index.of("application", plain).hex()

    def _begin(self) -> None:
        order, production = self.order, self.production
        with production.database.transaction() as session:
            batches = BatchRepository(session)
            before = batches.find(order.batch)
            if before is None:
                batches.begin(
                    order.batch,
                    agency_code=production.agency.credit_code,
                    total=self.found.total,
                    actor=str(order.actor),
                    at=production.clock.now(),
                )
            elif not order.resume:
                done = f"{before.issued} of {before.total} rows led to a licence"
                raise Conflict(f"this file was begun before, as batch {before.id}; {done}: resume it")

    def _end(self) -> BatchResult:
        faults = tuple(sorted(self._faults, key=lambda one: one.row))
        with self.production.database.transaction() as session:
            number = len({one.row for one in faults})
            BatchRepository(session).end(self.order.batch, faulty=number, at=self.production.clock.now())
        total, before = self.found.total, tuple(sorted(self._before, key=lambda one: one.row))
        return BatchResult(tuple(self._issued), faults, total, before, self.order.batch)

    def _open_rows(self, rows: Sequence[ApplicationRow]) -> list[ApplicationRow]:
        """The rows without a licence; the others are told as issued before."""
        keys = {self.key(row): row for row in rows}
        with self.production.database.reading() as session:
            known = BatchRepository(session).issued(self.production.agency.credit_code, list(keys))
        self._before += [
            Application(key, one.batch, keys[key].row, one.licence) for key, one in known.items()
        ]
        return [row for key, row in keys.items() if key not in known]

    def _issue(self, rows: Sequence[ApplicationRow], pool: ThreadPoolExecutor) -> None:
        order, production = self.order, self.production
        rows = self._of_active_holders(rows)
        if not rows:
            return
        drafts = [
            Draft(row.kind, row.claims, row.holder or order.holder_key(row.kind, row.claims)) for row in rows
        ]
        reserved = production.reserve(drafts, order.actor)
        made: list[tuple[ApplicationRow, Made]] = []
        for row, answer in zip(rows, pool.map(self._try, drafts, reserved), strict=True):
            if isinstance(answer, InvalidClaims):
                self._faults += [row.fault(name, why) for name, why in answer.faults]
            else:
                made.append((row, answer))
        if not made:
            return
        self._note_drafts([one for _, one in made])
        list(pool.map(production.keep, [one.issued for _, one in made]))
        self._record_all(made)

    def _of_active_holders(self, rows: Sequence[ApplicationRow]) -> list[ApplicationRow]:
        """The rows whose holders may get something new; the others are faults."""
        states = self.production.holders
        if states is None:
            return list(rows)
        codes = {row.row: row.kind.holder(row.claims)[1] for row in rows}
        with self.production.database.reading() as session:
            refused = states.refusals(session, set(codes.values()))
        self._faults += [
            RowFault(row.row, "", refused[code]) for row in rows if (code := codes[row.row]) in refused
        ]
        return [row for row in rows if codes[row.row] not in refused]

    def _try(self, draft: Draft, reserved: Reserved) -> Made | InvalidClaims:
        try:
            return self.production.make(draft, reserved)
        except InvalidClaims as exc:
            return exc

    def _record_all(self, made: Sequence[tuple[ApplicationRow, Made]]) -> None:
        try:
            self._record(made)
        except (
            Conflict,
            HolderNotActive,
        ):  # one of them: each alone then, for the others' sake
            for one in made:
                self._record_alone(*one)

    def _record_alone(self, row: ApplicationRow, made: Made) -> None:
        try:
            self._record([(row, made)])
        except Conflict:
            if self._open_rows([row]):
                self._faults.append(RowFault(row.row, "", _IN_USE))
        except HolderNotActive as exc:
            self._faults.append(RowFault(row.row, "", exc.title))

    def _record(self, made: Sequence[tuple[ApplicationRow, Made]]) -> None:
        order = self.order
        done = [
            Application(self.key(row), order.batch, row.row, one.issued.licence.identifier)
            for row, one in made
        ]
        digests = [one.issued.licence.pdf_sha256 or "" for _, one in made]

        def beside(session: Session) -> None:
            batches = BatchRepository(session)
            batches.add(self.production.agency.credit_code, done)
            batches.drop_drafts(digests)
            order.beside(session, done)

        self.production.record([one for _, one in made], order.actor, order.approval, beside=beside)
        for _, one in made:
            self._issued.append(one.issued)
            order.each(one.issued)

    def _note_drafts(self, made: Sequence[Made]) -> None:
        if self.production.documents is None:
            return
        digests = [one.issued.licence.pdf_sha256 or "" for one in made]
        with self.production.database.transaction() as session:
            BatchRepository(session).add_drafts(digests, at=self.production.clock.now())

    def _remove_stale_drafts(self) -> None:
        """Remove documents that no licence led to, left by processes that were killed."""
        documents, production = self.production.documents, self.production
        while documents is not None:
            with production.database.transaction() as session:
                batches, licences = BatchRepository(session), LicenceRepository(session)
                stale = batches.drafts_before(production.clock.now() - STALE)
                lost = [digest for digest in stale if licences.by_pdf(digest) is None]
                for digest in lost:
                    documents.remove(digest)
                batches.drop_drafts(stale)
            if not stale:
                return


def batch_id(agency_code: str, type_code: str | None, data: bytes) -> str:
    """The id of a file of an agency: the same file has the same."""
    head = f"{agency_code}\0{type_code or ''}\0".encode()
    return hashlib.sha256(head + data).hexdigest()[:32]

"""Seal a folder: find what is left to do, have it sealed by several processes, write down what came of it.

A file goes through three steps: a process seals it into a draft, the use of the seal is written into its log
(where the seal is kept), and the draft gets its name. A kill between two of them loses nothing: the next run
finds the drafts, writes down the uses that are missing, and goes on. Reports are written last; one that is
missing is made again from the file.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from signing.held import held
from yinxin.app.seal_batches import work
from yinxin.app.seal_batches.book import Book, Entry, State
from yinxin.app.seal_batches.folders import pdfs_in
from yinxin.app.seal_batches.work import Hand, Made, Refused, Stopped, digest_of, goes_on
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.files import MAX_FILE_BYTES, flush_folder, locked
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from credentials.custody import Permit
    from signing.signer import Signer
    from yinxin.app.seal_batches.order import Order
    from yinxin.app.seal_batches.work import Result
    from yinxin.base.clock import Clock

GROUP = 32  # files that share a permit and a transaction
PAUSE = timedelta(seconds=5)  # before authorities that failed are asked again
Submit = Callable[..., "Future[Result]"]


class LeaveToSeal(Protocol):
    """Who has to be asked before the seal is used, and told after it."""

    def ask(self, count: int) -> Permit | None:
        """Leave for so many files."""

    def write_down(self, permit: Permit | None, digests: Sequence[str], *, again: bool = False) -> None:
        """The uses: all of them or none. `again`: some may be written down already."""


class NoLeave:
    """The seal is nobody's but who holds the key."""

    def ask(self, count: int) -> None:
        """Nobody is asked."""

    def write_down(self, permit: Permit | None, digests: Sequence[str], *, again: bool = False) -> None:
        """Nothing is written down."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files are in which state, and how many of those that wait are overdue."""

    states: dict[State, int]
    overdue: int

    @classmethod
    def of(cls, entries: Sequence[Entry], *, now: datetime) -> Tally:
        """Count."""
        states = {state: sum(one.state is state for one in entries) for state in State}
        return cls(states, sum(one.is_overdue(now) for one in entries))

    @property
    def is_done(self) -> bool:
        """Whether every file is sealed, and stamped where that was asked for."""
        return not self.states[State.REFUSED] and not self.states[State.WAITING]


@dataclass
class Batch:
    """One run over one folder. `wait` pauses; `progress` hears of the files that are done, and of all."""

    source: Path
    book: Book
    order: Order
    signer: Signer
    clock: Clock
    leave: LeaveToSeal = field(default_factory=NoLeave)
    processes: int = 1
    wait: Callable[[timedelta], None] = lambda _pause: None
    progress: Callable[[int, int], None] = lambda _done, _all: None
    _run: str = field(default_factory=lambda: SystemRandomness().bytes(8).hex(), init=False)

    def run(self) -> Tally:
        """Seal what is not sealed yet, then stamp what waits for its time-stamp.

        What concerns one file is in its report. What concerns all of them is raised, and what was done before
        stays: `SignerUnavailable`, `Unreachable` (no authority, no disk), and what the seal's keepers raise.
        `Conflict` for a folder with files of another batch.
        """
        files = self._files()
        self.book.begin(self.order.identity(self.signer))
        with locked(self.book.lock):
            done, open_ = self._plan(files)
            self.progress(len(done), len(files))
            with self._processes() as submit:
                self._seal_all(open_, submit, done=len(done), total=len(files))
                self._stamp_all(submit)
            self.book.clear()
        entries = [entry for file in files if (entry := self.book.entry(file))]
        return Tally.of(entries, now=self.clock.now())

    def _files(self) -> list[str]:
        """The PDFs of the folder and below, by name; what is hidden, and where the sealed ones go, left out."""
        if not self.source.is_dir():
            raise UsageError(f"{self.source} is not a folder")
        target = self.book.target.resolve()
        if target == self.source.resolve():
            raise UsageError("sealed files go into another folder")
        files = pdfs_in(self.source)
        return [one for one in files if not (self.source / one).resolve().is_relative_to(target)]

    def _plan(self, files: Sequence[str]) -> tuple[list[str], list[str]]:
        """What is sealed, and what is to be; drafts that were left are put to their end here."""
        left, done, open_ = self.book.left(), [], []
        for file in files:
            draft = left.get(self.book.draft("", file).name)
            entry = self.book.entry(file)
            if (self.book.target / file).is_file():
                self._recover(file, entry)
            elif draft is not None and goes_on(self.source / file, draft):
                self._finish(file, draft)
            else:
                open_.append(file)
                continue
            done.append(file)
        return done, open_

    def _recover(self, file: str, entry: Entry | None) -> None:
        """A file that has its name: its report must be about it, or is made again."""
        source, place = self.source / file, self.book.target / file
        if entry is not None and entry.state is not State.REFUSED and self._is_about(entry, place):
            if source.stat().st_mtime > entry.at.timestamp() and digest_of(source) != entry.source:
                self._refuse(file, entry, "its source was changed since it was sealed")
        elif goes_on(source, place):
            made = self._made_before(file, place, at=entry.at if entry else None)
            self.book.write(self._entry(made, due=entry.due if entry else None))
        else:
            self._refuse(file, entry, "what has its name is not this file with a seal on it")

    def _is_about(self, entry: Entry, place: Path) -> bool:
        """Whether a report speaks of the file that is there; one that waits may have been stamped since."""
        if not entry.document or entry.size_bytes != place.stat().st_size:
            return False
        return entry.state is not State.WAITING or digest_of(place) == entry.document

    def _refuse(self, file: str, entry: Entry | None, why: str) -> None:
        entry = entry or Entry(file, State.REFUSED, self.clock.now())
        self.book.write(replace(entry, state=State.REFUSED, error=Conflict.code, detail=why))

    def _finish(self, file: str, draft: Path) -> None:
        made = self._made_before(file, draft)
        self.leave.write_down(self.leave.ask(1), [made.document], again=True)
        self.book.publish(draft, file)
        flush_folder((self.book.target / file).parent)
        self.book.write(self._entry(made))

    def _made_before(self, file: str, place: Path, *, at: datetime | None = None) -> Made:
        """What an earlier run made, as it would have told."""
        from signing.pdf.stamping import last_stamp  # noqa: PLC0415 - it brings pyHanko

        facts = place.stat()
        with held(place, max_bytes=MAX_FILE_BYTES) as pdf:
            stamped = last_stamp(pdf)
        when = at or datetime.fromtimestamp(facts.st_mtime, UTC)
        return Made(file, when, digest_of(self.source / file), digest_of(place), facts.st_size, stamped)

    def _seal_all(self, files: Sequence[str], submit: Submit, *, done: int, total: int) -> None:
        under_way: deque[tuple[Permit | None, list[Future[Result]]]] = deque()
        groups = [files[start : start + GROUP] for start in range(0, len(files), GROUP)]
        for group in [*groups, ()]:
            if group:
                permit = self.leave.ask(len(group))
                under_way.append((permit, [self._submit(submit, file) for file in group]))
            while under_way and (not group or len(under_way) > 1):
                permit, futures = under_way.popleft()
                self._take(permit, [_answer(one) for one in futures])
                done += len(futures)
                self.progress(done, total)

    def _submit(self, submit: Submit, file: str) -> Future[Result]:
        return submit(work.put, file, self.source / file, self.book.draft(self._run, file))

    def _take(self, permit: Permit | None, results: Sequence[Result]) -> None:
        """Write down what was sealed, then give it its name; raise what stopped the others."""
        made = [one for one in results if isinstance(one, Made)]
        self.book.keep(self._run)
        self.leave.write_down(permit, [one.document for one in made])
        for one in made:
            self.book.publish(self.book.draft(self._run, one.file), one.file)
        for folder in {(self.book.target / one.file).parent for one in made}:
            flush_folder(folder)
        for one in made:
            self.book.write(self._entry(one))
        for result in results:
            if isinstance(result, Refused):
                self.book.write(
                    Entry(result.file, State.REFUSED, result.at, error=result.code, detail=result.detail)
                )
        for result in results:
            if isinstance(result, Stopped):
                raise result.error()

    def _entry(self, made: Made, *, due: datetime | None = None) -> Entry:
        within = self.order.stamp_within
        if made.stamped_at is None and due is None and within is not None:
            due = made.at + within
        state = State.STAMPED if made.stamped_at else State.WAITING if due else State.SEALED
        return Entry(
            made.file, state, made.at, made.source, made.document, made.document, made.size_bytes,
            self.signer.certificate.fingerprint, due, made.stamped_at,
        )  # fmt: skip

    def _stamp_all(self, submit: Submit) -> None:
        """Stamp what waits, as often as it takes, until the last of them is overdue."""
        while waiting := [one for one in self.book.entries() if one.state is State.WAITING]:
            stopped = self._stamp(waiting, submit) if self.order.authorities else None
            now = self.clock.now()
            if stopped is None or all(one.is_overdue(now) for one in waiting):
                return
            self.wait(stopped.retry_after or PAUSE)

    def _stamp(self, waiting: Sequence[Entry], submit: Submit) -> Stopped | None:
        """Stamp each once; whoever stops, stops the rest."""
        for start in range(0, len(waiting), GROUP):
            group = waiting[start : start + GROUP]
            results = [
                submit(work.stamp, one.file, self.book.target / one.file, one.document) for one in group
            ]
            stopped = None
            for entry, future in zip(group, results, strict=True):
                result = _answer(future)
                if isinstance(result, Stopped):
                    stopped = result
                else:
                    self.book.write(_stamped(entry, result))
            if stopped is not None:
                return stopped
        return None

    @contextmanager
    def _processes(self) -> Iterator[Submit]:
        if self.processes < 2:
            yield _Here(self.order)
            return
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(
            self.processes, mp_context=context, initializer=work.begin, initargs=(self.order,)
        )
        try:
            yield pool.submit
        finally:
            pool.shutdown(cancel_futures=True)


class _Here:
    """This process does the work of the others."""

    def __init__(self, order: Order) -> None:
        self._hand = Hand(order)

    def __call__(self, task: Callable[..., Result], *what: Any) -> Future[Result]:
        done: Future[Result] = Future()
        done.set_result(self._hand.put(*what) if task is work.put else self._hand.stamp(*what))
        return done


def _answer(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool:
        return Stopped("unreachable", "a process that seals has died")


def _stamped(entry: Entry, result: Made | Refused) -> Entry:
    if isinstance(result, Refused):  # changed, or gone: it is no longer ours to stamp
        return replace(entry, state=State.REFUSED, error=result.code, detail=result.detail)
    return replace(entry, state=State.STAMPED, document=result.document, stamped_at=result.stamped_at)

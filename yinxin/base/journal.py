"""One thread that writes, so that asynchronous routes never wait for a disk.

Works that arrive together are committed together (group commit). When one of them fails, all are rolled
back and run once more, each behind a savepoint of its own, so that it does not spoil its neighbours; with
savepoints from the start everything would cost three times as much. A future is answered after its commit.

    accepted = await asyncio.wrap_future(journal.submit(lambda session: accept(session, decision)))
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from yinxin.base.database import Database, translated
from yinxin.base.errors import TooManyRequests, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

T = TypeVar("T")


class Journal:
    """The writer of one process. `close()` (or leaving the `with` block) finishes what was submitted."""

    def __init__(self, database: Database, *, queue_size: int = 10_000, group_size: int = 256) -> None:
        self._database = database
        self._works: queue.Queue[_Work | None] = queue.Queue(queue_size)
        self._group_size = group_size
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[Session], T]) -> Future[T]:
        """Have `work` run in a transaction; the future has its result, or its exception, after the commit.

        `work` touches nothing but its session, and may be run a second time after a rollback. A full queue
        is `TooManyRequests`, a closed journal `UsageError`; the caller is never blocked.
        """
        item = _Work(work)
        with self._gate:
            if self._closed:
                raise UsageError("the journal is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="yinxin-journal", daemon=True)
                self._thread.start()
            try:
                self._works.put_nowait(item)
            except queue.Full:
                raise TooManyRequests("too much to write", retry_after=timedelta(seconds=1)) from None
        return item.future

    @property
    def waiting(self) -> int:
        """How many works wait at about this moment."""
        return self._works.qsize()

    def close(self) -> None:
        """Finish what was submitted, then stop; further works are refused. Closing twice is fine."""
        with self._gate:
            if not self._closed and self._thread is not None:
                self._works.put(None)
            self._closed = True
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._next_group()
            group = [item for item in group if item.future.set_running_or_notify_cancel()]
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[_Work], bool]:
        """Whatever waits by now, and whether to go on after it."""
        item = self._works.get()
        group: list[_Work] = []
        while item is not None:
            group.append(item)
            if len(group) == self._group_size:
                return group, True
            try:
                item = self._works.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[_Work]) -> None:
        try:
            self._run_group(group, lambda item, session: item.run(session))
        except BaseException:  # noqa: BLE001 - whose it is shows the second run
            self._commit_apart(group)
        for item in group:
            item.answer()

    def _commit_apart(self, group: list[_Work]) -> None:
        try:
            self._run_group(group, lambda item, session: item.run_apart(session))
        except BaseException as error:  # noqa: BLE001 - it belongs to the callers, and this thread must go on
            for item in group:
                item.error = item.error or error

    def _run_group(self, group: list[_Work], run: Callable[[_Work, Session], None]) -> None:
        with self._database.transaction() as session:
            for item in group:
                run(item, session)


@dataclass
class _Work:
    work: Callable[[Session], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def run(self, session: Session) -> None:
        """Run and keep the result."""
        self.result = self.work(session)
        session.flush()

    def run_apart(self, session: Session) -> None:
        """Run behind a savepoint and keep how it came out."""
        try:
            with translated(), session.begin_nested():
                self.run(session)
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller
            self.error = error

    def answer(self) -> None:
        """Tell who waits."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)

"""A bounded pool of processes for what must not run in ours: the parsing of hostile files.

Each task has a time limit and each process a memory limit. A process that is too slow, dies or runs out of
memory is ended and replaced, its task's outcome says so, and nobody else notices. Answers come back as
JSON, never as pickles, so that a process that a file has taken over cannot reach into this one.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import multiprocessing
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import TooManyRequests, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_LOG = logging.getLogger("yinxin.verify.workers")
START_LIMIT_SECONDS = 60.0  # a fresh process imports the PDF libraries first
MAX_ANSWER_BYTES = 64 << 20
TASKS_PER_PROCESS = 1000  # then a fresh one: whatever leaks, leaks for a while only
_SPAWN = multiprocessing.get_context("spawn")  # fork copies locks that threads of ours may hold


class OutcomeState(StrEnum):
    """How a task ended."""

    DONE = "done"
    TOO_SLOW = "too_slow"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task came to; `value` is what its function returned when it is done."""

    state: OutcomeState
    value: Any = None


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that many tasks need: sent to each process once, known by its key afterwards."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Task:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    shared: Shared | None
    future: Future[Outcome]


@dataclass(frozen=True, slots=True)
class _Recipe:
    memory_bytes: int
    preload: tuple[str, ...]


class WorkerPool:
    """Runs functions of modules in other processes. `start()` makes them, `close()` ends them."""

    def __init__(
        self,
        *,
        processes: int = 2,
        time_limit: timedelta = timedelta(seconds=10),
        max_waiting: int = 64,
        memory_bytes: int = 2 << 30,
        preload: tuple[str, ...] = ("signing.pdf",),
    ) -> None:
        """`preload`: modules that a process imports before its first task's clock runs."""
        self._time_limit = time_limit
        self._tasks: queue.Queue[_Task | None] = queue.Queue(max_waiting)
        recipe = _Recipe(memory_bytes, preload)
        self._keepers = [_Keeper(self._tasks, time_limit, recipe) for _ in range(processes)]
        self._gate = threading.Lock()
        self._started = self._closed = False

    def start(self) -> None:
        """Start the processes in the background; a task that comes earlier waits for one."""
        with self._gate:
            if not self._started and not self._closed:
                for keeper in self._keepers:
                    keeper.start()
                self._started = True

    def submit(
        self, function: Callable[..., Any], *arguments: Any, shared: Shared | None = None
    ) -> Future[Outcome]:
        """Run `function(*arguments)`, or `function(shared.value, *arguments)`, somewhere else.

        The function stands in a module and returns JSON. `TooManyRequests` when too many tasks wait already.
        """
        self.start()
        task = _Task(function, arguments, shared, Future())
        with self._gate:
            if self._closed:
                raise UsageError("the worker pool is closed")
            try:
                self._tasks.put_nowait(task)
            except queue.Full:
                raise TooManyRequests("too many documents wait", retry_after=self._time_limit) from None
        return task.future

    def close(self) -> None:
        """End all processes; what still waits counts as crashed."""
        with self._gate:
            self._closed = True
            with contextlib.suppress(queue.Empty):
                while task := self._tasks.get_nowait():
                    task.future.set_result(Outcome(OutcomeState.CRASHED))
            if not self._started:
                return
            for _ in self._keepers:
                self._tasks.put(None)
        for keeper in self._keepers:
            keeper.join()


class _Keeper(threading.Thread):
    """Keeps one process: feeds it, waits for it, and has the next one start before it is needed."""

    def __init__(self, tasks: queue.Queue[_Task | None], time_limit: timedelta, recipe: _Recipe) -> None:
        super().__init__(name="yinxin-worker-keeper", daemon=True)
        self._tasks = tasks
        self._seconds = time_limit.total_seconds()
        self._recipe = recipe
        self._child: _Child | None = None
        self._coming: _Child | None = None

    def run(self) -> None:
        """Serve tasks until told to stop."""
        self._prepare()
        while (task := self._tasks.get()) is not None:
            if task.future.set_running_or_notify_cancel():
                task.future.set_result(self._perform(task))
        for child in (self._child, self._coming):
            if child is not None:
                child.end()

    def _perform(self, task: _Task) -> Outcome:
        if self._child is None:
            self._exchange(wait_seconds=START_LIMIT_SECONDS)
        elif self._child.served >= TASKS_PER_PROCESS:
            self._exchange(wait_seconds=0)
        if self._child is None:
            return Outcome(OutcomeState.CRASHED)
        outcome = self._child.ask(task, self._seconds)
        if outcome.state is not OutcomeState.DONE:
            _LOG.warning("a worker process was ended: %s", outcome.state)
            self._child.end()
            self._child = None
            self._prepare()
        return outcome

    def _prepare(self) -> None:
        """Have the next process start, without waiting for it."""
        if self._coming is None:
            try:
                self._coming = _Child(self._recipe)
            except OSError:
                _LOG.exception("no worker process could be started")

    def _exchange(self, *, wait_seconds: float) -> None:
        """Put the next process in the place of this one, if it is there in time."""
        self._prepare()
        if self._coming is None:
            return
        ready = self._coming.is_ready(wait_seconds)
        if ready:
            if self._child is not None:
                self._child.end()
            self._child, self._coming = self._coming, None
        elif ready is False or wait_seconds:
            _LOG.error("a worker process did not start")
            self._coming.end()
            self._coming = None


class _Child:
    def __init__(self, recipe: _Recipe) -> None:
        ours, theirs = _SPAWN.Pipe()
        self._pipe: Connection = ours
        self._process: BaseProcess = _SPAWN.Process(
            target=_serve, args=(theirs, recipe), name="yinxin-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self._known: set[str] = set()
        self.served = 0

    def is_ready(self, wait_seconds: float) -> bool | None:
        """Whether the process has said that it is there; None when it has said nothing yet."""
        try:
            return self._pipe.recv_bytes(16) == b"ready" if self._pipe.poll(wait_seconds) else None
        except (EOFError, OSError):
            return False

    def ask(self, task: _Task, seconds: float) -> Outcome:
        """Have it do one task."""
        self.served += 1
        try:
            self._pipe.send(self._message(task))
            if not self._pipe.poll(seconds):
                return Outcome(OutcomeState.TOO_SLOW)
            answer = json.loads(self._pipe.recv_bytes(MAX_ANSWER_BYTES))
        except (EOFError, OSError, ValueError):
            return Outcome(OutcomeState.CRASHED)
        if not isinstance(answer, dict) or "value" not in answer:
            return Outcome(OutcomeState.CRASHED)
        return Outcome(OutcomeState.DONE, answer["value"])

    def end(self) -> None:
        """Kill it: it holds nothing that needs an orderly end."""
        self._process.kill()
        self._process.join(5)
        self._pipe.close()
        with contextlib.suppress(ValueError):  # still running: the system is very slow
            self._process.close()

    def _message(self, task: _Task) -> tuple[Any, ...]:
        if task.shared is None:
            return task.function, task.arguments, None, None
        known = task.shared.key in self._known
        self._known = {task.shared.key}
        return task.function, task.arguments, task.shared.key, None if known else task.shared.value


def _serve(pipe: Connection, recipe: _Recipe) -> None:
    """The life of a worker process; it ends quietly when who asked is gone."""
    with contextlib.suppress(ConnectionError):
        _work(pipe, recipe)


def _work(pipe: Connection, recipe: _Recipe) -> None:
    _limit_memory(recipe.memory_bytes)
    logging.disable(logging.CRITICAL)  # libraries log what they parse
    for module in recipe.preload:
        importlib.import_module(module)
    pipe.send_bytes(b"ready")
    shared: dict[str, Any] = {}
    while True:
        try:
            function, arguments, key, value = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if key is not None:
            shared = {key: value if value is not None else shared[key]}
            arguments = (shared[key], *arguments)
        try:
            answer = json.dumps({"value": function(*arguments)}, ensure_ascii=False)
        except Exception as exc:  # noqa: BLE001 - whatever it was, the parent says "aborted"
            answer = json.dumps({"error": type(exc).__name__})
        pipe.send_bytes(answer.encode("utf-8", "replace"))


def _limit_memory(size_bytes: int) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the time limit alone holds
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

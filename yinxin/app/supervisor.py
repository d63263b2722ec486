"""Several processes for each role: shared listening sockets, restarts with back-off, an end without haste.

The supervisor holds the sockets, so a connection that a dying worker had not taken goes to another one. It
parses nothing, opens no key and no database (but to bring the tables to this version before it begins);
everything that could end it is in its workers. Each role has its own processes, and one more where there is
something that only one may do (`yinxin.app.duties`).
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from yinxin.app import serve, worker
from yinxin.app.backup.mark import require_released
from yinxin.base.errors import Unreachable, UsageError

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from yinxin.app.home import Home

_SPAWN = multiprocessing.get_context("spawn")  # fork copies locks that threads hold, and open connections
MAX_WORKERS = 64
START_SECONDS = 180.0
STOP_SECONDS = serve.DRAIN_SECONDS + 10.0
SILENT_SECONDS = 60.0  # a process that has not said for so long that it is alive is ended
STEADY_SECONDS = 60.0  # a worker that lived so long is no failure of its kind
FIRST_DELAY, LONGEST_DELAY = 0.1, 30.0
TICK_SECONDS = 0.25
_log = logging.getLogger("yinxin.supervisor")


@dataclass
class _Slot:
    """A place for one process: the one in it, and how the last ones fared."""

    role: str
    name: str
    is_duty: bool
    listener: socket.socket | None
    process: SpawnProcess | None = None
    pipe: Connection | None = None
    is_ready: bool = False
    started_at: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    heard_at: float = 0.0
    last_words: str = ""


class Supervisor:
    """Runs `workers` processes for each of `roles` until it is told to stop."""

    def __init__(
        self,
        home: Home,
        roles: Sequence[str],
        *,
        workers: int,
        passphrase: str | None,
        sockets: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """`UsageError` on SQLite: its writers would wait for each other, and one process is its limit."""
        if home.database.is_sqlite:
            raise UsageError(
                "SQLite serves one process: it lets one write at a time, and a second server would wait for"
                " the first with every request. Set database_url to a PostgreSQL, or leave --workers out"
            )
        if not 1 <= workers <= MAX_WORKERS:
            raise UsageError(f"between 1 and {MAX_WORKERS} workers")
        self._home = home
        self._roles = serve.in_order(roles)
        self._workers = workers
        self._passphrase = passphrase
        self._given = dict(sockets or {})
        self._slots: list[_Slot] = []
        self._restarts: Counter[str] = Counter()
        self._folder = ""
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Start all; returns when every process is ready, or raises what the first one failed with."""
        serve.require_parts()
        with ExitStack() as closing:
            self._prepare(closing)
            for role in self._roles:
                for slots in self._groups(role):
                    self._start_together(slots)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop taking connections, let what runs end, and end what does not."""
        self._closing.close()

    def run(self, stop: threading.Event, reload: threading.Event | None = None) -> None:
        """Watch over the workers until `stop`; `reload` has them refresh what they stand on, once."""
        while not stop.is_set():
            self._tick(TICK_SECONDS)
            if reload and reload.is_set():
                reload.clear()
                self.refresh()

    def refresh(self) -> None:
        """Have the lists fetched and taken up now."""
        for role in self._roles:
            slots = [slot for slot in self._slots if slot.role == role]
            for slot in [slot for slot in slots if slot.is_duty] or slots:
                self._tell(slot, worker.REFRESH)

    def alive(self) -> dict[str, int]:
        """How many workers of each role are ready."""
        serving = Counter(slot.role for slot in self._slots if slot.is_ready and not slot.is_duty)
        return {role: serving[role] for role in self._roles}

    def processes(self) -> dict[str, int]:
        """The process in each slot, by the slot's name."""
        return {slot.name: slot.process.pid or 0 for slot in self._slots if slot.process is not None}

    def _prepare(self, closing: ExitStack) -> None:
        from yinxin.app.observing import metrics, process  # noqa: PLC0415 - an optional part

        home = self._home
        serve.prepare(home)
        require_released(home)
        home.database.close()  # the workers have their own connections
        self._folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-"))
        (Path(self._folder) / worker.METRICS).mkdir(mode=0o700)
        for role in self._roles:
            (Path(self._folder) / worker.LISTS / role).mkdir(mode=0o700, parents=True)
            if role not in self._given:
                self._given[role] = serve.bind(home, role)
            closing.callback(self._given[role].close)
        process.check_metrics_address(home, self._given.values())
        if listen := home.settings.metrics_listen:
            registry = metrics.sum_of(Path(self._folder) / worker.METRICS)
            registry.register(metrics.Rows(self._figures))
            closing.callback(metrics.serve(listen, registry))
        closing.callback(self._stop_all)

    def _groups(self, role: str) -> Iterator[list[_Slot]]:
        """The slots of a role, those first that the others wait for."""
        if serve.ROLES[role].duty:
            yield [_Slot(role, f"{role}-duty", is_duty=True, listener=None)]
        listener = self._given[role]
        yield [
            _Slot(role, f"{role}-{number}", is_duty=False, listener=listener)
            for number in range(1, self._workers + 1)
        ]

    def _start_together(self, slots: list[_Slot]) -> None:
        self._slots += slots
        for slot in slots:
            self._start(slot)
        patience = time.monotonic() + START_SECONDS
        while not all(slot.is_ready for slot in slots):
            self._tick(0.05, restarts=False)
            for slot in slots:
                if slot.process is None:
                    raise Unreachable(f"{slot.name} does not start: {slot.last_words or 'it ended'}")
            if time.monotonic() > patience:
                raise Unreachable(
                    f"{', '.join(slot.name for slot in slots if not slot.is_ready)} did not start"
                )

    def _start(self, slot: _Slot) -> None:
        ours, theirs = _SPAWN.Pipe()
        order = worker.Order(
            str(self._home.directory), self._passphrase, slot.role, slot.name, self._folder, slot.is_duty
        )
        # Arguments go to the new process through a pipe: neither its command line nor its environment has them.
        slot.process = _SPAWN.Process(
            target=worker.work, args=(order, slot.listener, theirs), name=f"yinxin-{slot.name}"
        )
        slot.process.start()
        theirs.close()
        slot.pipe, slot.is_ready, slot.started_at, slot.last_words = ours, False, time.monotonic(), ""

    def _tick(self, seconds: float, *, restarts: bool = True) -> None:
        """Hear what there is to hear, for at most so long; bury the dead and start who takes their places."""
        waited: list[Any] = []
        for slot in self._slots:
            if slot.process is not None and slot.pipe is not None:
                waited += [slot.pipe, slot.process.sentinel]
        ready = wait(waited, seconds) if waited else []
        for slot in self._slots:
            if slot.pipe in ready:
                self._hear(slot)
        for slot in self._slots:
            if slot.process is not None and slot.is_ready:
                self._end_a_silent_one(slot, slot.process)
            if slot.process is not None and not slot.process.is_alive():
                self._bury(slot)
            if restarts and slot.process is None and time.monotonic() >= slot.next_start:
                self._restarts[slot.role] += 1
                _log.warning("%s starts again", slot.name)
                self._start(slot)

    @staticmethod
    def _end_a_silent_one(slot: _Slot, process: SpawnProcess) -> None:
        if time.monotonic() - slot.heard_at > SILENT_SECONDS:
            _log.error("%s hangs and is killed", slot.name)
            process.kill()
            process.join()

    def _hear(self, slot: _Slot) -> bool:
        """Take one message; False when there is none and never will be."""
        message = worker.heard(slot.pipe) if slot.pipe is not None else None
        if message is None:
            return False
        slot.heard_at = time.monotonic()
        word = message.get("word")
        if word == worker.READY:
            slot.is_ready = True
        elif word == worker.FAILED:
            slot.last_words = f"{message.get('code')}: {message.get('detail')}"
        elif word == worker.FETCHED:
            for other in self._slots:
                if other.role == slot.role and other.is_ready and not other.is_duty:
                    self._tell(other, worker.REFRESH)
        return True

    def _bury(self, slot: _Slot) -> None:
        assert slot.process is not None  # noqa: S101 - who calls has looked
        if slot.pipe is not None:
            while slot.pipe.poll(0) and self._hear(slot):
                pass
            slot.pipe.close()
        lived = time.monotonic() - slot.started_at
        slot.failures = 1 if lived >= STEADY_SECONDS else slot.failures + 1
        delay = delay_after(slot.failures)
        slot.next_start = time.monotonic() + delay
        _log.error("%s ended (%s); the next one comes in %.1f s", slot.name, slot.process.exitcode, delay)
        slot.process.join()
        slot.process.close()
        slot.process, slot.pipe, slot.is_ready = None, None, False

    def _tell(self, slot: _Slot, word: str) -> None:
        if slot.pipe is not None:
            worker.Mouth(slot.pipe).say(word)

    def _stop_all(self) -> None:
        """Servers first, in the reverse order of their start; duties stay until nobody adds to their work."""
        for listener in self._given.values():
            listener.close()
        for is_duty in (False, True):
            going = [slot for slot in self._slots if slot.is_duty is is_duty and slot.process is not None]
            for slot in reversed(going):
                self._tell(slot, worker.STOP)
            patience = time.monotonic() + STOP_SECONDS
            for slot in going:
                _end(slot, patience)

    def _figures(self) -> Iterator[tuple[str, str, str, Mapping[str, float]]]:
        from yinxin.app.observing.process import home_rows  # noqa: PLC0415 - an optional part

        yield "yinxin_workers_alive", "Workers that are ready", "role", self.alive()
        restarts = {role: float(self._restarts[role]) for role in self._roles}
        yield (
            "yinxin_worker_restarts",
            "Processes that ended by themselves, since the start",
            "role",
            restarts,
        )
        yield from home_rows(self._home)


def delay_after(failures: int) -> float:
    """Seconds until the next process takes the place of one that failed, so many times in a row."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 20))


def _end(slot: _Slot, patience: float) -> None:
    assert slot.process is not None  # noqa: S101 - only those that run are ended
    slot.process.join(max(0.0, patience - time.monotonic()))
    if slot.process.is_alive():
        _log.error("%s does not end and is killed", slot.name)
        slot.process.kill()
        slot.process.join()
    if slot.pipe is not None:
        slot.pipe.close()
    slot.process.close()
    slot.process, slot.pipe, slot.is_ready = None, None, False

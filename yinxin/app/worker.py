"""One process under a supervisor: a role's server on a socket that it shares with others, or the role's duty.

It is told what to do by its first message and obeys its pipe from then on; when the pipe ends, the supervisor
is gone and it stops too. The passphrase comes with the first message and is nowhere else.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yinxin.app import serve
from yinxin.app.home import Home
from yinxin.app.observing import logs, metrics
from yinxin.app.shelf import Shelf
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    import socket
    from multiprocessing.connection import Connection

    from yinxin.app.wiring import Stage

READY, FAILED, FETCHED, ALIVE = "ready", "failed", "fetched", "alive"  # what a worker says
REFRESH, STOP = "refresh", "stop"  # what it is told
METRICS, LISTS = "metrics", "lists"  # folders in the supervisor's own
MAX_MESSAGE_BYTES = 64 * 1024
POLL_SECONDS = 0.25
ALIVE_SECONDS = 2.0  # how often a process says that it is alive
HANGING_SECONDS = 5.0  # an event loop that has not turned for so long: then it says nothing
_log = logging.getLogger("yinxin.worker")


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is for. `slot` names its place: no two processes have it at the same time."""

    home: str
    passphrase: str | None
    role: str
    slot: str
    folder: str
    is_duty: bool

    def __repr__(self) -> str:
        return f"Order({self.slot})"  # the passphrase is nobody's to see


def work(order: Order, listener: socket.socket | None, pipe: Connection) -> None:
    """The life of the process."""
    stop = _signals()
    home = Home.open(order.home, passphrase=order.passphrase)
    logs.set_up(home.settings.log_format, process={"process": order.slot})
    mouth = Mouth(pipe)
    folder = Path(order.folder)
    metrics.share(folder / METRICS, order.slot)
    part = serve.Part(
        serves=not order.is_duty,
        has_duty=order.is_duty,
        shelf=Shelf(folder / LISTS / order.role),
        on_fetched=lambda: mouth.say(FETCHED),
        at_once=1,
    )
    sockets = {order.role: listener} if listener else {}
    try:
        with serve.running(home, [order.role], sockets=sockets, part=part) as stage:
            mouth.say(READY)
            _log.info("ready", extra={logs.FACTS: {"pid": os.getpid()}})
            _obey(pipe, mouth, stage, part, stop)
    except YinxinError as error:
        mouth.say(FAILED, code=error.code, detail=error.detail)
        sys.exit(1)


class Mouth:
    """Says things to the supervisor, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._gate = threading.Lock()

    def say(self, word: str, **more: str) -> None:
        """Say it; a supervisor that is gone hears nothing, and `_obey` will see."""
        with self._gate:
            try:
                self._pipe.send_bytes(json.dumps({"word": word, **more}).encode())
            except OSError:
                _log.warning("the supervisor does not listen")


def heard(pipe: Connection) -> dict[str, Any] | None:
    """The next message; None when the other side is gone."""
    try:
        message = json.loads(pipe.recv_bytes(MAX_MESSAGE_BYTES))
    except (EOFError, OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None


def _obey(pipe: Connection, mouth: Mouth, stage: Stage, part: serve.Part, stop: threading.Event) -> None:
    said_at = 0.0
    while not stop.is_set():
        if time.monotonic() - said_at >= ALIVE_SECONDS and _turns(part):
            mouth.say(ALIVE)
            said_at = time.monotonic()
        if not pipe.poll(POLL_SECONDS):
            continue
        message = heard(pipe)
        if message is None or message.get("word") == STOP:
            return
        if message.get("word") == REFRESH:
            _refresh(stage)


def _turns(part: serve.Part) -> bool:
    """Whether the event loop of every server here still turns."""
    return all(silence() < HANGING_SECONDS for silence in part.silences)


def _refresh(stage: Stage) -> None:
    try:
        stage.refresh()
    except YinxinError as error:  # a trust folder half edited: the last good one goes on serving
        _log.warning("refresh failed: %s", error.code)
    except Exception as error:  # noqa: BLE001 - the process goes on with what it has
        _log.error("refresh failed: %s", type(error).__name__)


def _signals() -> threading.Event:
    """SIGTERM stops this process in order; an interrupt from the keyboard is the supervisor's to hear."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop.set())
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    return stop

"""Run the services: each role its own application and origin; development runs several in one process.

SQLite serves one server process; a second one is refused. Binding comes before building, so that a taken
port is told at once, and a port of 0 is known before certificates name it.
"""

from __future__ import annotations

import importlib.util
import socket
import sqlite3
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yinxin.app import wiring
from yinxin.base.errors import Conflict, Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import uvicorn
    from fastapi import FastAPI

    from yinxin.app.home import Home

START_SECONDS = 60.0
SERVICE_PARTS = ("fastapi", "python_multipart", "uvicorn")  # the extra `service`


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of server: the setting that holds its address, and how its application is made."""

    setting: str
    build: Callable[[Home, wiring.Stage], FastAPI]

    def url(self, home: Home) -> str:
        """Where others reach it."""
        return str(getattr(home.settings, self.setting))


ROLES: Mapping[str, Role] = {
    "ca": Role("ca_url", wiring.certificate_app),
    "issuer": Role("base_url", wiring.issuer_app),
    "verifier": Role("verify_url", wiring.verifier_app),
}


@contextmanager
def running(
    home: Home, roles: Sequence[str], *, sockets: Mapping[str, socket.socket] | None = None
) -> Iterator[wiring.Stage]:
    """Serve these roles in threads while the block runs.

    The CA starts first, since the others fetch from it. `sockets` are bound already, by role; else the port
    of each role's address is bound on the host of the settings. `Conflict` when another process serves this
    SQLite home, `Unreachable` when a server does not come up.
    """
    if missing := [name for name in SERVICE_PARTS if importlib.util.find_spec(name) is None]:
        raise UsageError(f"{', '.join(missing)} missing; serving needs: pip install 'yinxin[service]'")
    with ExitStack() as closing:
        closing.enter_context(only_server(home))
        if not home.database.is_migrated():  # a newer version of yinxin than the one that made this home
            home.database.migrate()
        given = sockets or {}
        bound = {name: given[name] if name in given else bind(home, name) for name in roles}
        stage = wiring.Stage(closing)
        for name in sorted(roles, key=list(ROLES).index):
            closing.enter_context(_serving(ROLES[name].build(home, stage), bound[name]))
        yield stage


def bind(home: Home, role: str) -> socket.socket:
    """A listening socket for the role's address; `Unreachable` when the port is taken."""
    url = urlsplit(ROLES[role].url(home))
    return bind_port(home.settings.host, url.port or (443 if url.scheme == "https" else 80))


def bind_port(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    try:
        return socket.create_server((host, port))
    except OSError as exc:
        raise Unreachable(f"cannot listen on {host}:{port}: {exc.strerror}") from exc


@contextmanager
def only_server(home: Home) -> Iterator[None]:
    """Hold the place of the one server process of a SQLite home; given back even after a crash."""
    if not home.database.is_sqlite:
        yield
        return
    # A lock on a file of its own: SQLite's locks work on every platform and end with their process.
    lock = sqlite3.connect(
        home.directory / "server.lock", timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        lock.close()
        raise Conflict("another process serves this home; more than one needs PostgreSQL") from exc
    try:
        yield
    finally:
        lock.close()


@contextmanager
def _serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    server = _server(app)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="yinxin-serve", daemon=True
    )
    thread.start()
    try:
        _wait_for(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    patience = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > patience:
            raise Unreachable("the server did not start")
        time.sleep(0.005)


def _server(app: FastAPI) -> uvicorn.Server:
    import uvicorn  # noqa: PLC0415 - an optional part

    from yinxin.app.connections import PatientProtocol  # noqa: PLC0415 - the same

    # No access log: paths name licences and verifications.
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=128,  # so many are taken at once, before any of them can be turned away
    )
    return uvicorn.Server(config)

"""Run the services of one process: each role its own application and origin; development runs several.

SQLite serves one server process; a second one is refused. Binding comes before building, so that a taken
port is told at once, and a port of 0 is known before certificates name it. Several processes for a role are
the work of `yinxin.app.supervisor`.
"""

from __future__ import annotations

import importlib.util
import socket
import sqlite3
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yinxin.app import duties, wiring
from yinxin.app.backup.mark import require_released
from yinxin.app.office import office_app
from yinxin.base.errors import Conflict, Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from yinxin.app.connections import PulsingServer
    from yinxin.app.home import Home
    from yinxin.app.shelf import Shelf

START_SECONDS = 60.0
BACKLOG = 512  # connections that wait to be taken
DRAIN_SECONDS = 25  # for requests that run when the server is told to stop
SERVICE_PARTS = (
    "fastapi",
    "httptools",
    "jinja2",
    "prometheus_client",
    "python_multipart",
    "uvicorn",
    "zxingcpp",
)  # the extra `service`


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of server: the setting that holds its address, and how its application is made.

    `duty` is what one process does for all of the role, and `keys` are the keys that it cannot do without.
    """

    setting: str
    build: Callable[[Home, wiring.Stage], FastAPI]
    duty: Callable[[Home, wiring.Stage], None] | None = None
    keys: tuple[str, ...] = ()

    def url(self, home: Home) -> str:
        """Where others reach it."""
        return str(getattr(home.settings, self.setting))


ROLES: Mapping[str, Role] = {
    "ca": Role("ca_url", wiring.certificate_app, keys=("root", "issuing", "root-ocsp", "ocsp", "timestamp")),
    "issuer": Role("base_url", wiring.issuer_app, duties.keep_the_register, ("credential", "status")),
    "verifier": Role("verify_url", wiring.verifier_app, duties.fetch_and_tidy, ("receipt",)),
    "office": Role("office_url", office_app, keys=("seal", "credential", "status")),
    "wallet": Role("wallet_url", wiring.wallet_app, duties.fetch_and_tidy),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What a process does of what `running` can do, when it is one of several.

    `shelf` is where lists lie that another process fetched. `at_once`: how many connections it takes before
    it looks at what others take. `silences` gets a function for each server: seconds since its loop turned.
    """

    serves: bool = True
    has_duty: bool = True
    shelf: Shelf | None = None
    on_fetched: Callable[[], None] | None = None
    at_once: int = 128  # so many are taken at once, before any of them can be turned away
    silences: list[Callable[[], float]] = field(default_factory=list)


WHOLE = Part()


@contextmanager
def running(
    home: Home,
    roles: Sequence[str],
    *,
    sockets: Mapping[str, socket.socket] | None = None,
    part: Part = WHOLE,
) -> Iterator[wiring.Stage]:
    """Serve these roles in threads while the block runs.

    The CA starts first, since the others fetch from it. `sockets` are bound already, by role; else the port
    of each role's address is bound on the host of the settings. `Conflict` when another process serves this
    SQLite home, `Unreachable` when a server does not come up.
    """
    require_parts()
    from yinxin.app.observing.process import (  # noqa: PLC0415 - an optional part
        Observed,
        check_metrics_address,
    )

    with ExitStack() as closing:
        closing.enter_context(only_server(home))
        prepare(home)
        require_released(home)
        given = sockets or {}
        bound = {name: given[name] if name in given else bind(home, name) for name in roles if part.serves}
        for listener in bound.values():
            closing.callback(listener.close)
        if part is WHOLE:
            check_metrics_address(home, bound.values())
        stage = wiring.Stage(closing, shelf=part.shelf, on_fetched=part.on_fetched)
        observed = closing.enter_context(Observed(home, own_metrics=part is WHOLE))
        for name in in_order(roles):
            role, own = ROLES[name], observed.stage(stage)
            if part.has_duty and role.duty:
                role.duty(home, own)
                observed.add_duty(name)
            if part.serves:
                app = observed.watch(role.build(home, own), name, own, keys=role.keys)
                silence = closing.enter_context(_serving(app, bound[name], at_once=part.at_once))
                part.silences.append(silence)
        closing.callback(observed.stopping)
        yield stage


def in_order(roles: Sequence[str]) -> list[str]:
    """The roles in the order in which they start: who is fetched from stands before who fetches."""
    return sorted(dict.fromkeys(roles), key=list(ROLES).index)


def require_parts() -> None:
    """`UsageError` unless the libraries of the extra `service` are there."""
    if missing := [name for name in SERVICE_PARTS if importlib.util.find_spec(name) is None]:
        raise UsageError(f"{', '.join(missing)} missing; serving needs: pip install 'yinxin[service]'")


def prepare(home: Home) -> None:
    """Bring the tables of a home to this version, when an older one made them."""
    if not home.database.is_migrated():
        home.database.migrate()


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
def _serving(
    app: ASGIApp, listener: socket.socket, *, at_once: int = WHOLE.at_once
) -> Iterator[Callable[[], float]]:
    server = _server(app, at_once)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="yinxin-serve", daemon=True
    )
    thread.start()
    try:
        _wait_for(server, thread)
        listener.listen(BACKLOG)  # asyncio takes one number for how many wait and how many are taken at once
        yield server.silence
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_for(server: PulsingServer, thread: threading.Thread) -> None:
    patience = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > patience:
            raise Unreachable("the server did not start")
        time.sleep(0.005)


def _server(app: ASGIApp, at_once: int) -> PulsingServer:
    import uvicorn  # noqa: PLC0415 - an optional part

    from yinxin.app.connections import PatientProtocol, PulsingServer  # noqa: PLC0415 - the same

    # No access log: paths name licences and verifications.
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=at_once,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return PulsingServer(config)

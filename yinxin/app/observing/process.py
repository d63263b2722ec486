"""Observation of one process: its metrics, and around each of its applications health, readiness and logs."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from credentials.licence import agency_day, start_of_day
from yinxin.app.observing import metrics as figures
from yinxin.app.observing import readiness
from yinxin.app.observing.watch import Watched
from yinxin.base.audit import AuditLog
from yinxin.base.errors import NotFound, UsageError, YinxinError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.types import ASGIApp

    from signing.certificates import Certificate
    from yinxin.app.home import Home
    from yinxin.app.wiring import Stage

INTERVAL_SECONDS = 2.0
_log = logging.getLogger("yinxin.observing")


class Observed:
    """Watches the applications of this process while its block runs.

    With `own_metrics` it shows them itself, where the settings name an address; else a supervisor does.
    """

    def __init__(self, home: Home, *, own_metrics: bool = True) -> None:
        self._home = home
        self._own_metrics = own_metrics
        self._watched: list[tuple[str, Watched, Stage]] = []
        self._ready: list[readiness.Readiness] = []
        self._duties: set[str] = set()
        self._closing = ExitStack()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self.metrics = figures.Metrics()
        if self._own_metrics and (listen := self._home.settings.metrics_listen):
            registry = self.metrics.registry
            registry.register(figures.Rows(lambda: home_rows(self._home)))
            self._closing.callback(figures.serve(listen, registry))
        thread = threading.Thread(target=self._run, name="yinxin-observer", daemon=True)
        thread.start()

        def stop() -> None:
            self._stop.set()
            thread.join()

        self._closing.callback(stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def stage(self, stage: Stage) -> Stage:
        """The stage for one role: what runs beside all is shared, what is watched is its own."""
        return replace(
            stage, journals=[], snapshots=None, unanswered=None, count_verdict=self.metrics.count_verdict
        )

    def add_duty(self, role: str) -> None:
        """This process does the duty of the role."""
        self._duties.add(role)

    def watch(self, app: ASGIApp, role: str, stage: Stage, *, keys: tuple[str, ...]) -> Watched:
        """The application with everything around it; its stage is filled by now."""
        home, settings = self._home, self._home.settings
        ready = readiness.Readiness(home.clock, [readiness.database_check(home.database)])
        ready.checks.append(readiness.keys_check(certificates(home, keys)))
        if stage.snapshots:
            unanswered = stage.unanswered or tuple
            ready.checks.append(
                readiness.snapshots_check(
                    stage.snapshots, lists=bool(settings.crl_urls), unanswered=unanswered
                )
            )
            ready.checks.append(readiness.gathering_check(home.library.read))
        watched = Watched(app, role=role, ready=ready, metrics=self.metrics)
        self._watched.append((role, watched, stage))
        self._ready.append(ready)
        return watched

    def stopping(self) -> None:
        """From now on nothing here is ready."""
        for ready in self._ready:
            ready.is_stopping = True

    def look(self) -> None:
        """Bring the metrics of a moment up to date."""
        now = self._home.clock.now()
        for role, watched, stage in self._watched:
            self.metrics.open_requests.labels(role).set(watched.open)
            if stage.journals:
                waiting = sum(journal.waiting for journal in stage.journals)
                self.metrics.journal_queue.labels(role).set(waiting)
            if stage.snapshots:
                for kind, age in readiness.ages(stage.snapshots(), now).items():
                    self.metrics.snapshot_age.labels(kind).set(age)
        if self._duties:
            self.metrics.audit_backlog.set(AuditLog(self._home.database).backlog())

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self.look()
            except YinxinError as error:
                _log.warning("figures are missing: %s", error.code)
            except Exception as error:  # noqa: BLE001 - a thread that ends would leave figures that look good
                _log.error("figures are missing: %s", type(error).__name__)


def check_metrics_address(home: Home, listeners: Iterable[socket.socket]) -> None:
    """`UsageError` when metrics would be served where a role is, or on a text that is no address."""
    if home.settings.metrics_listen:
        _, port = figures.address_of(home.settings.metrics_listen)
        if any(port == listener.getsockname()[1] for listener in listeners):
            raise UsageError("metrics_listen names the port of a public service")


def certificates(home: Home, names: tuple[str, ...] | list[str]) -> dict[str, Certificate]:
    """The certificates of keys, as far as the home has them."""
    found: dict[str, Certificate] = {}
    for name in names:
        try:
            found[name] = home.chain(name)[0]
        except NotFound:
            continue
    return found


def home_rows(home: Home) -> Iterator[tuple[str, str, str, Mapping[str, float]]]:
    """What is computed when it is asked for: the ends of certificates, and today's alarms about seals."""
    yield from expiry_rows(home)
    yield from alarm_rows(home)


def alarm_rows(home: Home) -> Iterator[tuple[str, str, str, Mapping[str, float]]]:
    """Refused uses of the agency's seals since its midnight; none while the database is away."""
    from credentials.office.seals.uses.repository import UseRepository  # noqa: PLC0415 - for offices only

    midnight = start_of_day(agency_day(home.clock.now()))
    with suppress(YinxinError):
        with home.database.reading() as session:
            counts = UseRepository(session).alarms_by_kind(home.settings.agency_code, since=midnight)
        yield "yinxin_seal_alarms_today", "Refused uses of seals since midnight", "kind", counts


def expiry_rows(home: Home) -> Iterator[tuple[str, str, str, Mapping[str, float]]]:
    """Seconds until the certificate of each key of the home ends."""
    now = home.clock.now()
    left = {
        name: (certificate.not_after - now).total_seconds()
        for name, certificate in certificates(home, home.key_names()).items()
    }
    yield "yinxin_certificate_seconds_left", "Seconds until the certificate of a key ends", "key", left

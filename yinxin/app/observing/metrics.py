"""Metrics for Prometheus: what is counted, summed over the worker processes, and the address that shows it.

Labels come from short lists of ours: roles, route templates, statuses, verdicts, names of keys. Nothing that
a caller sends becomes a label. With several processes each writes into files of its own slot, which a process
that takes its place goes on with, so that no counter ever goes back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    multiprocess,
    start_http_server,
    values,
)
from prometheus_client.core import GaugeMetricFamily

from yinxin.base.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, of use to nobody here
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """What one process counts. Make one for each process (or registry) only."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self._rows: dict[tuple[str, str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "yinxin_requests",
            "Requests answered, by route template and status",
            ("role", "method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "yinxin_request_seconds",
            "Seconds until the answer was sent",
            ("role", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self.open_requests = _gauge(
            registry, "yinxin_open_requests", "Requests being answered", ("role",), "sum"
        )
        self.verdicts = Counter(
            "yinxin_verdicts", "Verifications, by kind and verdict", ("kind", "indication"), registry=registry
        )
        self.snapshot_age = _gauge(
            registry,
            "yinxin_snapshot_age_seconds",
            "Age of the oldest list that verification stands on",
            ("kind",),
            "max",
        )
        self.journal_queue = _gauge(registry, "yinxin_journal_queue", "Writes that wait", ("role",), "sum")
        self.audit_backlog = _gauge(
            registry, "yinxin_audit_backlog", "Audit entries that wait for their place in the log", (), "max"
        )
        self.ready = _gauge(
            registry, "yinxin_ready", "1 when ready; the least of all workers", ("role",), "min"
        )

    def count(self, role: str, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        key = (role, method if method in METHODS else OTHER, route, status)
        if key not in self._rows:  # as many as there are series
            self._rows[key] = (self.requests.labels(*key[:3], str(status)), self.seconds.labels(role, route))
        count, duration = self._rows[key]
        count.inc()
        duration.observe(seconds)

    def count_verdict(self, kind: str, indication: str) -> None:
        """Count one verification."""
        self.verdicts.labels(kind, indication).inc()


class Rows:
    """A collector of figures that are computed when they are asked for: `(name, help, label, values)`."""

    def __init__(self, read: Callable[[], Iterator[tuple[str, str, str, Mapping[str, float]]]]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus' library asks for."""
        for name, says, label, figures in self._read():
            family = GaugeMetricFamily(name, says, labels=(label,))
            for key, figure in figures.items():
                family.add_metric((key,), figure)
            yield family


def share(folder: Path, slot: str) -> None:
    """Have the metrics of this process kept in `folder` under `slot`, before `Metrics` is made.

    No two processes that live at the same time have the same slot.
    """
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]


def sum_of(folder: Path) -> CollectorRegistry:
    """A registry that shows the sum of all processes that share this folder."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


def serve(listen: str, registry: CollectorRegistry) -> Callable[[], None]:
    """Show a registry on `host:port`; what comes back ends it. `Unreachable` when the port is taken."""
    host, port = address_of(listen)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as exc:
        raise Unreachable(f"metrics cannot listen on {listen}: {exc.strerror}") from exc

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of a text such as `127.0.0.1:9100` or `[::1]:9100`; else `UsageError`."""
    host, found, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not found or not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"metrics_listen: {listen!r} is no host:port such as 127.0.0.1:9100")
    return host, int(port)


def _gauge(registry: CollectorRegistry, name: str, says: str, labels: tuple[str, ...], mode: Any) -> Gauge:
    return Gauge(name, says, labels, registry=registry, multiprocess_mode=mode)

"""Several processes for a role, on PostgreSQL: real ones, killed, stopped, asked while they end."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from world.databases import PostgreSQL, postgresql
from world.node import PASSPHRASE, Node
from world.processes import Bureau, Service, call, need_proc

from credentials.vocabulary import INVALID
from yinxin.app import wiring
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.serve import running
from yinxin.app.supervisor import LONGEST_DELAY, Supervisor, delay_after
from yinxin.base.audit import AuditLog
from yinxin.base.audit.checkpoint import parse_verifier_key
from yinxin.base.clock import SystemClock
from yinxin.base.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgresql"]

CLIENTS = 6


@pytest.fixture(scope="module")
def office(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node.make(tmp_path_factory.mktemp("office") / "home", postgresql.fresh(), clock=SystemClock())
    yield made
    made.close()


@pytest.fixture(scope="module")
def bureau(office: Node) -> Bureau:
    return Bureau(office)


@pytest.fixture(scope="module")
def number(office: Node) -> str:
    return office.issue().licence.number


@pytest.fixture(scope="module")
def service(office: Node, number: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A verifier of two processes; the CA and the issuer run here."""
    need_proc()
    del number  # issued before, so that there is a status list to fetch
    with running(office.home, ("ca", "issuer")):
        made = Service(
            office,
            ("verifier",),
            tmp_path_factory.mktemp("serve"),
            department_requests_per_minute="1000000",
            refresh_seconds="3600",
        )
        yield made.wait()
        made.kill()


class Asking(threading.Thread):
    """A client that asks one question after another, each under its own key, until it is answered."""

    def __init__(self, bureau: Bureau, number: str, token: str, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self.bureau, self.number, self.token, self.stop_event = bureau, number, token, stop
        self.keys: list[str] = []
        self.broken = 0
        self.other: list[Any] = []

    def run(self) -> None:
        place = urlsplit(self.bureau.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        while not self.stop_event.is_set():
            key = f"{self.name}-{len(self.keys)}"
            while True:
                try:
                    headers = self.bureau.headers(self.token, **{"Idempotency-Key": key})
                    connection.request(
                        "POST", "/v1/verifications", self.bureau.question(self.number), headers
                    )
                    answer = connection.getresponse()
                    body = answer.read()
                except (OSError, http.client.HTTPException):
                    self.broken += 1
                    connection.close()
                    continue
                if answer.status != 200:
                    self.other.append((answer.status, body))
                break
            self.keys.append(key)
        connection.close()


def test_a_killed_worker_takes_nothing_with_it_but_what_it_held(
    service: Service, office: Node, bureau: Bureau, number: str
) -> None:
    stop, token = threading.Event(), bureau.token()
    asking = [Asking(bureau, number, token, f"client{place}", stop) for place in range(CLIENTS)]
    for one in asking:
        one.start()
    kills = 0
    try:
        for slot in ("verifier-1", "verifier-duty"):
            time.sleep(0.7)
            victim = service.worker(slot)
            os.kill(victim, signal.SIGKILL)
            kills += slot != "verifier-duty"
            service.until(lambda slot=slot, victim=victim: service.worker(slot) != victim)
    finally:
        stop.set()
        for one in asking:
            one.join()

    # A client loses at most the one request that a killed worker held for it, and nobody hears anything else.
    assert [one.other for one in asking] == [[]] * CLIENTS
    assert all(one.broken <= kills for one in asking), [one.broken for one in asking]
    keys = [key for one in asking for key in one.keys]
    assert len(keys) > 50
    service.until(lambda: AuditLog(office.home.database).backlog() == 0)
    with office.home.database.reading() as session:
        rows = session.execute(text("SELECT id, idempotency_key FROM verify_verification")).all()
    by_key = Counter(row.idempotency_key for row in rows)
    assert set(by_key.values()) == {1}
    assert len(rows) == len(keys)
    log = AuditLog(office.home.database)
    origin, key = parse_verifier_key(wiring.log_key(office.home)[1])
    assert log.problems(origin=origin, public_key=key) == []
    recorded = _subjects(log, "verification.record")
    assert sorted(recorded) == sorted(row.id for row in rows)
    restarts = service.metric('yinxin_worker_restarts{role="verifier"}')
    assert restarts == 2


def test_every_worker_counts_and_a_dead_ones_counts_stay(
    service: Service, bureau: Bureau, number: str
) -> None:
    counted = 'yinxin_requests_total{method="POST",role="verifier",route="/v1/verifications",status="200"}'
    before, verdicts = service.metric(counted), 'yinxin_verdicts_total{indication="passed",kind="licence"}'
    passed = service.metric(verdicts)
    token = bureau.token()
    for _ in range(12):
        assert _ask(bureau, number, token) == 200
    assert service.metric(counted) == before + 12
    assert service.metric(verdicts) == passed + 12
    victim = service.worker("verifier-1")
    os.kill(victim, signal.SIGKILL)
    service.until(lambda: service.worker("verifier-1") != victim)
    assert service.metric(counted) >= before + 12
    service.until(lambda: service.metric('yinxin_workers_alive{role="verifier"}') == 2)
    told = service.metrics()
    for name in ("yinxin_certificate_seconds_left", "yinxin_audit_backlog", "yinxin_snapshot_age_seconds"):
        assert name in told
    # Only on its own address, never where everybody asks.
    assert call(bureau.url, "GET", "/metrics")[0] == 404


def test_sighup_fetches_at_once(service: Service, office: Node, bureau: Bureau) -> None:
    """Nothing else does within this hour: the status list gets old, and the verifier says so."""

    def age() -> float:
        return service.metric('yinxin_snapshot_age_seconds{kind="status"}')

    service.until(lambda: age() > 3)
    before = age()
    statuses = wiring.status_service(office.home)
    with office.home.database.transaction() as session:
        statuses.set(session, *statuses.allocate(session), INVALID)

    def is_younger() -> bool:
        if time.monotonic() - asked_at[0] > 10:  # a fetch that failed on a busy machine is asked for again
            service.process.send_signal(signal.SIGHUP)
            asked_at[0] = time.monotonic()
        return age() < before

    asked_at = [0.0]
    service.until(is_younger)
    assert call(bureau.url, "GET", "/healthz")[0] == 200
    service.until(lambda: call(bureau.url, "GET", "/readyz")[0] == 200)
    assert json.loads(call(bureau.url, "GET", "/readyz")[2]) == {"status": "ready"}


def test_no_process_shows_the_passphrase(service: Service) -> None:
    assert len(service.children()) >= 3
    assert not _shows_passphrase(service)


def test_a_typed_passphrase_and_a_request_under_way_when_the_service_is_told_to_stop(
    office: Node, tmp_path: Path
) -> None:
    need_proc()
    place = tmp_path / "typed"
    place.write_text(f"{PASSPHRASE}\n")
    port = _port()
    with place.open() as typed:
        other = Service(office, ("ca",), tmp_path, stdin=typed, ca_url=f"http://127.0.0.1:{port}").wait()
    assert not _shows_passphrase(other)
    head = b"POST /tsa HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Type: application/timestamp-query"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head + b"\r\n\r\nab")
        time.sleep(0.5)  # taken by a worker
        other.process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
        connection.sendall(b"cd")
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200")
    assert other.process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_wrong_passphrase_is_said_and_nothing_is_left(office: Node) -> None:
    office.home.settings = replace(office.home.settings, ca_url=f"http://127.0.0.1:{_port()}")
    others = set(multiprocessing.active_children())  # of tests before this one
    with (
        pytest.raises(Unreachable, match="signer_unavailable"),
        Supervisor(office.home, ["ca"], workers=1, passphrase="another passphrase"),
    ):
        pass
    assert set(multiprocessing.active_children()) <= others


def test_a_worker_that_hangs_is_replaced(office: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinxin.app.supervisor.SILENT_SECONDS", 15.0)
    office.home.settings = replace(office.home.settings, ca_url=f"http://127.0.0.1:{_port()}")
    with Supervisor(office.home, ["ca"], workers=1, passphrase=PASSPHRASE) as supervisor:
        stop, first = threading.Event(), supervisor.processes()["ca-1"]
        watching = threading.Thread(target=supervisor.run, args=(stop,))
        watching.start()
        os.kill(first, signal.SIGSTOP)  # it lives, and answers nothing
        patience = time.monotonic() + 90
        while supervisor.processes().get("ca-1") in {first, None} and time.monotonic() < patience:
            time.sleep(0.2)
        stop.set()
        watching.join()
        assert supervisor.processes()["ca-1"] != first


def test_sqlite_has_one_process_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node = Node.make(tmp_path / "home", "sqlite:///yinxin.db")
    with pytest.raises(UsageError, match="PostgreSQL"):
        Supervisor(node.home, ["ca"], workers=2, passphrase=PASSPHRASE)
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)
    words = ["serve", "--role", "ca", "--workers", "2", "--home", str(node.home.directory)]
    assert run([*words, "--passphrase-file", str(file)]) == ExitCode.USAGE
    assert "PostgreSQL" in capsys.readouterr().err
    node.close()


def test_a_worker_that_keeps_failing_comes_back_ever_later() -> None:
    delays = [delay_after(failures) for failures in range(1, 40)]
    assert delays[0] < 0.5
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY


def test_workers_end_when_their_supervisor_is_killed(service: Service) -> None:
    """The last story of this service."""
    children = [pid for pid, line in service.children().items() if "spawn_main" in line]
    assert len(children) == 3
    service.process.kill()
    service.process.wait(30)
    service.until(lambda: not any(Path("/proc", str(pid)).exists() for pid in children))


def _subjects(log: AuditLog, action: str) -> list[str]:
    found, after = [], -1
    while entries := log.entries(after=after, limit=1000):
        found += [entry.subject for entry in entries if (entry.content() or {})["action"] == action]
        after = entries[-1].log_index
    return found


def _ask(bureau: Bureau, number: str, token: str) -> int:
    return call(bureau.url, "POST", "/v1/verifications", bureau.question(number), bureau.headers(token))[0]


def _shows_passphrase(service: Service) -> bool:
    files = [
        Path("/proc", str(process), name)
        for process in (service.process.pid, *service.children())
        for name in ("cmdline", "environ")
    ]
    return any(PASSPHRASE.encode() in file.read_bytes() for file in files)


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])

"""A node says by itself when an answer of it would not be right: the clock moves, the database goes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world.node import Node
from world.ports import free_ports
from world.processes import call

from signing.revocation import RevocationSnapshot
from signing.trust import TrustStore
from verify_api.documents import Snapshots
from yinxin.app.observing import metrics, readiness
from yinxin.app.serve import ROLES, running
from yinxin.base.clock import FixedClock
from yinxin.base.database import Database
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVED = ("ca", "issuer", "verifier")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Node]:
    """A node on SQLite that shows its metrics, and looks at its lists only when told to."""
    made = Node.make(tmp_path / "home", "sqlite:///yinxin.db")
    (port,) = free_ports(1)
    settings = replace(made.home.settings, metrics_listen=f"127.0.0.1:{port}", refresh_seconds=3600.0)
    made.home.settings = settings
    yield made
    made.close()


def ready(node: Node, role: str) -> tuple[int, list[str]]:
    status, _, body = call(ROLES[role].url(node.home), "GET", "/readyz")
    return status, [reason["code"] for reason in json.loads(body).get("reasons", ())]


def test_a_verifier_is_ready_as_long_as_its_lists_are_fresh(
    small: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    small.issue()
    with running(small.home, SERVED) as stage:
        assert [ready(small, role) for role in SERVED] == [(200, [])] * 3

        small.clock.advance(timedelta(minutes=2))  # a status list is good for a minute
        assert ready(small, "verifier") == (503, ["status_stale"])
        stage.refresh()
        assert ready(small, "verifier") == (200, [])

        small.clock.advance(timedelta(days=2))  # a revocation list is good for a day
        assert ready(small, "verifier") == (503, ["revocation_stale", "status_stale"])
        assert ready(small, "issuer") == (200, [])
        assert call(small.home.settings.verify_url, "GET", "/healthz")[0] == 200
        stage.refresh()
        assert ready(small, "verifier") == (200, [])

        small.clock.advance(timedelta(days=100))  # the OCSP signer's certificate lives for three months
        assert ready(small, "ca") == (503, ["key_expired"])
        small.clock.advance(timedelta(days=40 * 365))
        assert "trust_expired" in ready(small, "verifier")[1]

        status, headers, body = call(small.home.settings.verify_url, "GET", "/readyz")
        assert (status, headers["cache-control"]) == (503, "no-store")
        says = json.loads(body)["reasons"][0]["says"]
        assert says["zh"]
        assert says["en"]
        told = call(f"http://{small.home.settings.metrics_listen}", "GET", "/metrics")[2].decode()
        assert 'yinxin_ready{role="verifier"} 0.0' in told
        assert 'yinxin_ready{role="issuer"} 1.0' in told
        assert "yinxin_certificate_seconds_left" in told


def test_migrations_that_wait_and_a_database_that_is_gone(database_url: str) -> None:
    database = Database(database_url)
    check = readiness.database_check(database)
    now = FixedClock(2026, 11, 20).now()
    assert list(check(now)) == [readiness.NOT_MIGRATED]
    database.migrate()
    assert list(check(now)) == []
    database.close()
    gone = Database("postgresql://nobody@127.0.0.1:1/none")
    assert list(readiness.database_check(gone)(now)) == [readiness.DATABASE_AWAY]
    gone.close()


def test_what_was_never_fetched_stands_against_it(small: Node) -> None:
    now = small.clock.now()
    empty = Snapshots(TrustStore(()), RevocationSnapshot())
    check = readiness.snapshots_check(lambda: empty, lists=True, unanswered=lambda: ["https://x/status"])
    found = {reason.code for reason in check(now)}
    assert found == {"trust_empty", "revocation_missing", "status_missing"}
    check = readiness.snapshots_check(lambda: empty, lists=False, unanswered=tuple)
    assert {reason.code for reason in check(now)} == {"trust_empty"}


def test_while_it_stops_it_is_not_ready(small: Node) -> None:
    found = readiness.Readiness(small.clock)
    assert found.look() == ()
    found.is_stopping = True
    assert found.look() == (readiness.STOPPING,)


def test_metrics_never_share_a_public_address(small: Node) -> None:
    port = small.home.settings.ca_url.rpartition(":")[2]
    small.home.settings = replace(small.home.settings, metrics_listen=f"127.0.0.1:{port}")
    with pytest.raises(UsageError), running(small.home, ["ca"]):
        pass
    for text in ("9100", "localhost:", ":9100", "x:0", "x:99999", "x:y", ""):
        with pytest.raises(UsageError):
            metrics.address_of(text)
    assert metrics.address_of("[::1]:9100") == ("::1", 9100)

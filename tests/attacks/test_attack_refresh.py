"""Somebody on the way to the lists: old lists played again, lists of others, lists from tomorrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from world.databases import with_tables
from world.pki import NOON, Pki

from credentials.status_service import StatusService
from signing.policy import Policy
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from yinxin.app.network import MAX_KEPT, MAX_TAGGED, Network
from yinxin.app.refresh import Refresher
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable
from yinxin.base.outbound import Response
from yinxin.base.settings import Settings

CRL, STATUS = "http://ca.example/issuing.crl", "http://issuer.example/status"
HOUR = timedelta(hours=1)
SHARD = x509.IssuingDistributionPoint(
    [x509.UniformResourceIdentifier("http://ca.example/1.crl")], None, False, False, None, False, False
)


@dataclass
class Way:
    """A home as the refresher sees it, and what stands on the way to its lists."""

    pki: Pki = field(default_factory=Pki)
    answers: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOON.year, NOON.month, NOON.day, NOON.hour)
        self.trust = TrustStore([self.pki.root.certificate])
        self.settings = Settings(crl_urls=(CRL,), status_urls=(STATUS,))
        self.revocation, self.policy, self.credential_issuers = RevocationSnapshot(), Policy.default(), None
        self.outbound = self

    def key_names(self) -> list[str]:
        return ["seal"]

    def chain(self, _name: str) -> tuple[Any, ...]:
        return self.pki.signer("seal").chain

    def get(self, url: str, *, headers: Any, max_bytes: int) -> Response:
        assert max_bytes
        assert headers is None
        if url not in self.answers:
            raise Unreachable(url)
        return Response(200, {}, self.answers[url])


@pytest.fixture
def way() -> Way:
    return Way()


def lists(refresher: Refresher) -> list[Any]:
    return [crl.this_update for crl in refresher.snapshots().revocation.crls]


@pytest.mark.parametrize(
    "attack", ["older", "another authority's", "tomorrow's", "unsigned", "no list", "delta", "shard"]
)
def test_what_is_not_the_newest_list_of_its_authority_changes_nothing(way: Way, attack: str) -> None:
    refresher = Refresher(way)  # type: ignore[arg-type]  # all that it looks at
    good = way.pki.issuing.crl(NOON)
    way.answers[CRL] = good
    before = lists(refresher)
    way.answers[CRL] = {
        "older": way.pki.issuing.crl(NOON - HOUR),
        "another authority's": way.pki.root.crl(NOON),
        "tomorrow's": way.pki.issuing.crl(NOON + 24 * HOUR),
        "unsigned": good[:-1] + bytes([good[-1] ^ 1]),
        "no list": b"<html>",
        "delta": way.pki.issuing.crl(NOON + HOUR / 60, extra=((x509.DeltaCRLIndicator(1), True),)),
        "shard": way.pki.issuing.crl(NOON + HOUR / 60, extra=((SHARD, True),)),
    }[attack]
    assert lists(refresher) == before
    way.answers[CRL] = way.pki.issuing.crl(NOON + timedelta(seconds=5))
    assert lists(refresher) != before, "the next genuine one counts"


@pytest.mark.parametrize("size", [1, MAX_KEPT // 8])
def test_ever_new_addresses_fill_no_memory(way: Way, size: int) -> None:
    body = bytes(size)
    way.get = lambda url, **_: Response(200, {"etag": url}, body)  # type: ignore[method-assign]
    network = Network(way)  # type: ignore[arg-type]  # all that it looks at
    for number in range(MAX_TAGGED + 10 if size == 1 else 20):
        network.get(f"https://issuer.example/{number}", size)
    kept = network._tagged
    assert len(kept) == (MAX_TAGGED if size == 1 else 8)
    assert f"https://issuer.example/{number}" in kept, "the newest stays"


def test_an_old_status_list_does_not_lift_a_suspension(way: Way) -> None:
    database = with_tables()
    service = StatusService(
        database, way.pki.signer("status"), "http://issuer.example", clock=way.clock, size=1 << 10
    )
    with database.transaction() as session:
        uri, index = service.allocate(session)
    way.answers[STATUS] = b'{"status_lists":["%s"]}' % uri.encode()
    way.answers[CRL] = way.pki.issuing.crl(NOON)
    root = Refresher(way)  # type: ignore[arg-type]  # all that it looks at
    old = service.token(uri).encode()
    way.clock.advance(timedelta(minutes=1))
    with database.transaction() as session:
        service.set(session, uri, index, 2)
    way.answers[uri] = service.token(uri).encode()
    way.revocation = RevocationSnapshot([Crl.from_der(way.pki.root.crl(NOON))])
    assert root.snapshots().statuses[uri].status(index) == 2
    way.answers[uri] = old
    assert root.snapshots().statuses[uri].status(index) == 2
    database.close()

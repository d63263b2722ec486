"""Servers that answer late, or never: others wait no longer than a bound, and what was kept serves on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.pki import NOON, Pki

from credentials.known_types import KnownTypes
from credentials.type_metadata import integrity_of
from signing.jose import dump_json
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from signing.trust import TrustStore
from yinxin.app.network import Fetched
from yinxin.app.patience import FREE_SECONDS, HOST_SECONDS, ROUND_SECONDS, Patience
from yinxin.app.refresh import Refresher
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable
from yinxin.base.outbound import Response
from yinxin.base.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 5.0  # of one request, by the way out
OWN, SLOW = "https://licences.jincheng.example", "https://slow.example"


@dataclass
class Town:
    """A home as the refresher sees it. Each request costs as many seconds as its host wants; none waits."""

    settings: Settings
    pages: dict[str, bytes] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)  # by host; over the time-out nothing comes
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pki, self.clock = PKI, FixedClock(NOON.year, NOON.month, NOON.day, NOON.hour)
        self.trust, self.policy = TrustStore([PKI.root.certificate]), Policy.default()
        self.revocation, self.credential_issuers = RevocationSnapshot(), None
        self.outbound = self

    def key_names(self) -> list[str]:
        return ["seal"]

    def chain(self, _name: str) -> tuple[Any, ...]:
        return SEAL

    def get(self, url: str, *, headers: Any = None, max_bytes: int) -> Response:
        assert max_bytes
        assert headers is None
        self.asked.append(url)
        cost = self.costs.get(urlsplit(url).netloc, 0.01)
        self.seconds += min(cost, TIMEOUT)
        if cost > TIMEOUT or url not in self.pages:
            raise Unreachable(url)
        return Response(200, {}, self.pages[url])

    def refresher(self) -> Refresher:
        return Refresher(self, steady=lambda: self.seconds)  # type: ignore[arg-type]  # all that it looks at

    def spent(self, work: Callable[[], Any]) -> float:
        """How many seconds a piece of work waited for servers."""
        before = self.seconds
        work()
        return self.seconds - before


PKI = Pki()
SEAL = PKI.signer("seal").chain
NONE = KnownTypes({}).digest
LONGEST = ROUND_SECONDS + TIMEOUT


def types_at(host: str, count: int) -> dict[str, bytes]:
    """An index of so many types, and their documents."""
    documents = {f"{host}/types/t{number}/1": b'{"vct":"urn:t:%d"}' % number for number in range(count)}
    rows = [
        {"type": f"t{number}", "version": 1, "vct": f"urn:t:{number}", "integrity": integrity_of(document)}
        for number, document in enumerate(documents.values())
    ]
    return {f"{host}/types": dump_json({"types": rows}), **documents}


def everything(count: int) -> dict[str, list[bytes]]:
    """The documents by `vct`."""
    return {f"urn:t:{number}": [b'{"vct":"urn:t:%d"}' % number] for number in range(count)}


@pytest.mark.parametrize("cost", [4.9, 60.0], ids=["slow", "silent"])
def test_five_hundred_slow_documents_hold_nothing_up(cost: float) -> None:
    lists = tuple(f"{OWN}/{number}.crl" for number in range(40))
    town = Town(Settings(crl_urls=lists, type_urls=(f"{SLOW}/types",)), types_at(SLOW, 500))
    town.pages |= dict.fromkeys(lists, PKI.issuing.crl(NOON))
    town.costs["slow.example"] = cost
    refresher = town.refresher()
    assert town.spent(refresher.snapshots) <= HOST_SECONDS + TIMEOUT + 1
    assert refresher.snapshots().revocation.crls
    assert set(lists) <= set(town.asked)


def test_a_slow_index_is_fetched_piece_by_piece() -> None:
    town = Town(Settings(type_urls=(f"{SLOW}/types",)), types_at(SLOW, 12))
    town.costs["slow.example"] = 4.0
    refresher, rounds = town.refresher(), 1
    while (types := refresher.snapshots().types) is None or types.digest == NONE:
        rounds += 1
        assert rounds < 10
    assert rounds > 1
    assert types.digest == KnownTypes(everything(12)).digest
    documents = [url for url in town.asked if url != f"{SLOW}/types"]
    assert len(documents) == len(set(documents)), "what came once is not asked for again"


def test_what_was_kept_serves_on_while_its_server_is_slow() -> None:
    crl = f"{SLOW}/issuing.crl"
    town = Town(Settings(crl_urls=(crl,)), {crl: PKI.issuing.crl(NOON)})
    refresher = town.refresher()
    before = refresher.snapshots().revocation
    town.costs["slow.example"] = 60.0
    assert refresher.snapshots().revocation is before


def test_many_slow_hosts_share_one_wait_and_leave_some_for_others() -> None:
    """Whoever writes an aggregation may name a thousand hosts; the types are asked for all the same."""
    strangers = [f"https://{number}.slow.example/1" for number in range(1000)]
    settings = Settings(
        crl_urls=tuple(f"https://crl{number}.slow.example/" for number in range(50)),
        status_urls=(f"{OWN}/status",),
        type_urls=(f"{OWN}/types",),
    )
    town = Town(settings, {f"{OWN}/status": dump_json({"status_lists": strangers}), **types_at(OWN, 3)})
    town.costs = {urlsplit(url).netloc: 60.0 for url in (*strangers, *settings.crl_urls)}
    refresher = town.refresher()
    for _ in range(3):
        assert town.spent(refresher.snapshots) <= LONGEST
        types = refresher.snapshots().types
        assert types is not None
        assert types.digest == KnownTypes(everything(3)).digest


def test_bad_addresses_take_nothing_from_their_neighbours() -> None:
    """Two lists of a host never come: in the next round the others are asked first."""
    lists = tuple(f"{OWN}/{number}.crl" for number in range(6))
    town = Town(Settings(crl_urls=lists), dict.fromkeys(lists[2:], PKI.issuing.crl(NOON)))
    get = town.get

    def late(url: str, **options: Any) -> Response:
        town.seconds += 0.0 if url in town.pages else TIMEOUT
        return get(url, **options)

    town.get = late  # type: ignore[method-assign]
    refresher = town.refresher()
    refresher.snapshots()
    assert town.asked == list(lists[:2]), "its host is given up"
    town.asked.clear()
    refresher.snapshots()
    assert town.asked == [*lists[2:], lists[0]]


def test_a_host_that_refuses_at_once_keeps_nobody_waiting() -> None:
    lists = tuple(f"{OWN}/{number}.crl" for number in range(6))
    town = Town(Settings(crl_urls=lists), dict.fromkeys(lists[4:], PKI.issuing.crl(NOON)))
    town.refresher().snapshots()
    assert town.asked == list(lists)


class Hosts:
    """A source whose hosts answer after so many seconds, or never."""

    def __init__(self, costs: dict[str, float]) -> None:
        self.costs, self.seconds, self.asked = costs, 0.0, 0

    def get(self, url: str, limit: int) -> Fetched:
        cost = self.costs[urlsplit(url).netloc]
        self.asked, self.seconds = self.asked + 1, self.seconds + min(cost, TIMEOUT)
        if cost > TIMEOUT:
            raise Unreachable(url)
        return Fetched(b"x" * min(limit, 1), NOON)


@given(
    costs=st.lists(st.sampled_from([0.0, 0.4, 0.6, 3.0, 4.9, 5.1]), min_size=1, max_size=30),
    each=st.integers(1, 40),
)
def test_any_servers_cost_no_more_than_a_round(costs: list[float], each: int) -> None:
    named = {f"h{number}.example": cost for number, cost in enumerate(costs)}
    hosts = Hosts(named)
    patience = Patience(hosts, steady=lambda: hosts.seconds)
    urls = [f"https://{host}/{number}" for number in range(each) for host in named]
    for _ in range(3):
        patience.begin()
        patience.allot(1.0)
        before, asked = hosts.seconds, hosts.asked
        for url in patience.ordered(urls):
            try:
                patience.get(url, 1)
            except Unreachable:
                continue
        quick = sum(min(cost, FREE_SECONDS) for cost in named.values()) * each
        assert hosts.seconds - before <= ROUND_SECONDS + TIMEOUT + quick
        if max(costs) <= FREE_SECONDS:
            assert hosts.asked - asked == len(urls), "where nobody is slow, everybody is asked"

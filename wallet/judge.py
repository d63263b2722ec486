"""What a wallet judges others on: trust anchors, revocation lists, policy, and status lists.

Anchors, revocation and policy come in as values and are swapped whole. Status lists are fetched when a
credential names one, which happens only after its signature was found good, and are kept while they are
fresh; a list that cannot be fetched stays as it was, and verification decides whether that is good enough.
Whole lists are fetched, so that nobody learns which licence was looked up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from credentials.status_list import StatusSnapshot
from credentials.verifier import Verifier
from credentials.vocabulary import STATUS_LIST_MEDIA_TYPE
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from wallet.trusted import TrustedParties
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credentials.oid4vp.request_objects import VerifiedRequest
    from signing.trust import TrustStore
    from wallet.exchange import Fetched
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound

MAX_LISTS, MAX_LIST_BYTES = 200, 4 << 20
MAX_AGE = timedelta(minutes=1)  # how old a list may be before the next look asks for a newer one
RETRY_AFTER = timedelta(minutes=1)
_FETCHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Grounds:
    """What others are judged on, as one value."""

    trust: TrustStore
    revocation: RevocationSnapshot = field(default_factory=RevocationSnapshot)
    policy: Policy = field(default_factory=Policy.default)


@dataclass(slots=True)
class _Kept:
    snapshot: StatusSnapshot | None
    asked_at: datetime


class Judge:
    """Reads requests and verifies credentials by what is trusted now. Safe to share between threads."""

    def __init__(
        self, grounds: Grounds, outbound: Outbound, *, clock: Clock, allow_http: bool = False
    ) -> None:
        """Nothing is fetched yet. `allow_http`: for machines under development, on loopback only."""
        self._outbound = outbound
        self._clock = clock
        self.allow_http = allow_http
        self.statuses = StatusBook(self)
        self._tools = self._make(grounds)

    @property
    def grounds(self) -> Grounds:
        """What is judged on now."""
        return self._tools[0]

    @property
    def parties(self) -> TrustedParties:
        """Judges what comes in from issuers and verifiers; lists that are not at hand are fetched."""
        return self._tools[1]

    @property
    def verifier(self) -> Verifier:
        """Verifies credentials; a status list that it needs is fetched."""
        return self._tools[2]

    def use(self, grounds: Grounds) -> None:
        """Judge by these from now on."""
        self._tools = self._make(grounds)

    def read_request(self, fetched: Fetched) -> VerifiedRequest:
        """A verifier's request, judged by what is trusted now; `RequestRefused`."""
        return self.parties.read_request(
            fetched.text,
            client_id=fetched.client_id,
            now=self.now(),
            wallet_nonce=fetched.wallet_nonce,
            allow_http=self.allow_http,
        )

    def fetch_status(self, uri: str) -> StatusSnapshot:
        """One status list from its address, verified; any `YinxinError` says why not."""
        answer = self._outbound.get(uri, headers={"Accept": STATUS_LIST_MEDIA_TYPE}, max_bytes=MAX_LIST_BYTES)
        if answer.status != 200:
            raise MalformedInput("status list", f"the server answers {answer.status}")
        try:
            token = answer.body.decode("ascii")
        except UnicodeDecodeError as exc:
            raise MalformedInput("status list", "not a token") from exc
        found = self.grounds
        return StatusSnapshot.from_token(
            token, found.trust, uri=uri, at=self.now(), revocation=found.revocation, policy=found.policy
        )

    def now(self) -> datetime:
        """The time by the judge's clock."""
        return self._clock.now()

    def _make(self, grounds: Grounds) -> tuple[Grounds, TrustedParties, Verifier]:
        policy, revocation = grounds.policy, grounds.revocation
        parties = TrustedParties(
            grounds.trust, self._outbound, policy=policy, revocation=revocation, clock=self._clock
        )
        verifier = Verifier(
            grounds.trust,
            policy=policy,
            statuses=self.statuses,
            revocation=revocation,
            clock=self._clock,
        )
        return grounds, parties, verifier


class StatusBook(Mapping[str, StatusSnapshot]):
    """Status lists by their address: looking one up fetches it when it is absent or over `MAX_AGE` old."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._lists: OrderedDict[str, _Kept] = OrderedDict()
        self._gate = threading.Lock()

    def warm(self, uris: Iterable[str]) -> None:
        """Fetch several lists side by side, so that looking them up needs no further waiting."""
        wanted = [uri for uri in dict.fromkeys(uris) if self._is_due(uri)][:MAX_LISTS]
        if not wanted:
            return
        with ThreadPoolExecutor(_FETCHES_AT_ONCE, thread_name_prefix="yinxin-status") as pool:
            list(pool.map(self._refresh, wanted))

    def known(self) -> frozenset[str]:
        """The addresses that were asked for, whether they answered or not."""
        with self._gate:
            return frozenset(self._lists)

    def __getitem__(self, uri: str) -> StatusSnapshot:
        if self._is_due(uri):
            self._refresh(uri)
        with self._gate:
            kept = self._lists.get(uri)
        if kept is None or kept.snapshot is None:
            raise KeyError(uri)
        return kept.snapshot

    def __iter__(self) -> Iterator[str]:
        return iter(self.known())

    def __len__(self) -> int:
        return len(self._lists)

    def _is_due(self, uri: str) -> bool:
        with self._gate:
            kept = self._lists.get(uri)
        wait = MAX_AGE if kept and kept.snapshot else RETRY_AFTER
        return kept is None or not timedelta() <= self._judge.now() - kept.asked_at < wait

    def _refresh(self, uri: str) -> None:
        asked_at = self._judge.now()
        try:
            fresh = self._judge.fetch_status(uri)
        except YinxinError:
            fresh = None
        with self._gate:
            kept = self._lists.pop(uri, None)
            before = kept.snapshot if kept else None
            # A list that is older than the one at hand would take back a suspension.
            newer = fresh if fresh and not (before and fresh.issued_at < before.issued_at) else before
            self._lists[uri] = _Kept(newer, asked_at)
            while len(self._lists) > MAX_LISTS:
                self._lists.popitem(last=False)

"""What a wallet judges others on: trust anchors, revocation lists, policy, and status lists.

Anchors, revocation and policy come in as values and are swapped whole. Status lists are fetched when a
credential names one and nothing else is to be said against it, so that no stranger sends us anywhere, and
are kept while they are fresh; a list that cannot be fetched stays as it was, and verification decides whether
that is good enough.
Whole lists are fetched, so that nobody learns which licence was looked up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.mdoc import MdocVerifier
from credentials.mdoc.structures import IssuerSigned
from credentials.status_snapshot import StatusSnapshot
from credentials.verifier import Verifier
from credentials.vocabulary import STATUS_LIST_MEDIA_TYPE
from signing.base64url import decode_base64url
from signing.policy import Policy
from signing.reasons import Reason
from signing.revocation import RevocationSnapshot
from wallet.trusted import TrustedParties
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credentials.oid4vp.request_objects import VerifiedRequest
    from credentials.verifier import VerifiedCredential
    from signing.report import Report
    from signing.trust import TrustStore
    from signing.trust_list import ServingList
    from wallet.copies import CopyReport, ReadCopy
    from wallet.exchange import Fetched
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound

MAX_LISTS, MAX_LIST_BYTES = 200, 4 << 20
# How old a list may be before the next look asks for a newer one: as its issuer says, within these.
MIN_AGE, MAX_AGE = timedelta(seconds=5), timedelta(minutes=1)
RETRY_AFTER = timedelta(minutes=1)
_FETCHES_AT_ONCE = 4
_OF_STATUS = frozenset(
    {
        Reason.STATUS_UNKNOWN,
        Reason.STATUS_STALE,
        Reason.CREDENTIAL_REVOKED,
        Reason.CREDENTIAL_SUSPENDED,
    }
)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What others are judged on, as one value."""

    trust: TrustStore
    revocation: RevocationSnapshot = field(default_factory=RevocationSnapshot)
    policy: Policy = field(default_factory=Policy.default)
    trust_list: ServingList | None = None


@dataclass(slots=True)
class _Kept:
    """A list, the newest that was had, and when the next look asks again."""

    snapshot: StatusSnapshot | None
    asked_at: datetime
    wait: timedelta


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

    def examine(self, copy: ReadCopy) -> CopyReport:
        """What is to be said of a copy today; a status list that it needs is fetched."""
        _, _, verifier, mdocs = self._tools
        if not isinstance(copy.parsed, IssuerSigned):
            return verifier.verify(copy.text, require_key_binding=False)
        issued = decode_base64url(copy.text)
        report = mdocs.verify_issued(issued)
        return mdocs.verify_issued(issued) if self.statuses.fetched_for(report) else report

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

    def _make(self, grounds: Grounds) -> tuple[Grounds, TrustedParties, Verifier, MdocVerifier]:
        policy, revocation = grounds.policy, grounds.revocation
        parties = TrustedParties(
            grounds.trust,
            self._outbound,
            policy=policy,
            revocation=revocation,
            trust_list=grounds.trust_list,
            clock=self._clock,
        )
        stands_on: dict[str, Any] = {
            "policy": policy,
            "statuses": self.statuses,
            "revocation": revocation,
            "trust_list": grounds.trust_list,
            "clock": self._clock,
        }
        verifier = FetchingVerifier(grounds.trust, **stands_on)
        mdocs = MdocVerifier(grounds.trust, **stands_on)
        return grounds, parties, verifier, mdocs


class FetchingVerifier(Verifier):
    """Verifies as its base does, and fetches the status list first where that is all that is in question."""

    statuses: StatusBook

    def verify(self, presentation: str, **options: Any) -> Report[VerifiedCredential]:
        """As `Verifier.verify`."""
        report = super().verify(presentation, **options)
        return super().verify(presentation, **options) if self.statuses.fetched_for(report) else report


class StatusBook(Mapping[str, StatusSnapshot]):
    """Status lists by their address, as they were had last. Looking one up fetches nothing."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._lists: OrderedDict[str, _Kept] = OrderedDict()
        self._gate = threading.Lock()

    def warm(self, uris: Iterable[str]) -> None:
        """Fetch those of these lists that are old side by side; one never asked for is passed over."""
        known = self.known()
        wanted = [uri for uri in dict.fromkeys(uris) if uri in known and self._is_due(uri)]
        if not wanted:
            return
        with ThreadPoolExecutor(_FETCHES_AT_ONCE, thread_name_prefix="yinxin-status") as pool:
            list(pool.map(self._refresh, wanted))

    def refresh(self, uri: str) -> bool:
        """Fetch a list where it is absent or old; whether that was so."""
        is_due = self._is_due(uri)
        if is_due:
            self._refresh(uri)
        return is_due

    def fetched_for(self, report: CopyReport) -> bool:
        """Fetch the list that a report names, where that is all that is in question; whether that was so."""
        uri = report.findings.get("status_list")
        return isinstance(uri, str) and not report.reasons - _OF_STATUS and self.refresh(uri)

    def known(self) -> frozenset[str]:
        """The addresses that were asked for, whether they answered or not."""
        with self._gate:
            return frozenset(self._lists)

    def __getitem__(self, uri: str) -> StatusSnapshot:
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
        return kept is None or not timedelta() <= self._judge.now() - kept.asked_at < kept.wait

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
            wait = min(MAX_AGE, max(MIN_AGE, fresh.refresh_at - asked_at)) if fresh else RETRY_AFTER
            self._lists[uri] = _Kept(newer, asked_at, wait)
            while len(self._lists) > MAX_LISTS:
                self._lists.popitem(last=False)

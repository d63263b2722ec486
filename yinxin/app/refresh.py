"""Fetch what verification stands on, away from verification: lists of every kind, and what issuers publish.

Each refresh makes the next snapshots from what is reachable and keeps the last good list for what is not;
whether that is still fresh enough is decided by verification itself, from the lists' own dates. Of several
processes one fetches and puts what it took onto a shelf (`yinxin.app.shelf`), and the others read from there
by the same rules. How long a round waits for slow servers is bounded (`yinxin.app.patience`).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from credentials.status_snapshot import StatusSnapshot
from signing.jose import load_json_object
from signing.names import name_key
from signing.revocation import Crl, RevocationSnapshot
from verify_api.documents import Snapshots
from yinxin.app.gathering.taking import take_list
from yinxin.app.issuer_documents import IssuerDocuments
from yinxin.app.network import Network
from yinxin.app.patience import Patience
from yinxin.app.trust_lists import ListKeeper
from yinxin.base.errors import Conflict, MalformedInput, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.trust import TrustStore
    from signing.trust_list import ServingList
    from yinxin.app.home import Home
    from yinxin.app.network import Fetched, Source

MAX_CRL_BYTES, MAX_STATUS_BYTES, MAX_STATUS_LISTS = 64 << 20, 4 << 20, 1000
# The share of the patience that is left which each kind may use, so that the ones after it have some.
_CRLS, _TRUST, _STATUSES, _KEYS = 0.4, 0.3, 0.6, 0.5
_log = logging.getLogger("yinxin.refresh")


class Refresher:
    """Builds the snapshots of one installation, again and again; `use` hears of each.

    `keep` hears of every answer that was taken.
    """

    def __init__(
        self,
        home: Home,
        *,
        source: Source | None = None,
        keep: Callable[[str, Fetched], None] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is fetched yet. `steady` is this machine's steady clock, by which servers are waited for."""
        self._home = home
        self._patience = Patience(Network(home), steady=steady)
        self._source: Source = source or self._patience
        self._taken = keep or (lambda _url, _fetched: None)
        self._answered: set[str] = set()
        self._revocation = RevocationSnapshot()
        self._crls: dict[str, Crl] = {}
        self._statuses: dict[str, StatusSnapshot] = {}
        self.trust_lists = ListKeeper(home, self._ask, writes=source is None)
        self._issuers = IssuerDocuments(self._get, order=self._patience.ordered)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def snapshots(self) -> Snapshots:
        """Fetch everything once and return the snapshots; what cannot be fetched in time stays as it was."""
        home, settings, patience = self._home, self._home.settings, self._patience
        patience.begin()
        patience.allot(_CRLS)
        for url in patience.ordered(settings.crl_urls):
            self._keep(self._fetch_crl, url)
        patience.allot(_TRUST)
        # What the folder holds goes on counting: a list that cannot be fetched must not be a list less.
        revocation = home.revocation.merged_with(RevocationSnapshot(self._crls.values()))
        if revocation.snapshot_id == self._revocation.snapshot_id:
            revocation = self._revocation  # it remembers which signatures are good
        self._revocation = revocation
        trust, serving = self._trust()
        patience.allot(_STATUSES)
        for aggregation in patience.ordered(settings.status_urls):
            for uri in patience.ordered(self._status_uris(aggregation)):
                self._keep(lambda uri: self._fetch_status(uri, trust, revocation), uri)
        own = home.credential_issuers if serving is None else None  # the list names this agency too
        patience.allot(_KEYS)
        keys = self._issuers.keys(home.policy.publishing_issuers)
        patience.allot(1.0)
        types = self._issuers.types(settings.type_urls)
        if patience.left:
            slow = ", ".join(patience.slowest)
            _log.warning("%d addresses left for the next round; slow: %s", len(patience.left), slow)
        return Snapshots(trust, revocation, home.policy, dict(self._statuses), own, serving, keys, types)

    def _trust(self) -> tuple[TrustStore, ServingList | None]:
        """The anchors of the folder with those of the trust list, and the list."""
        serving = self.trust_lists.take()
        own = self._home.trust
        return (own.merged_with(serving.trust(self._home.clock.now())) if serving else own), serving

    def _ask(self, url: str, limit: int) -> tuple[bytes, datetime]:
        found = self._get(url, limit)
        return found.body, found.at

    def _get(self, url: str, limit: int) -> Fetched:
        found = self._source.get(url, limit)
        self._taken(url, found)
        return found

    def unanswered(self) -> frozenset[str]:
        """The aggregations of status lists in the settings that never answered yet."""
        return frozenset(self._home.settings.status_urls) - self._answered

    def start(self, use: Callable[[Snapshots], None]) -> None:
        """Refresh in a thread, at the interval of the settings, until `stop`."""
        interval = self._home.settings.refresh_seconds

        def run() -> None:
            while not self._stopping.wait(interval):
                try:
                    use(self.snapshots())
                except YinxinError as error:  # a trust folder half edited: the last good one goes on serving
                    _log.warning("refresh failed: %s", error.code)
                except Exception as error:  # noqa: BLE001 - a thread that ends would leave all lists to age
                    _log.error("refresh failed: %s", type(error).__name__)

        self._thread = threading.Thread(target=run, name="yinxin-refresh", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def _keep(self, fetch: Callable[[str], None], url: str) -> None:
        try:
            fetch(url)
        except YinxinError as error:
            if url not in self._patience.left:  # those are told of together
                _log.warning("not refreshed: %s (%s)", url, error.code)

    def _fetch_crl(self, url: str) -> None:
        found = self._source.get(url, MAX_CRL_BYTES)
        kept = self._crls.get(url)
        if kept and kept.der == found.body:
            self._taken(url, found)
            return
        fresh = Crl.from_der(found.body)
        signers = [one for one in self._certificates() if name_key(one.subject_der) == fresh.issuer_key]
        latest = self._home.clock.now() + self._home.policy.clock_skew
        take_list(fresh, kept=kept, signers=signers, about=(), latest=latest)
        self._crls[url] = fresh
        self._taken(url, found)

    def _certificates(self) -> list[Certificate]:
        """The authorities that this home knows: its anchors, and the chains of its own keys."""
        home = self._home
        chains = [certificate for name in home.key_names() for certificate in home.chain(name)[1:]]
        return [*(anchor.certificate for anchor in home.trust.anchors), *dict.fromkeys(chains)]

    def _status_uris(self, aggregation: str) -> list[str]:
        try:
            fetched = self._source.get(aggregation, MAX_STATUS_BYTES)
            found = load_json_object(fetched.body).get("status_lists")
        except YinxinError as error:
            _log.warning("not refreshed: %s (%s)", aggregation, error.code)
            return list(self._statuses)
        self._answered.add(aggregation)
        self._taken(aggregation, fetched)
        return (
            [uri for uri in found if isinstance(uri, str)][:MAX_STATUS_LISTS]
            if isinstance(found, list)
            else []
        )

    def _fetch_status(self, uri: str, trust: TrustStore, revocation: RevocationSnapshot) -> None:
        found = self._source.get(uri, MAX_STATUS_BYTES)
        try:
            token = found.body.decode("ascii")
        except UnicodeDecodeError as exc:
            raise MalformedInput("status list", "not a token") from exc
        fresh = StatusSnapshot.from_token(
            token, trust, uri=uri, at=found.at, revocation=revocation, policy=self._home.policy
        )
        kept = self._statuses.get(uri)
        if kept and fresh.issued_at < kept.issued_at:  # a suspension must not be taken back by a replay
            raise Conflict("older than the list at hand")
        self._statuses[uri] = fresh
        self._taken(uri, found)

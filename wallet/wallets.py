"""The wallets of many accounts, each put together when it is asked for.

One judge and one way out serve all; what belongs to one person hangs on that person's store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallet.accepting import Accepting
from wallet.delegations import Delegating
from wallet.holder import Holder
from wallet.names import Names
from wallet.pending import Pending
from wallet.presenting import Presenting
from wallet.receiving.service import Receiving
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from wallet.custody import Custody
    from wallet.judge import Judge
    from wallet.store import Store
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound


@dataclass(frozen=True, slots=True)
class Wallet:
    """One account's wallet with the steps that pages take."""

    holder: Holder
    presenting: Presenting
    receiving: Receiving
    accepting: Accepting
    delegating: Delegating | None = None


class Wallets:
    """All wallets of one server. Safe to share between threads."""

    def __init__(  # noqa: PLR0913 - what wallets are made of, by the door
        self,
        custody: Custody,
        judge: Judge,
        outbound: Outbound,
        *,
        catalogue: Catalogue,
        clock: Clock,
        client_id: str | None = None,
        delegations_at: str | None = None,
    ) -> None:
        """Keep what they are made of; `client_id` is how issuers know this wallet, where they must.

        `delegations_at` is the issuer that keeps the delegations of these wallets.
        """
        self._custody = custody
        self._outbound = outbound
        self._client_id = client_id
        self._delegations_at = delegations_at
        self.judge = judge
        self.clock = clock
        self.names = Names(catalogue)
        self._labels = self.names.labels()

    def open(self, account: str) -> Wallet:
        """The account's wallet, with a store that is made when it is needed first."""
        return self._wallet(self._custody.store(account))

    def find(self, account: str) -> Wallet:
        """The account's wallet; `NotFound` when nothing was ever put into it."""
        store = self._custody.find(account)
        if store is None:
            raise NotFound("the wallet is empty")
        return self._wallet(store)

    def _wallet(self, store: Store) -> Wallet:
        holder = Holder(store, clock=self.clock, verifier=self.judge.verifier)
        pending = Pending(store, self.clock)
        receiving = Receiving(
            holder,
            self._outbound,
            trusted=self.judge.parties,
            client_id=self._client_id,
            clock=self.clock,
            allow_http=self.judge.allow_http,
        )
        return Wallet(
            holder,
            Presenting(holder, pending, self.judge, self._outbound, labels=self._labels),
            receiving,
            Accepting(pending, receiving),
            self._delegating(store),
        )

    def _delegating(self, store: Store) -> Delegating | None:
        if self._delegations_at is None:
            return None
        examine = self.judge.parties.examine
        return Delegating(store, self._outbound, url=self._delegations_at, examine=examine, clock=self.clock)

"""A wallet on this machine, as the command line uses it: its store, whom it trusts, and its way out.

    STORE/wallet.json  the encrypted store
    STORE/trust/       anchors: whose licences are kept, and who may ask for them

With a home (`--home`) its anchors, policy and outbound settings serve where the wallet has none of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import click

from credentials.catalogue import Catalogue
from signing.trust import TrustStore
from wallet.delegations import Delegating
from wallet.exchange import fetch, send
from wallet.holder import Holder
from wallet.invitation import Invitation
from wallet.names import Names
from wallet.receiving import Receiving
from wallet.store import FILE_NAME, Store
from wallet.trusted import TrustedParties
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.trust_lists import ListKeeper, stands_on
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.outbound import Outbound
from yinxin.base.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from credentials.oid4vp.request_objects import VerifiedRequest
    from wallet.answering import Answering
    from wallet.contents import HeldLicence

TRUST = "trust"
PASSPHRASE_VARIABLE = "YINXIN_WALLET_PASSPHRASE"  # noqa: S105 - a name


@dataclass(frozen=True)
class Place:
    """Where a wallet lies, and what was said of its surroundings on the command line."""

    store: Path
    trust_folder: Path | None = None
    home_folder: Path | None = None
    allowed_private: tuple[str, ...] = ()
    client_id: str | None = None

    def create(self, passphrase: str) -> None:
        """A new wallet; the anchors that were named are copied into it."""
        Holder.create(self.store, passphrase)
        named = self.trust_folder or (self.home.settings.trust_directory if self.home else None)
        if named is not None:
            TrustStore.load(named).save(self.store / TRUST)

    def open(self, passphrase: str) -> OwnWallet:
        """The wallet; errors as for `Store.open`."""
        clock, store = SystemClock(), Store.open(self.store, passphrase)
        return OwnWallet(self, Holder(store, clock=clock), clock, store)

    @property
    def exists(self) -> bool:
        """Whether there is one already."""
        return (self.store / FILE_NAME).exists()

    @cached_property
    def home(self) -> Home | None:
        """The installation that lends what the wallet has not."""
        return Home.open(self.home_folder) if self.home_folder else None

    @cached_property
    def settings(self) -> Settings:
        """Outbound settings: of the home, or of the environment; private addresses named here are added."""
        found = self.home.settings if self.home else Settings.load(environ=os.environ)
        more = (*found.outbound_allowed_private, *self.allowed_private)
        return replace(found, outbound_allowed_private=more)

    @cached_property
    def trust(self) -> TrustStore:
        """The anchors; `NotFound` says how to name some."""
        own = self.store / TRUST
        if self.trust_folder is None and not own.is_dir() and self.home:
            return stands_on(self.home).trust
        folder = self.trust_folder or own
        if not folder.is_dir():
            raise NotFound(f"this wallet trusts nobody yet: `yinxin trust add {own} ROOT.cer` adds an anchor")
        return TrustStore.load(folder)


@dataclass(frozen=True)
class OwnWallet:
    """An opened wallet."""

    place: Place
    holder: Holder
    clock: Clock
    kept: Store

    @cached_property
    def outbound(self) -> Outbound:
        """The one way out."""
        settings = self.place.settings
        return Outbound(
            allowed_private=settings.outbound_allowed_private,
            timeout_seconds=settings.outbound_timeout_seconds,
            max_bytes=settings.outbound_max_bytes,
        )

    @cached_property
    def trusted(self) -> TrustedParties:
        """Whom the wallet believes."""
        home = self.place.home
        return TrustedParties(
            self.place.trust,
            self.outbound,
            policy=home.policy if home else None,
            revocation=home.revocation if home else None,
            trust_list=ListKeeper(home).take() if home else None,
            clock=self.clock,
        )

    @cached_property
    def names(self) -> Names:
        """What people call licences and claims: by the home's catalogue, or the one that comes with yinxin."""
        home = self.place.home
        return Names(Catalogue.load(home.settings.catalogue_directory if home else None))

    @property
    def receiving(self) -> Receiving:
        """The way of licences into it."""
        return Receiving(
            self.holder,
            self.outbound,
            trusted=self.trusted,
            client_id=self.place.client_id,
            clock=self.clock,
            allow_http=self.allow_http,
        )

    def delegating(self, issuer: str | None) -> Delegating:
        """Its delegations at an issuer: the one that is named, or else the one whose licences lie here."""
        url = issuer or self._only_issuer()
        return Delegating(self.kept, self.outbound, url=url, examine=self.trusted.examine, clock=self.clock)

    def _only_issuer(self) -> str:
        found = {str(one.claims["iss"]) for one in self.holder.licences() if "iss" in one.claims}
        if len(found) != 1:
            raise UsageError("say which issuer keeps the delegations: --issuer URL")
        return found.pop()

    @property
    def allow_http(self) -> bool:
        """Whether a loopback address may be spoken to without TLS: when the user named private addresses."""
        return bool(self.place.settings.outbound_allowed_private)

    def find(self, text: str) -> HeldLicence:
        """The licence of this id, or the one that a search finds; `UsageError` when several fit."""
        every = self.holder.licences()
        exact = [one for one in every if one.id == text]
        found = exact or self.holder.licences(text)
        if not found:
            raise NotFound(f"the wallet has no licence {text!r}; `yinxin wallet list` shows all")
        if len(found) > 1:
            raise UsageError(f"{len(found)} licences fit {text!r}; give the whole id")
        return found[0]

    def read_request(self, link: str) -> VerifiedRequest:
        """A verifier's request, fetched and judged; `RequestRefused`, `Unreachable`, `NotPermitted`."""
        fetched = fetch(Invitation.parse(link, allow_http=self.allow_http), self.outbound)
        return self.trusted.read_request(
            fetched.text,
            client_id=fetched.client_id,
            now=self.clock.now(),
            wallet_nonce=fetched.wallet_nonce,
            allow_http=self.allow_http,
        )

    def consider(self, verified: VerifiedRequest, *, licence: str | None) -> Answering:
        """What answering would share; `licence` is the one to show wherever it fits."""
        labels = self.names.labels()
        found = self.holder.consider_presentation(verified, labels=labels)
        if licence is None:
            return found
        choices: Mapping[str, str] = {
            pick.query_id: licence for pick in found.picks if licence in {pick.licence, *pick.others}
        }
        if not choices:
            raise UsageError("the licence that was named does not answer this request")
        return self.holder.consider_presentation(verified, choices=choices, labels=labels)

    def agree(self, answering: Answering) -> str | None:
        """Send the answer, after the yes; where the verifier sends the holder's browser, if anywhere."""
        reply = self.holder.answer_presentation(answering)
        return send(reply, self.outbound, allow_http=self.allow_http)

    def refuse(self, verified: VerifiedRequest) -> None:
        """Tell the verifier that the holder said no."""
        send(self.holder.decline_presentation(verified), self.outbound, allow_http=self.allow_http)


def read_passphrase(*, new: bool = False) -> str:
    """The wallet's passphrase, from the environment or a prompt; a new one is asked for twice."""
    if found := os.environ.get(PASSPHRASE_VARIABLE):
        return found
    says = (
        phrase("设置钱包口令", "New passphrase of the wallet")
        if new
        else phrase("钱包口令", "Passphrase of the wallet")
    )
    return str(click.prompt(says, hide_input=True, confirmation_prompt=new, err=True))

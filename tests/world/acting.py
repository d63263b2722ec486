"""A city in which agents act for a company: its office, their wallets, the departments that ask them."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from credentials import http as issuer_http
from credentials import samples
from credentials.delegations import http
from credentials.delegations.cards import read_card
from credentials.delegations.terms import Kind, Terms
from signing.trust import TrustStore
from verify_api.departments import Grant
from wallet.delegations import Delegating
from wallet.holder import Holder
from wallet.store import Store
from wallet.trusted import TrustedParties
from world.asgi import Client
from world.delegating import BUSINESS, FOOD, DelegatingOffice
from world.departments import BUREAU, MATTER, PURPOSE
from world.office import URL
from world.presentations import AskingCity
from world.receiving import SECRET, Internet, evidence
from yinxin.app import problems

if TYPE_CHECKING:
    from credentials.delegations.delegation import Agent
    from credentials.licence import Licence
    from signing.keys import PublicKey

WINDOW, OTHER_WINDOW = "urn:jincheng:window", "urn:jincheng:other-window"
_NUMBERS = itertools.count(1)
FIELDS = {
    BUSINESS: frozenset({"enterprise_name", "credit_code", "legal_representative"}),
    FOOD: frozenset({"operator_name", "credit_code"}),
}


@dataclass
class Wallet:
    """Somebody's wallet, with the delegations in it."""

    city: ActingCity
    name: str

    def __post_init__(self) -> None:
        folder = Path(tempfile.mkdtemp()) / "wallet"
        store = Store.create(folder, SECRET, scrypt_cost=1 << 4)
        self.holder = Holder(store, clock=self.city.clock)
        internet = Internet({"licences.jincheng.example": self.city.issuing(f"198.51.100.{next(_NUMBERS)}")})
        parties = TrustedParties(
            TrustStore([self.city.pki.root.certificate]),
            internet,  # type: ignore[arg-type]  # it has the two methods that are used
            revocation=evidence(self.city.pki, self.city.clock.now()),
            clock=self.city.clock,
        )
        self.delegating = Delegating(
            store,
            internet,  # type: ignore[arg-type]  # the same
            url=URL,
            examine=parties.examine,
            clock=self.city.clock,
        )

    @property
    def card(self) -> Agent:
        return read_card(self.delegating.card(self.name))


class ActingCity(AskingCity):
    """The city of departments with an office that keeps delegations, and a company's representative."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.office = DelegatingOffice(self.pki, self.database, clock=self.clock)
        app = FastAPI()
        problems.install(app)
        app.include_router(issuer_http.router(self.office.status, url=URL))
        app.include_router(http.router(self.office.handing))
        self._issuing = app
        self.boss = Wallet(self, self.office.claims["legal_representative"])
        self.business = self.copy_of(self.office.business, self.boss.holder.new_key(), self.boss)
        company = self.office.business
        claims = {
            **samples.application(FOOD, 1),
            "credit_code": company.holder_code,
            "operator_name": company.holder_name,
        }
        self.food = self.office.issuer.issue(FOOD, claims, holder=None, actor=self.office.clerk).licence
        for name in (WINDOW, OTHER_WINDOW):
            self.register(name, self.keys[BUREAU], grants=(Grant(PURPOSE, MATTER, FIELDS),))
            self.keys[name] = self.keys[BUREAU]

    def issuing(self, address: str) -> Client:
        return Client(self._issuing, address=address)

    def copy_of(self, licence: Licence, key: PublicKey, wallet: Wallet) -> Licence:
        """A copy of the company's own in somebody's wallet."""
        _, (credential,) = self.office.handing.copies.make(licence.identifier, [key], actor=self.office.clerk)
        wallet.holder.receive(credential)
        return licence

    def terms(self, kind: Kind = Kind.AGENT, **changes: Any) -> Terms:
        return self.office.terms(kind, **{"matters": (MATTER,), "types": (BUSINESS,), **changes})

    def agent(self, name: str = "李明华", terms: Terms | None = None) -> tuple[Wallet, str]:
        """An agent whom the representative appointed, and who accepted; the delegation's id."""
        wallet = Wallet(self, name)
        given = self.boss.delegating.give(wallet.card, terms or self.terms())
        wallet.delegating.accept(given["id"])
        self.service.use(self.snapshots())
        return wallet, given["id"]

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def asked(self, **changes: Any) -> dict[str, Any]:
        """The window asks for the business licence, from agents too."""
        wish = {"types": [BUSINESS], "agents": True, "as_": WINDOW, **changes}
        return self.started(**wish)

    def found(self, session: str) -> dict[str, Any]:
        return dict(self.outcome(session, as_=WINDOW).json)

"""People with wallets on a server: their pages in this process, an office that issues, a city that asks."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from credentials import http as issuer_http
from credentials.catalogue import Catalogue
from signing.trust import TrustStore
from wallet.custody import Custody
from wallet.judge import Grounds, Judge
from wallet.pages import router
from wallet.pages.desk import Limit
from wallet.wallets import Wallets
from world.asgi import Client
from world.receiving import Internet, evidence
from yinxin.access.accounts import Account, How, Realm
from yinxin.access.repository import AccessRepository
from yinxin.access.service import Access
from yinxin.app import problems
from yinxin.base.actor import ActorKind
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from wallet.wallets import Wallet
    from world.asgi import Answer
    from world.pki import Pki
    from world.presentations import AskingCity
    from world.vci import IssuingOffice
    from yinxin.base.clock import FixedClock
    from yinxin.base.database import Database

ORIGIN = "https://wallet.jincheng.example"
PLENTY = Limit("wallet-actions", 10_000, 10_000)
MASTER = bytes(range(32))
_serials = itertools.count(1)


@dataclass
class Site:
    """The wallet's origin. `internet` is what it reaches; a test may put an `outbound` in its place."""

    directory: Path
    pki: Pki
    clock: FixedClock
    database: Database
    limit: Limit = PLENTY
    internet: Internet = field(default_factory=Internet)
    outbound: Any = None
    city: AskingCity | None = None
    office: IssuingOffice | None = None

    def __post_init__(self) -> None:
        outbound = self.outbound or self.internet
        self.judge = Judge(self.grounds(), outbound, clock=self.clock)
        self.custody = Custody(self.directory, MASTER)
        self.wallets = Wallets(
            self.custody,
            self.judge,
            outbound,
            catalogue=Catalogue.load(),
            clock=self.clock,
            client_id=ORIGIN,
            delegations_at="https://licences.jincheng.example",
        )
        self.access = Access(
            self.database, realm="holder", origin=ORIGIN, name=Text("证照夹", "Wallet"), clock=self.clock
        )
        self.app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        problems.install(self.app)
        self.app.include_router(
            router(
                self.wallets,
                self.access,
                origin=ORIGIN,
                row_of=problems.row_of,
                read_frame=self.read_frame,
                limit=self.limit,
            )
        )

    @classmethod
    def of_city(cls, city: AskingCity, directory: Path, **options: Any) -> Site:
        """Beside a verifier that asks; the licences' status lists are the city's."""
        lists = FastAPI()
        lists.include_router(issuer_http.router(city.statuses, url="https://licences.jincheng.example"))
        site = cls(directory, city.pki, city.clock, city.database, city=city, **options)
        site.internet.hosts["verify.jincheng.example"] = Client(city.app)
        site.internet.hosts["licences.jincheng.example"] = Client(lists)
        return site

    @classmethod
    def of_office(cls, office: IssuingOffice, directory: Path, **options: Any) -> Site:
        """Beside an issuer."""
        site = cls(directory, office.pki, office.clock, office.database, office=office, **options)
        site.internet.hosts["licences.jincheng.example"] = office.client
        return site

    async def read_frame(self, width: int, height: int, luminance: bytes) -> list[str]:
        """What the camera saw is the text that the picture begins with."""
        assert len(luminance) == width * height
        return [one for one in luminance.rstrip(b"\0").decode().split("\n") if one]

    def grounds(self) -> Grounds:
        trust = TrustStore([self.pki.root.certificate])
        return Grounds(trust, evidence(self.pki, self.clock.now()))

    def person(self, name: str, **options: Any) -> Person:
        """Somebody who signed in just now."""
        identifier = f"account-{name}-{next(_serials)}"
        account = Account(identifier, ActorKind.HOLDER, identifier, name)
        with self.database.transaction() as session:
            AccessRepository(session).add_account(account, realm=Realm.HOLDER, at=self.clock.now())
            token = self.access._sessions.open(session, account, How.PASSKEY).token
        return Person(self, account, token, **options)


@dataclass
class Person:
    """A browser in which somebody is signed in."""

    site: Site
    account: Account
    token: str
    language: str = "en"

    def __post_init__(self) -> None:
        self.client = Client(self.site.app)

    @property
    def wallet(self) -> Wallet:
        return self.site.wallets.open(self.account.id)

    def get(self, path: str, **headers: str) -> Answer:
        return self.client.get(f"{ORIGIN}{path}", headers={**self._headers(), **headers})

    def post(self, path: str, *, origin: str | None = ORIGIN, **form: str) -> Answer:
        headers = {**self._headers(), **({"Origin": origin} if origin else {})}
        return self.client.post(f"{ORIGIN}{path}", headers=headers, data=form)

    def follow(self, answer: Answer) -> Answer:
        """The page that a form led to."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])

    def provide(self, **changes: Any) -> Any:
        """A food business licence in this person's wallet."""
        assert self.site.city
        return self.site.city.provide(self.wallet.holder, **changes)

    def open_offer(self, link: str) -> str:
        """Look at an offer; the path of its consent page."""
        answer = self.post("/receive", link=link)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def receive(self, *licences: Any) -> Any:
        """Receive from the office, the whole way; the one licence that came."""
        assert self.site.office
        offer = self.site.office.offer(*licences)
        path = self.open_offer(offer.by_reference)
        answer = self.post(path, tx_code=offer.tx_code or "")
        assert answer.status_code == 303, answer.text
        return self.wallet.holder.licences()[0]

    def open_request(self, link: str) -> str:
        """Look at a request; the path of its consent page."""
        answer = self.post("/present", link=link)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def agree(self, path: str, **more: str) -> Answer:
        """Press the button on the consent page as it is."""
        query = urlsplit(path).query
        page = self.get(path)
        assert page.status_code == 200, page.text
        form = hidden_fields(page.text.split('class="card decide"')[1])
        return self.post(path.removesuffix(f"?{query}"), **{**form, "decision": "agree", **more})

    def _headers(self) -> dict[str, str]:
        return {
            "Cookie": f"__Host-yinxin={self.token}",
            "Accept-Language": self.language,
            "Accept": "text/html",
        }


def hidden_fields(text: str) -> dict[str, str]:
    """The hidden fields of the form that a page's text begins with."""
    form = text.partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}

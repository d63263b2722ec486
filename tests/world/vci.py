"""An issuer of OpenID4VCI over an office, and a wallet of the tests that speaks to its routes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI

from credentials import http, samples
from credentials.copies import CopyMaker
from credentials.oid4vci.clients import read_clients
from credentials.oid4vci.offers import AuthenticationMethod, Holder, Offer
from credentials.oid4vci.server import IssuanceServer
from credentials.oid4vci.vocabulary import DPOP_TYP, PRE_AUTHORIZED_CODE, PROOF_TYP
from signing.base64url import encode_base64url
from signing.jose import sign_jws
from signing.signers.file import FileSigner
from world.asgi import Answer, Client
from world.office import URL, Office
from world.quick import without_pages
from yinxin.app import problems
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from credentials.licence import Agency, Licence
    from credentials.oid4vci.offers import OpenOffer
    from world.pki import Pki
    from yinxin.base.database import Database

RANDOMNESS = SystemRandomness()
SECRET = bytes(range(32))
CLIENT, REDIRECT = "https://wallet.example", "https://wallet.example/callback"
CLIENTS = read_clients(
    (f"{CLIENT} {REDIRECT}", "native-wallet http://127.0.0.1/done", "app org.wallet.app:/cb")
)


class IssuingOffice(Office):
    """An office whose licences reach wallets, which take no pages: unless `pages`, they are empty."""

    def __init__(
        self,
        pki: Pki,
        database: Database,
        *,
        url: str = URL,
        clock: Any = None,
        agency: Agency = samples.AGENCY,
        pages: bool = False,
        mdoc: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(pki, database, url=url, clock=clock, agency=agency)
        if not pages:
            without_pages(self.issuer)
        self.copies = CopyMaker(
            url=url,
            catalogue=self.catalogue,
            database=database,
            credential_signer=pki.signer("credential"),
            status=self.status,
            clock=self.clock,
            randomness=RANDOMNESS,
            agency=agency.credit_code,
            index=self.index,
            mdoc_signer=pki.signer("mdoc", "津城区行政审批局") if mdoc else None,
        )
        self.server = IssuanceServer(
            self.copies, agency=agency, secret=SECRET, **{"clients": CLIENTS, **options}
        )
        self.app = FastAPI()
        problems.install(self.app)
        self.app.include_router(http.router(self.status, url=url))
        self.app.include_router(http.wallet_router(self.server))
        self.client = Client(self.app)
        self.licence: Licence = self.issuer.issue(
            "food-business-licence",
            samples.application("food-business-licence", 1),
            holder=None,
            actor=self.clerk,
        ).licence

    def holder_of(self, licence: Licence) -> Holder:
        return Holder(licence.holder_code, AuthenticationMethod.COUNTER, "窗口核验〔2026〕118号")

    def offer(self, *licences: Licence, **options: Any) -> OpenOffer:
        chosen = licences or (self.licence,)
        wanted = Offer(tuple(one.identifier for one in chosen), self.holder_of(chosen[0]), **options)
        return self.server.offers.make(wanted, actor=self.clerk)

    def wallet(self, **options: Any) -> Wallet:
        return Wallet(self, **options)


@dataclass
class Wallet:
    """A wallet that does everything right, unless a test tells it otherwise."""

    office: IssuingOffice
    bound: bool = True
    client_id: str | None = None
    key: FileSigner = field(default_factory=FileSigner.generate)
    dpop_nonce: str | None = None
    tokens: dict[str, Any] = field(default_factory=dict)
    verifier: str = field(default_factory=lambda: random_text(RANDOMNESS, 32))
    request_uri: str = ""
    keys: list[FileSigner] = field(default_factory=list)  # of the copies that were fetched last

    def receive(self, offer: OpenOffer, *, keys: int = 1) -> list[str]:
        """The whole way: redeem, prove, fetch."""
        answer = self.redeem(offer)
        assert answer.status_code == 200, answer.text
        answer = self.fetch(keys=keys)
        assert answer.status_code == 200, answer.text
        return [one["credential"] for one in answer.json()["credentials"]]

    def redeem(self, offer: OpenOffer, *, tx_code: str | None = "", **more: str) -> Answer:
        grant = offer.document["grants"][PRE_AUTHORIZED_CODE]
        form = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": grant["pre-authorized_code"]}
        pin = offer.tx_code if tx_code == "" else tx_code
        if pin is not None:
            form["tx_code"] = pin
        return self.token({**form, **more})

    def refresh(self, **more: str) -> Answer:
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        return self.token({**form, **more})

    def token(self, form: dict[str, str]) -> Answer:
        answer = self._post("/oid4vci/token", data={**form, **self._client()})
        if answer.status_code == 200:
            self.tokens = answer.json()
        return answer

    def fetch(self, *, keys: int = 1, configuration: str = "food-business-licence", **more: Any) -> Answer:
        """A credential request with proofs for fresh keys; `more` replaces or adds members."""
        self.keys = [FileSigner.generate() for _ in range(keys)]
        nonce = self.nonce()
        body: dict[str, Any] = {"proofs": {"jwt": [self.prove(one, nonce) for one in self.keys]}}
        if "authorization_details" in self.tokens:
            (detail,) = self.tokens["authorization_details"]
            body["credential_identifier"] = detail["credential_identifiers"][0]
        else:
            body["credential_configuration_id"] = configuration
        return self.call("/oid4vci/credential", {**body, **more})

    def call(self, path: str, body: Any) -> Answer:
        return self._post(path, access=self.tokens["access_token"], json=body)

    def nonce(self) -> str:
        answer = self.office.client.post("/oid4vci/nonce")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        nonce: str = answer.json()["c_nonce"]
        return nonce

    def prove(self, holder: FileSigner, c_nonce: str | None, /, **changed: Any) -> str:
        """A key proof; `changed` replaces claims, and `headers` header members."""
        headers = {"typ": PROOF_TYP, "jwk": holder.public_key.to_jwk(), **changed.pop("headers", {})}
        claims = {"aud": URL, "iat": int(self.office.now.timestamp()), "nonce": c_nonce, **changed}
        signer = changed.pop("signer", holder)
        claims.pop("signer", None)
        return sign_jws(without_none(claims), signer, headers=without_none(headers))

    def dpop(self, path: str, *, access: str | None = None, method: str = "POST", **changed: Any) -> str:
        headers = {"typ": DPOP_TYP, "jwk": self.key.public_key.to_jwk(), **changed.pop("headers", {})}
        claims = {
            "htm": method,
            "htu": URL + path,
            "jti": random_text(RANDOMNESS),
            "iat": int(self.office.now.timestamp()),
            "nonce": self.dpop_nonce,
            "ath": ath(access) if access else None,
            **changed,
        }
        return sign_jws(without_none(claims), self.key, headers=without_none(headers))

    def push(self, **changed: str | None) -> Answer:
        """A pushed authorization request; `changed` replaces or, by None, drops parameters."""
        form = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "food-business-licence",
            "code_challenge": ath(self.verifier),
            "code_challenge_method": "S256",
            "state": "a state & more",
            **changed,
        }
        return self._post("/oid4vci/par", data=without_none(form))

    def authorize(self, code: str, *, decision: str = "approve", **changed: str | None) -> Answer:
        """Push, look at the page, answer it as the holder."""
        pushed = self.push(**changed)
        assert pushed.status_code == 201, pushed.text
        self.request_uri = pushed.json()["request_uri"]
        page = self.office.client.get(self.page)
        assert page.status_code == 200, page.text
        return self.answer(code, decision=decision)

    def answer(self, code: str, *, decision: str = "approve") -> Answer:
        form = {
            "client_id": self.client_id,
            "request_uri": self.request_uri,
            "login_code": code,
            "decision": decision,
        }
        return self.office.client.post("/oid4vci/authorize", data=form)

    @property
    def page(self) -> str:
        return "/oid4vci/authorize?" + urlencode(
            {"client_id": self.client_id, "request_uri": self.request_uri}
        )

    def exchange(self, code: str, **changed: str | None) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": REDIRECT,
            **changed,
        }
        return self.token(without_none(form))

    def _client(self) -> dict[str, str]:
        return {"client_id": self.client_id} if self.client_id else {}

    def _post(self, path: str, *, access: str | None = None, **content: Any) -> Answer:
        """With DPoP as clients do it: a nonce is learnt from the first refusal."""
        for _ in range(2):
            headers = {}
            if access:
                headers["Authorization"] = f"{'DPoP' if self.bound else 'Bearer'} {access}"
            if self.bound:
                headers["DPoP"] = self.dpop(path, access=access)
            answer = self.office.client.post(path, headers=headers, **content)
            self.dpop_nonce = answer.headers.get("dpop-nonce", self.dpop_nonce)
            if answer.status_code < 400 or answer.json().get("error") != "use_dpop_nonce":
                break
        return answer


def ath(token: str) -> str:
    return encode_base64url(hashlib.sha256(token.encode()).digest())


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}

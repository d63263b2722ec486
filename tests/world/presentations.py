"""The city with presentations on request: its service asks wallets, and the baker has one."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from credentials.catalogue import Catalogue
from credentials.oid4vp.request_objects import RequestReader
from signing.jose import dump_json
from verify_api.http import create_app
from verify_api.http.limits import Limit
from verify_api.presentations.service import PresentationService
from wallet import Holder
from wallet.invitation import Invitation
from world.departments import BUREAU, FORM, GENEROUS, MATTER, PURPOSE, TYPE, City, Reply
from yinxin.app import problems

if TYPE_CHECKING:
    from fastapi import FastAPI

    from credentials.oid4vp.request_objects import VerifiedRequest
    from signing.signers.file import FileSigner
    from verify_api.http.limits import Limits
    from wallet.exchange import Reply as Sent

SECRET = bytes(range(32))
_serials = itertools.count(500)


@dataclass
class AskingCity(City):
    """A city whose departments ask wallets."""

    limits: Limits = field(default_factory=lambda: replace(GENEROUS, wallet=Limit("wallet", 100_000, 1e6)))

    def make_app(self) -> FastAPI:
        self.request_signer = self.pki.signer("request", "津城市核验服务")
        self.presentations = PresentationService(
            self.service,
            database=self.database,
            journal=self.journal,
            request_signer=self.request_signer,
            catalogue=Catalogue.load(),
            secret=SECRET,
            clock=self.clock,
            randomness=self.randomness,
        )
        return create_app(
            self.service,
            install_problems=problems.install,
            limits=self.limits,
            presentations=self.presentations,
        )

    def start(self, *, as_: str = BUREAU, **changes: Any) -> Reply:
        """`POST /v1/presentations`; a change to None leaves the member out."""
        cookie = changes.pop("cookie", None)
        values = {"purpose": PURPOSE, "matter": MATTER, "types": [TYPE], **changes}
        body = dump_json({name: value for name, value in values.items() if value is not None})
        headers = {"Authorization": f"Bearer {self.token(as_)}", "Content-Type": "application/json"}
        return self.call(
            "POST", "/v1/presentations", body, {**headers, **({"Cookie": cookie} if cookie else {})}
        )

    def started(self, **changes: Any) -> dict[str, Any]:
        reply = self.start(**changes)
        assert reply.status == 200, reply.body
        return dict(reply.json)

    def outcome(self, session: str, *, as_: str = BUREAU, code: str | None = None) -> Reply:
        query = f"?{urlencode({'response_code': code})}" if code is not None else ""
        return self.call(
            "GET", f"/v1/presentations/{session}{query}", None, {"Authorization": f"Bearer {self.token(as_)}"}
        )

    # The wallet's side

    def wallet(self) -> Holder:
        """An empty wallet."""
        return Holder.create(
            Path(tempfile.mkdtemp()) / "wallet", "面包 bread", clock=self.clock, scrypt_cost=1 << 4
        )

    def provide(self, holder: Holder, **changes: Any) -> Any:
        """Issue a food business licence into the wallet; returns the licence."""
        licence = changes.pop("licence", None) or self.licence(f"{next(_serials):09d}")
        holder.receive(self.credential(licence, holder_key=holder.new_key(), **changes))
        return licence

    def reader(self, **changes: Any) -> RequestReader:
        kept = self.snapshots()
        return RequestReader(
            changes.pop("trust", self.trust), revocation=changes.pop("revocation", kept.revocation), **changes
        )

    def fetch(
        self, link: str, *, reader: RequestReader | None = None, nonce: str = "w" * 22
    ) -> VerifiedRequest:
        """What the wallet reads behind a link, by POST as the link says."""
        plain = self.url.startswith("http://")
        invitation = Invitation.parse(link, allow_http=plain)
        assert invitation.request_uri
        assert invitation.by_post
        reply = self.call("POST", urlsplit(invitation.request_uri).path, invitation.form(nonce), FORM)
        assert reply.status == 200, reply.body
        assert reply.headers["content-type"] == "application/oauth-authz-req+jwt"
        return (reader or self.reader(allow_http=plain)).read(
            reply.body.decode(), client_id=invitation.client_id, now=self.clock.now(), wallet_nonce=nonce
        )

    def post(self, sent: Sent) -> Reply:
        """Hand a wallet's reply to the service."""
        return self.call("POST", urlsplit(sent.url).path, sent.body, FORM)

    def show(self, holder: Holder, link: str, **options: Any) -> Reply:
        """The whole of it on the holder's side: fetch, agree, post."""
        return self.post(
            holder.answer_presentation(holder.consider_presentation(self.fetch(link), **options))
        )


def request_id_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["request_uri"][0].rsplit("/", 1)[1]


def signer_with_name(city: City, host: str) -> FileSigner:
    """A request signer whose certificate has a DNS name."""
    from cryptography import x509  # noqa: PLC0415 - here only

    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    return city.pki.issuing.issue("津城市核验服务", "request", extra=((names, False),))

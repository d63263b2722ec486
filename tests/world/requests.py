"""A counter that asks wallets for food licences, without HTTP: requests, and what may be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from credentials.dcql import Query
from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.request_objects import RequestReader, sign_request
from credentials.oid4vp.requests import About, AuthorizationRequest, Encryption
from credentials.oid4vp.vocabulary import REQUEST_TYP, ResponseMode
from credentials.sd_jwt import chain_header
from signing.jose import sign_jws
from signing.jwe import DecryptionKey
from world.credentials import VCT, CredentialWorld
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.oid4vp.request_objects import VerifiedRequest
    from signing.signers.file import FileSigner

HOST = "verify.jincheng.example"
RESPONSE_URI = f"https://{HOST}/oid4vp/responses/r1"
ABOUT = About(
    Text("津城市场局", "Market bureau"), Text("办理食品经营许可", "A food permit"), "440103001000", "07"
)


def dcql(*fields: str, **changes: Any) -> dict[str, Any]:
    """A query for one licence of the baker's."""
    asked: dict[str, Any] = {"id": "licence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}}
    if fields:
        asked["claims"] = [{"path": [name]} for name in fields]
    return {"credentials": [{**asked, **changes}]}


@dataclass
class AskingCounter(CredentialWorld):
    """The credential world with a verifier that asks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = x509.SubjectAlternativeName([x509.DNSName(HOST)])
        self.asker = self.pki.issuing.issue("津城市核验服务", "request", extra=((names, False),))
        self.key = DecryptionKey.generate()

    def request(self, query: dict[str, Any] | None = None, **changes: Any) -> AuthorizationRequest:
        values: dict[str, Any] = {
            "client_id": ClientId.of(self.asker.certificate),
            "response_uri": RESPONSE_URI,
            "nonce": "n" * 43,
            "state": "s" * 22,
            "query": Query.parse(query or dcql("name")),
            "encryption": Encryption((self.key.to_jwk(),)),
            "about": ABOUT,
        }
        if changes.get("response_mode") is ResponseMode.DIRECT_POST:
            values["encryption"] = None
        return AuthorizationRequest(**{**values, **changes})

    def sign(self, request: AuthorizationRequest | None = None, **changes: Any) -> str:
        """The request object; `claims` changes it (None leaves one out), `headers` too."""
        asked = request or self.request()
        claims, headers = changes.pop("claims", {}), changes.pop("headers", {})
        signer: FileSigner = changes.pop("signer", self.asker)
        if not claims and not headers:
            return sign_request(asked, signer, now=self.clock.now(), **changes)
        now = int(self.clock.now().timestamp())
        body = {**asked.to_claims(), "iat": now, "exp": now + 120, **changes, **claims}
        head = {"typ": REQUEST_TYP, **chain_header(signer.chain), **headers}
        return sign_jws(
            {name: value for name, value in body.items() if value is not None},
            signer,
            headers={name: value for name, value in head.items() if value is not None},
        )

    def reader(self, **changes: Any) -> RequestReader:
        return RequestReader(
            changes.pop("trust", self.trust), revocation=changes.pop("revocation", self.revocation), **changes
        )

    def read(self, text: str, *, client_id: str | None = None, **changes: Any) -> VerifiedRequest:
        """What the wallet makes of it."""
        name = client_id if client_id is not None else str(ClientId.of(self.asker.certificate))
        nonce = changes.pop("wallet_nonce", None)
        return self.reader(**changes).read(text, client_id=name, now=self.clock.now(), wallet_nonce=nonce)

"""Credentials that are good in every way that the standards leave open, and who makes and shows them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from credentials.disclosures import digest_of
from credentials.sd_jwt import chain_header
from credentials.status_list import StatusList
from credentials.status_snapshot import verify_status_token
from credentials.status_tokens import sign_status_cwt, sign_status_jwt
from signing.algorithms import algorithm
from signing.base64url import encode_base64url
from signing.cbor import encode
from signing.raw_signatures import to_raw
from signing.signers.file import FileSigner
from world.credentials import COUNTER, NONCE, SECONDS, food_licence
from world.forgery import changed, disclosure
from world.mdocs import NAMESPACE, MdocForger, MdocWorld, wrapped
from world.pki import NOON, TestAuthority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credentials.status_snapshot import StatusSnapshot
    from signing.report import Report
    from signing.signer import Signer

SALT = "c2FsdHNhbHRzYWx0c2FsdA"
_PSS = {"PS256": hashes.SHA256(), "PS384": hashes.SHA384(), "PS512": hashes.SHA512()}


class Good(NamedTuple):
    """A row: what is shown, the clause that allows it, and the report on it."""

    name: str
    clause: str
    show: Callable[[FairWorld], Report[Any]]


class RsaSigner(FileSigner):
    """A key that signs with the RSA algorithm of this name."""

    def named(self, name: str) -> RsaSigner:
        other = RsaSigner(self._private_key, self.chain)
        other.algorithm = algorithm(name)
        return other

    def sign(self, message: bytes) -> bytes:
        if not self.algorithm.is_pss:
            return super().sign(message)
        digest = _PSS[self.algorithm.name]
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return self._private_key.sign(message, scheme, digest)  # type: ignore[no-any-return]

    def with_chain(self, chain: Any) -> RsaSigner:
        return RsaSigner(self._private_key, chain)


def jws(header: Mapping[str, Any], payload: Mapping[str, Any], signer: Signer) -> str:
    """A compact JWS by a key of any kind."""
    parts = [encode_base64url(json.dumps(one, ensure_ascii=False).encode()) for one in (header, payload)]
    signed = ".".join(parts)
    return f"{signed}.{encode_base64url(to_raw(signer.sign(signed.encode()), signer.algorithm))}"


@dataclass
class FairWorld(MdocWorld):
    """The people of `MdocWorld`; what they make by hand here is right, and often unusual."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.status = self.licence()["status"]
        self.rsa = RsaSigner(FileSigner.generate("RSA-2048")._private_key)
        self.name = disclosure(SALT, "name", "津城小麦面包坊")

    # SD-JWT VC

    def payload(
        self, changes: Mapping[str, Any] | None = None, *, hide: tuple[str, ...] = (), hashed: str = "sha-256"
    ) -> dict[str, Any]:
        """The claims of a licence; `hide` are disclosures whose digests stand at the top."""
        base = {name: value for name, value in food_licence().items() if name != "name"}
        base |= {"status": self.status, "cnf": {"jwk": self.baker.public_key.to_jwk()}}
        if hide:
            base |= {"_sd": sorted(digest_of(one, hashed) for one in hide), "_sd_alg": hashed}
        return changed(base, dict(changes or {}))

    def token(
        self, payload: Mapping[str, Any], signer: Signer | None = None, alg: str = "ES256", **header: Any
    ) -> str:
        signer = signer or self.agency
        head = {"alg": alg, "typ": "dc+sd-jwt", **chain_header(signer.chain), **header}
        return jws(changed(head, {}), payload, signer)

    def bound(
        self,
        text: str,
        claims: Mapping[str, Any] | None = None,
        *,
        holder: Signer | None = None,
        alg: str = "ES256",
        hashed: str = "sha-256",
    ) -> str:
        """The text with the holder's key binding."""
        body = {"iat": SECONDS, "aud": COUNTER, "nonce": NONCE, "sd_hash": digest_of(text, hashed)}
        return text + jws(
            {"alg": alg, "typ": "kb+jwt"}, changed(body, dict(claims or {})), holder or self.baker
        )

    def made(self, changes: Mapping[str, Any] | None = None, *disclosures: str, **token: Any) -> str:
        """A licence with these changes and these disclosures at its top, shown with a key binding."""
        text = self.token(self.payload(changes, hide=disclosures), **token)
        return self.bound("~".join([text, *disclosures, ""]))

    def judged(self, presentation: str, **counter: Any) -> Report[Any]:
        """What the counter says of it."""
        return self.counter(**counter).verify(presentation, audience=COUNTER, nonce=NONCE)

    def shown(self, *disclose: Any, issue: Mapping[str, Any] | None = None, **claims: Any) -> Report[Any]:
        """A licence by the issuer's own code, with these claims disclosed."""
        credential = self.issue({**self.licence(), **claims}, **(issue or {}))
        return self.judged(self.present(credential, disclose))

    def by(self, signer: Signer, alg: str) -> Report[Any]:
        """Signed by this agency's key."""
        return self.judged(self.made(None, self.name, signer=signer, alg=alg))

    def held(self, holder: Signer, alg: str) -> Report[Any]:
        """Bound to this key."""
        payload = self.payload({"cnf": {"jwk": holder.public_key.to_jwk()}}, hide=(self.name,))
        return self.judged(self.bound(f"{self.token(payload)}~{self.name}~", holder=holder, alg=alg))

    def hashed(self, name: str) -> Report[Any]:
        """All digests by this hash."""
        text = f"{self.token(self.payload(hide=(self.name,), hashed=name))}~{self.name}~"
        return self.judged(self.bound(text, hashed=name))

    def as_json(self, *, general: bool = False, **more: Any) -> dict[str, Any]:
        """The JSON form (RFC 9901, 8); `more` are further unprotected headers."""
        token, *disclosures, binding = self.made(None, self.name).split("~")
        protected, payload, signature = token.split(".")
        header = {"disclosures": disclosures, "kb_jwt": binding, **more}
        one = {"protected": protected, "signature": signature, "header": header}
        return {"payload": payload, "signatures": [one]} if general else {"payload": payload, **one}

    def credential_signer(self, kind: str = "P-256", **options: Any) -> FileSigner:
        return self.pki.issuing.issue("津城市市场监督管理局", "credential", key_kind=kind, **options)

    def below(self, *names: str) -> tuple[FileSigner, tuple[TestAuthority, ...]]:
        """A signer below a row of authorities under the root, and these."""
        authorities: list[TestAuthority] = []
        for name in names:
            authorities.append(TestAuthority(name, issuer=authorities[-1] if authorities else self.pki.root))
        return authorities[-1].issue("津城市市场监督管理局", "credential"), tuple(authorities)

    # Status lists

    def listed(
        self,
        signer: Signer | None = None,
        *,
        form: str = "jwt",
        bits: int = 2,
        lifetime: timedelta | None = None,
        statuses: StatusList | None = None,
        **options: Any,
    ) -> Report[StatusSnapshot]:
        """A list of the licence's address, verified."""
        made = statuses or StatusList(1024, bits=bits)
        sign = sign_status_jwt if form == "jwt" else sign_status_cwt
        times = {"ttl": timedelta(minutes=5), "lifetime": lifetime or timedelta(hours=1)}
        uri = self.status["status_list"]["uri"]
        token: Any = sign(made, signer or self.pki.signer("status"), uri=uri, at=NOON, **times)
        return self.read_list(token.decode() if form == "jwt" else token, **options)

    def read_list(self, token: str | bytes, **options: Any) -> Report[StatusSnapshot]:
        uri = self.status["status_list"]["uri"]
        return verify_status_token(
            token, self.trust, uri=uri, at=NOON, **{"revocation": self.revocation, **options}
        )

    def with_list(self, listed: Report[StatusSnapshot], **counter: Any) -> Report[Any]:
        """The licence by a counter that has this list."""
        uri = self.status["status_list"]["uri"]
        statuses = {uri: listed.require()}
        return self.judged(self.made(None, self.name), statuses=statuses, **counter)

    # mdoc

    def mdoc(
        self, change: Callable[[MdocForger], Any] | None = None, *, sealed: bool = True, **verify: Any
    ) -> Report[Any]:
        """A response that the agency and the device sign as `change` left it."""
        forger = MdocForger(self)
        if change is not None:
            change(forger)
        if sealed:
            forger.seal()
        return self.look_at(forger.bytes(), **verify)

    def element(self, value: Any) -> Report[Any]:
        """An element of this value, written as CBOR has it."""
        return self.mdoc(lambda forger: rewritten(forger, elementValue=value))


def rewritten(forger: MdocForger, digest: str = "sha256", **changes: Any) -> None:
    """Other items, and the digests of them."""
    forger.items[0].update(changes)
    forger.rewrite_items()
    forger.secured["valueDigests"][NAMESPACE] = {
        one["digestID"]: hashlib.new(digest, encode(wrapped(one))).digest() for one in forger.items
    }

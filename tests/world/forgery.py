"""Presentations that no honest library would make, signed by those who ought to know better."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from credentials.disclosures import digest_of
from credentials.sd_jwt import chain_header
from signing.base64url import encode_base64url
from world.credentials import COUNTER, NONCE, SECONDS, food_licence

if TYPE_CHECKING:
    from signing.signer import Signer
    from world.credentials import CredentialWorld

ABSENT = object()  # takes a claim or a header away


def changed(base: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**base, **(changes or {})}.items() if value is not ABSENT}


def raw(value: Any) -> bytes:
    """JSON, or bytes and text as they are."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode("utf-8")


def jws(header: Any, payload: Any, signer: Signer) -> str:
    """A compact JWS with whatever header and payload, truly signed."""
    signing_input = f"{encode_base64url(raw(header))}.{encode_base64url(raw(payload))}"
    r, s = decode_dss_signature(signer.sign(signing_input.encode()))
    return f"{signing_input}.{encode_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def disclosure(*parts: Any) -> str:
    return encode_base64url(json.dumps(parts, ensure_ascii=False).encode())


def resigned(token: str, signature: bytes) -> str:
    """The token with other bytes for a signature."""
    return f"{token.rpartition('.')[0]}.{encode_base64url(signature)}"


@dataclass
class Forger:
    """Has the agency's and the baker's keys, and no manners."""

    world: CredentialWorld

    def __post_init__(self) -> None:
        self.status = self.world.licence()["status"]
        self.name = disclosure("c2FsdHNhbHRzYWx0c2FsdA", "name", "津城小麦面包坊")

    def payload(self, changes: dict[str, Any] | None = None, *, hide: tuple[str, ...] = ()) -> dict[str, Any]:
        """What the agency signs; `hide` are disclosures whose digests stand in `_sd`."""
        base = {name: value for name, value in food_licence().items() if name != "name"}
        base |= {"status": self.status, "cnf": {"jwk": self.world.baker.public_key.to_jwk()}}
        base |= {"_sd": sorted(map(digest_of, hide or (self.name,))), "_sd_alg": "sha-256"}
        return changed(base, changes)

    def token(self, payload: Any = None, *, header: Any = None, signer: Signer | None = None) -> str:
        """The agency's token."""
        signer = signer or self.world.agency
        base = {"alg": "ES256", "typ": "dc+sd-jwt", **chain_header(signer.chain)}
        head = header if isinstance(header, (str, bytes)) else changed(base, header)
        return jws(head, self.payload() if payload is None else payload, signer)

    def bound(
        self,
        text: str,
        claims: Any = None,
        *,
        header: dict[str, Any] | None = None,
        signer: Signer | None = None,
    ) -> str:
        """The text with a key binding by the baker."""
        hashed = encode_base64url(hashlib.sha256(text.encode()).digest())
        base = {"iat": SECONDS, "aud": COUNTER, "nonce": NONCE, "sd_hash": hashed}
        body = claims if isinstance(claims, (str, bytes)) else changed(base, claims)
        head = changed({"alg": "ES256", "typ": "kb+jwt"}, header)
        return text + jws(head, body, signer or self.world.baker)

    def shown(self, payload: Any = None, *disclosures: str, **token: Any) -> str:
        """A whole presentation with an honest key binding."""
        parts = [self.token(payload, **token), *(disclosures or (self.name,)), ""]
        return self.bound("~".join(parts))

    def hiding(self, *disclosures: str, **changes: Any) -> str:
        """A presentation of disclosures whose digests the agency signed at the top level."""
        return self.shown(self.payload(changes, hide=disclosures), *disclosures)

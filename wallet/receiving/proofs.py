"""What the wallet signs on the way: DPoP proofs (RFC 9449, 4) and key proofs (OpenID4VCI, appendix F)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from credentials.oid4vci.vocabulary import DPOP_TYP, PROOF_TYP
from signing.base64url import encode_base64url
from signing.jose import sign_jws
from yinxin.base.randomness import random_text

if TYPE_CHECKING:
    from datetime import datetime

    from wallet.keys import HolderKey
    from yinxin.base.randomness import Randomness


def dpop_proof(  # noqa: PLR0913 - what a proof says
    key: HolderKey,
    *,
    url: str,
    now: datetime,
    randomness: Randomness,
    nonce: str | None = None,
    access_token: str | None = None,
) -> str:
    """A proof for one POST to `url`, without its query (RFC 9449, 4.2)."""
    claims: dict[str, Any] = {
        "jti": random_text(randomness),
        "htm": "POST",
        "htu": url.partition("?")[0],
        "iat": int(now.timestamp()),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access_token is not None:
        claims["ath"] = digest_text(access_token)
    return sign_jws(claims, key, headers={"typ": DPOP_TYP, "jwk": key.public_key.to_jwk()})


def key_proof(key: HolderKey, *, issuer: str, now: datetime, nonce: str | None, client_id: str | None) -> str:
    """A proof that the wallet holds this key, for this issuer alone (F.1)."""
    claims: dict[str, Any] = {"aud": issuer, "iat": int(now.timestamp())}
    if nonce is not None:
        claims["nonce"] = nonce
    if client_id is not None:
        claims["iss"] = client_id
    return sign_jws(claims, key, headers={"typ": PROOF_TYP, "jwk": key.public_key.to_jwk()})


def digest_text(text: str) -> str:
    """SHA-256 in base64url: `ath` of a token, S256 of a PKCE verifier, a key's thumbprint."""
    return encode_base64url(hashlib.sha256(text.encode("ascii")).digest())

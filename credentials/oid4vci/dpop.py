"""DPoP proofs (RFC 9449): who uses a token holds the key that it was given to.

Every check of 4.3 that needs no database stands here; that a `jti` comes once is decided where it is used.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.oid4vci.errors import Refused
from credentials.oid4vci.jwts import is_fresh, read_self_signed
from credentials.oid4vci.vocabulary import CLOCK_SKEW, DPOP_TYP, PROOF_AGE
from signing.base64url import encode_base64url
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.oid4vci.nonces import Nonces

MAX_JTI_CHARACTERS = 256
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class DpopProof:
    """A proof that is right; its `jti` is not yet used up. `thumbprint` names its key (RFC 7638)."""

    thumbprint: str
    jti: str
    expires_at: datetime


def check_dpop(  # noqa: PLR0913 - what a proof is compared with
    text: object,
    *,
    method: str,
    url: str,
    nonces: Nonces,
    now: datetime,
    access_token: str | None = None,
) -> DpopProof:
    """The proof, or `Refused` with `invalid_dpop_proof` or `use_dpop_nonce`.

    `url` is our own address as the world knows it, not what a proxy made of it. A nonce of ours is always
    demanded (8 and 9), so that proofs cannot be made in store. `access_token`: `ath` must be its digest.
    """
    try:
        _, claims, key = read_self_signed(text, typ=DPOP_TYP)
    except MalformedInput as exc:
        raise _invalid(exc.detail.replace('"', "'")) from exc
    if claims.get("htm") != method:
        raise _invalid("htm is another method")
    here = _comparable(url)
    if here is None or _comparable(claims.get("htu")) != here:
        raise _invalid("htu is another address")
    if access_token is not None and not _is_digest_of(claims.get("ath"), access_token):
        raise _invalid("ath is not the digest of the access token")
    _check_nonce(claims, nonces, now)
    if not is_fresh(claims.get("iat"), now=now, max_age=PROOF_AGE, skew=CLOCK_SKEW):
        raise _invalid("iat is missing, too old or in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_CHARACTERS:
        raise _invalid(f"jti must be a text of 1 to {MAX_JTI_CHARACTERS} characters")
    return DpopProof(key.thumbprint, jti, now + PROOF_AGE + 2 * CLOCK_SKEW + timedelta(seconds=1))


def _check_nonce(claims: Mapping[str, Any], nonces: Nonces, now: datetime) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or nonces.expires_at(nonce, now=now) is None:
        raise Refused("use_dpop_nonce", "the DPoP proof needs the nonce of this answer", needs_nonce=True)


def _is_digest_of(value: object, token: str) -> bool:
    digest = encode_base64url(hashlib.sha256(token.encode("ascii", "replace")).digest())
    return isinstance(value, str) and hmac.compare_digest(value.encode("utf-8", "replace"), digest.encode())


def _comparable(url: object) -> tuple[str, str, int, str] | None:
    """A URL without query and fragment, normalised as RFC 9449, 4.3 (9) asks; None for no such URL."""
    if not isinstance(url, str) or len(url) > 2048 or not url.isascii() or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], parts.path or "/"


def _invalid(why: str) -> Refused:
    return Refused("invalid_dpop_proof", why)

"""What key proofs and DPoP proofs have in common: a small JWT that is signed by a key in its own header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.oid4vci.vocabulary import ALGORITHMS, MAX_PROOF_CHARACTERS
from signing.jose import Token, parse_jws
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

# RFC 7518, 6.2.2, 6.3.2 and 6.4.1: whoever sends one of these has given away their key.
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def read_self_signed(text: object, *, typ: str) -> tuple[Token, Mapping[str, Any], PublicKey]:
    """The token, its claims and the key in its header that signed it; else `MalformedInput`."""
    if not isinstance(text, str) or len(text) > MAX_PROOF_CHARACTERS:
        raise MalformedInput("proof", "not a text, or too long")
    token = parse_jws(text)
    if token.header.get("typ") != typ:
        raise MalformedInput("proof", f"typ is not {typ}")
    if token.header.get("alg") not in ALGORITHMS:
        raise MalformedInput("proof", f"alg must be one of {' '.join(sorted(ALGORITHMS))}")
    key = read_key(token.header.get("jwk"))
    claims = token.claims()
    if not token.verify(key, algorithms=ALGORITHMS):
        raise MalformedInput("proof", "the signature does not verify with the key in the header")
    return token, claims, key


def read_key(jwk: object) -> PublicKey:
    """The public P-256 key of a header."""
    if not isinstance(jwk, dict):
        raise MalformedInput("proof", "jwk must be a public key")
    if _PRIVATE.intersection(jwk):
        raise MalformedInput("proof", "jwk holds a private key")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise MalformedInput("proof", "jwk must be a P-256 key")
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk):
        raise MalformedInput("proof", "jwk is for another use")
    return PublicKey.from_jwk(jwk)


def is_fresh(value: object, *, now: datetime, max_age: timedelta, skew: timedelta) -> bool:
    """Whether a NumericDate lies within the window (RFC 7519, 2); a truth value is no number."""
    if type(value) not in {int, float}:
        return False
    age = now.timestamp() - float(value)  # type: ignore[arg-type]  # checked above
    return -skew.total_seconds() <= age <= (max_age + skew).total_seconds()


def _may_verify(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return isinstance(operations, list) and ("verify" in operations or "sign" in operations)

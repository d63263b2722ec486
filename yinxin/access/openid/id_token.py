"""Judge an ID token (OpenID Connect Core 1.0, 3.1.3.7), strictly: who it is about, and for whom, and when.

Pure: the provider's keys and the time come in by the door.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from signing.jose import parse_jws
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from signing.jose import Token

ALGORITHMS = frozenset({"ES256", "ES384", "RS256", "RS384", "RS512", "Ed25519"})
SKEW, MAX_AGE = timedelta(seconds=60), timedelta(minutes=10)
MAX_KEYS = 32


def check_id_token(  # noqa: PLR0913 - what a token is held against, by name
    text: object,
    keys: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> str:
    """The subject of a token that is good for us now; else `Unauthenticated`."""
    try:
        token = parse_jws(text)
        claims = token.claims()
        is_signed = token.header.get("typ", "JWT") == "JWT" and _is_signed(token, keys)
        moment = int(now.timestamp())
        faults = list(_faults(claims, issuer=issuer, client_id=client_id, nonce=nonce, now=moment))
    except MalformedInput as exc:
        raise Unauthenticated("the ID token cannot be read") from exc
    if not is_signed:
        raise Unauthenticated("the ID token is not signed by the provider")
    if faults:
        raise Unauthenticated(f"the ID token is not for this sign-in: {faults[0]}")
    return str(claims["sub"])


def names_unknown_key(text: object, keys: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a token names a key that is not among these: the provider may have a new one."""
    try:
        kid = parse_jws(text).header.get("kid")
    except MalformedInput:
        return False
    return kid is not None and all(key.get("kid") != kid for key in keys)


def _is_signed(token: Token, keys: Sequence[Mapping[str, Any]]) -> bool:
    kid = token.header.get("kid")
    for jwk in keys[:MAX_KEYS]:
        if jwk.get("use", "sig") != "sig" or (kid is not None and jwk.get("kid") != kid):
            continue
        if jwk.get("alg", token.header.get("alg")) != token.header.get("alg"):
            continue
        try:
            key = PublicKey.from_jwk(dict(jwk))
        except MalformedInput:  # a kind of key that we do not use
            continue
        if token.verify(key, algorithms=ALGORITHMS):
            return True
    return False


def _faults(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: int) -> Iterable[str]:
    if claims.get("iss") != issuer:
        yield "another issuer"
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        yield "no subject"
    audience = claims.get("aud")
    if audience not in (client_id, [client_id]):  # several audiences share a token that any of them can use
        yield "another audience"
    if claims.get("azp", client_id) != client_id:
        yield "another authorised party"
    if claims.get("nonce") != nonce:
        yield "another nonce"
    yield from _time_faults(claims, now)


def _time_faults(claims: Mapping[str, Any], now: int) -> Iterable[str]:
    skew, most = int(SKEW.total_seconds()), int(MAX_AGE.total_seconds())
    expires, issued, begins = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None or (begins is None and "nbf" in claims):
        yield "no times"
    elif expires <= now - skew or (begins or 0) > now + skew:
        yield "expired, or not yet valid"
    elif not now - most <= issued <= now + skew:
        yield "not made just now"


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

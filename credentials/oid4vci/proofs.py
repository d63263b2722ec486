"""Key proofs (OpenID4VCI, appendix F): the wallet holds the private key that a copy will be bound to.

Every check that needs no database stands here. That a nonce is used once is decided where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.oid4vci.errors import Refused
from credentials.oid4vci.jwts import is_fresh, read_self_signed
from credentials.oid4vci.vocabulary import BATCH_SIZE, CLOCK_SKEW, PROOF_AGE, PROOF_TYP
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.oid4vci.nonces import Nonces
    from signing.keys import PublicKey


@dataclass(frozen=True, slots=True)
class KeyProofs:
    """What the proofs of one request show: the keys, all different, and the one nonce of all of them."""

    keys: tuple[PublicKey, ...]
    nonce: str
    nonce_expires_at: datetime


def check_key_proofs(
    proofs: Sequence[object],
    *,
    issuer: str,
    client_id: str | None,
    nonces: Nonces,
    now: datetime,
) -> KeyProofs:
    """The keys, or `Refused` with `invalid_proof` or `invalid_nonce` (8.3.1.2).

    `client_id` is None for a grant that an anonymous wallet got. One proof for each key: a key that comes
    twice would make two copies linkable, and is refused.
    """
    if not 1 <= len(proofs) <= BATCH_SIZE:
        raise Refused("invalid_proof", f"one to {BATCH_SIZE} proofs are needed")
    found = [_check(proof, issuer, client_id, now) for proof in proofs]
    keys = tuple(key for key, _ in found)
    if len(set(keys)) != len(keys):
        raise Refused("invalid_proof", "a key is repeated")
    given = {nonce for _, nonce in found}
    if len(given) != 1:
        raise Refused("invalid_proof", "the proofs of one request carry the same c_nonce")
    (nonce,) = given
    expires_at = nonces.expires_at(nonce, now=now)
    if expires_at is None:
        raise Refused("invalid_nonce", "the c_nonce is not ours or out of date; fetch a new one")
    return KeyProofs(keys, nonce, expires_at)


def _check(proof: object, issuer: str, client_id: str | None, now: datetime) -> tuple[PublicKey, str]:
    try:
        token, claims, key = read_self_signed(proof, typ=PROOF_TYP)
    except MalformedInput as exc:
        raise Refused("invalid_proof", _describe(exc)) from exc
    if any(name in token.header for name in ("kid", "x5c", "trust_chain")):
        raise Refused("invalid_proof", "the header names its key by jwk, and by nothing else")
    _check_claims(claims, issuer, client_id, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise Refused("invalid_proof", "the proof carries no c_nonce")
    return key, nonce


def _check_claims(claims: Mapping[str, Any], issuer: str, client_id: str | None, now: datetime) -> None:
    if claims.get("aud") != issuer:
        raise Refused("invalid_proof", "aud is not this credential issuer")
    if "iss" in claims and claims["iss"] != client_id:
        raise Refused("invalid_proof", "iss is not the client_id that the token was given to")
    if not is_fresh(claims.get("iat"), now=now, max_age=PROOF_AGE, skew=CLOCK_SKEW):
        raise Refused("invalid_proof", "iat is missing, too old or in the future")
    moment = now.timestamp()
    times = [claims.get("nbf", moment), claims.get("exp", moment + 1)]
    if any(type(time) not in {int, float} for time in times) or not times[0] <= moment < times[1]:
        raise Refused("invalid_proof", "the proof is out of date or not yet in force")


def _describe(exc: MalformedInput) -> str:
    return exc.detail.replace('"', "'")

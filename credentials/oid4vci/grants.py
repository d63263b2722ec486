"""Grants and their tokens: made when a code is redeemed, renewed by refresh tokens, presented with requests.

Tokens are opaque texts of 256 random bits; the database keeps digests. A token that was given to a DPoP key
is good with that key only (RFC 9449, 7); a bearer token lives five minutes and brings no refresh token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.repository import Grant, IssuanceRepository, OfferedLicence, StoredToken, digest_of
from yinxin.base import audit, once
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict
from yinxin.base.randomness import Randomness, random_text

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.oid4vci.dpop import DpopProof
    from yinxin.base.database import Session

ACCESS, REFRESH = "access", "refresh"
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may fetch what, as an offer or a login found it, and how the holder was authenticated."""

    holder: str
    method: str
    licences: tuple[OfferedLicence, ...]
    by_identifier: bool
    client_id: str | None


def actor_of(grant_id: str) -> Actor:
    """The holder behind a grant, as somebody who acts."""
    return Actor(ActorKind.HOLDER, grant_id)


def is_ambiguous(licences: tuple[OfferedLicence, ...]) -> bool:
    """Whether a configuration alone does not say which licence is meant."""
    return len({one.configuration for one in licences}) < len(licences)


def use_up(session: Session, proof: DpopProof | None) -> None:
    """A DPoP proof's `jti` comes once (RFC 9449, 11.1); `Refused` for a replay."""
    if proof is None:
        return
    try:
        once.consume(session, f"dpop {proof.thumbprint}", proof.jti, expires_at=proof.expires_at)
    except Conflict as exc:
        raise Refused("invalid_dpop_proof", "this DPoP proof was used before") from exc


def open_grant(
    session: Session,
    authority: Authority,
    proof: DpopProof | None,
    *,
    now: datetime,
    randomness: Randomness,
) -> tuple[Grant, dict[str, Any]]:
    """A new grant with its first tokens: the grant and the token response (6.2)."""
    life = names.REFRESH_LIFE if proof else names.ACCESS_LIFE
    grant = Grant(
        id=random_text(randomness),
        holder=authority.holder,
        method=authority.method,
        licences=authority.licences,
        by_identifier=authority.by_identifier or is_ambiguous(authority.licences),
        client_id=authority.client_id,
        key_thumbprint=proof.thumbprint if proof else None,
        created_at=now,
        expires_at=now + life,
        counted_from=now,
    )
    IssuanceRepository(session).add(grant)
    return grant, give_tokens(session, grant, now=now, randomness=randomness)


def give_tokens(session: Session, grant: Grant, *, now: datetime, randomness: Randomness) -> dict[str, Any]:
    """Fresh tokens of a grant, as the token response says them."""
    repository = IssuanceRepository(session)
    access = random_text(randomness, TOKEN_BYTES)
    until = min(now + names.ACCESS_LIFE, grant.expires_at)
    repository.add(StoredToken(digest_of(access), ACCESS, grant.id, until))
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": "DPoP" if grant.key_thumbprint else "Bearer",
        "expires_in": int((until - now).total_seconds()),
    }
    if grant.key_thumbprint:
        answer["refresh_token"] = random_text(randomness, TOKEN_BYTES)
        repository.add(StoredToken(digest_of(answer["refresh_token"]), REFRESH, grant.id, grant.expires_at))
    if grant.by_identifier:
        answer["authorization_details"] = _details(grant)
    return answer


def refresh(  # noqa: PLR0913 - what a refresh is judged by
    session: Session,
    text: str,
    *,
    client_id: str | None,
    proof: DpopProof,
    now: datetime,
    randomness: Randomness,
) -> dict[str, Any] | Refused:
    """New tokens for a refresh token, which is used up. One that comes twice ends its grant.

    A refusal is returned, so that the caller's transaction keeps what was learnt from it.
    """
    repository = IssuanceRepository(session)
    token = repository.token(text, lock=True)
    grant = repository.grant(token.grant_id, lock=True) if token and token.kind == REFRESH else None
    wrong = Refused("invalid_grant", "the refresh token is unknown, used, over, or another wallet's")
    if token is None or grant is None or grant.revoked_at or min(token.expires_at, grant.expires_at) <= now:
        return wrong
    if grant.key_thumbprint != proof.thumbprint or client_id not in {grant.client_id, None}:
        return wrong
    if token.spent_at:
        revoke(session, grant.id, reason="refresh token used twice", now=now)
        return wrong
    repository.spend_token(token.digest, at=now)
    audit.record(
        session, action="oid4vci.refresh", subject=f"grant:{grant.id}", actor=actor_of(grant.id), at=now
    )
    return give_tokens(session, grant, now=now, randomness=randomness)


def revoke(session: Session, grant_id: str, *, reason: str, now: datetime) -> None:
    """End a grant with all its tokens."""
    IssuanceRepository(session).change_grant(grant_id, revoked_at=now)
    audit.record(
        session,
        action="oid4vci.revoke",
        subject=f"grant:{grant_id}",
        actor=actor_of(grant_id),
        at=now,
        details={"reason": reason},
    )


def grant_of(session: Session, access_token: str, *, now: datetime) -> Grant | None:
    """The grant of an access token that is good; None for any other text."""
    repository = IssuanceRepository(session)
    token = repository.token(access_token)
    if token is None or token.kind != ACCESS or token.expires_at <= now:
        return None
    grant = repository.grant(token.grant_id)
    return grant if grant and grant.revoked_at is None and grant.expires_at > now else None


def _details(grant: Grant) -> list[dict[str, Any]]:
    by_configuration: dict[str, list[str]] = {}
    for one in grant.licences:
        by_configuration.setdefault(one.configuration, []).append(one.identifier)
    return [
        {
            "type": names.AUTHORIZATION_DETAILS_TYPE,
            "credential_configuration_id": configuration,
            "credential_identifiers": identifiers,
        }
        for configuration, identifiers in by_configuration.items()
    ]

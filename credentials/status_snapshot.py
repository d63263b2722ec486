"""A verified status list: the token that carried it was verified, and nothing else can make one (TSL, 8.3).

Fetching tokens is the caller's work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.signed_messages import MessageSignatures
from credentials.signed_tokens import ChainSignatures, is_failed, moment_check
from credentials.status_list import StatusList
from credentials.status_tokens import MAX_TOKEN_BYTES, read_status_cwt
from credentials.vocabulary import STATUS_LIST_CWT_TYP, STATUS_LIST_TYP
from signing.cose import TYP
from signing.jose import parse_jws
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Report
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.certificates import Certificate
    from signing.trust import TrustStore

MAX_TTL = timedelta(days=1)  # no issuer can make us keep a list for longer, or
MAX_LIFETIME = timedelta(days=31)  # trust one for longer than this
DEFAULT_TTL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StatusSnapshot(Evidence):
    """A status list whose token was verified; only `verify_status_token` leads to one.

    `form` is the token's, `jwt` or `cwt`; `issued_at` is its `iat`, `refresh_at` the end of its ttl counted
    from when it was fetched, `expires_at` the hard end. `digest` is the SHA-256 of the token, in hex.
    """

    uri: str
    statuses: StatusList
    issuer: Certificate
    issued_at: datetime
    refresh_at: datetime
    expires_at: datetime
    digest: str
    form: str = "jwt"

    @classmethod
    def from_token(  # noqa: PLR0913 - what a verification needs, by the door
        cls,
        token: str | bytes,
        trust: TrustStore,
        *,
        uri: str,
        at: datetime,
        revocation: RevocationSnapshot | None = None,
        policy: Policy | None = None,
    ) -> StatusSnapshot:
        """The snapshot of a token fetched from `uri` at the time `at`; `VerificationFailed` says why not."""
        report = verify_status_token(token, trust, uri=uri, at=at, revocation=revocation, policy=policy)
        return report.require()

    def status(self, index: int) -> int:
        """The status of one credential; `NotFound` outside the list."""
        return self.statuses.get(index)

    def is_fresh(self, now: datetime, *, grace: timedelta = timedelta(0)) -> bool:
        """Whether it may still be relied on: within its ttl and `grace`, and never past its end."""
        return now < self.expires_at and now < self.refresh_at + grace


def verify_status_token(  # noqa: PLR0913 - what a verification needs, by the door
    token: str | bytes,
    trust: TrustStore,
    *,
    uri: str,
    at: datetime,
    revocation: RevocationSnapshot | None = None,
    policy: Policy | None = None,
    signatures: ChainSignatures | None = None,
) -> Report[StatusSnapshot]:
    """Verify a Status List Token (5, 8.3) that was fetched from `uri` at the time `at`.

    A text is read as a JWT, bytes as a CWT. Never raises for a bad token. `signatures` may be handed in to
    remember chains between calls.
    """
    policy = policy or Policy.default()
    revocation = revocation or RevocationSnapshot()
    judge = signatures or ChainSignatures(trust, usage="status", revocation=revocation, policy=policy)
    form = "cwt" if isinstance(token, bytes) else "jwt"
    if isinstance(token, bytes):
        checks, made = _examine_cwt(token, judge, uri, at, policy)
    else:
        checks, made = _examine_jwt(token, judge, uri, at, policy)
    snapshots = {"trust": trust.snapshot_id, "revocation": revocation.snapshot_id}
    raw = token if isinstance(token, bytes) else str(token).encode("utf-8", "replace")
    digest = hashlib.sha256(raw).hexdigest()
    return Report(
        "status-list",
        digest,
        at,
        at,
        checks,
        policy.hash,
        snapshots,
        {"uri": uri},
        (lambda key: StatusSnapshot(key, uri, **made, digest=digest, form=form)) if made else None,
    )


_Made = dict[str, Any] | None


def _examine_jwt(
    text: str, judge: ChainSignatures, uri: str, at: datetime, policy: Policy
) -> tuple[tuple[Check, ...], _Made]:
    try:
        token = parse_jws(text, max_characters=MAX_TOKEN_BYTES)
        claims = token.claims()
    except MalformedInput as exc:
        return (_format_check(exc),), None
    signed = judge.examine(token, at=at)
    checks = (Check("format"), _type_check(token.header.get("typ"), STATUS_LIST_TYP), *signed.checks)
    if is_failed(checks) or signed.certificate is None:
        return checks, None
    return _examine_claims(checks, claims, StatusList.from_claim, signed.certificate, uri, at, policy)


def _examine_cwt(
    data: bytes, judge: ChainSignatures, uri: str, at: datetime, policy: Policy
) -> tuple[tuple[Check, ...], _Made]:
    try:
        message, claims = read_status_cwt(data)
        chain, checks = MessageSignatures(policy).examine(message, at=at)
    except MalformedInput as exc:
        return (_format_check(exc),), None
    checks = (Check("format"), _type_check(message.protected.get(TYP), STATUS_LIST_CWT_TYP), *checks)
    if is_failed(checks) or not chain or any(check.reason for check in checks):
        return checks, None
    checks += judge.path_checks(chain, at, None)
    if is_failed(checks):
        return checks, None
    return _examine_claims(checks, claims, StatusList.from_cbor, chain[0], uri, at, policy)


def _examine_claims(  # noqa: PLR0913, PLR0917 - what both forms have in common
    checks: tuple[Check, ...],
    claims: Mapping[str, Any],
    read: Callable[[Any], StatusList],
    issuer: Certificate,
    uri: str,
    at: datetime,
    policy: Policy,
) -> tuple[tuple[Check, ...], _Made]:
    checks += (_subject_check(claims, uri), *_lifetime_checks(claims, at, policy))
    if "aud" in claims:  # RFC 7519, 4.1.3: a list for somebody is for nobody else, and we have no name in it
        checks += (Check("audience", Reason.WRONG_AUDIENCE),)
    if is_failed(checks):
        return checks, None
    try:
        statuses = read(claims.get("status_list"))
    except MalformedInput as exc:
        return (*checks, _format_check(exc)), None
    return checks, {"statuses": statuses, "issuer": issuer, **_times(claims, at)}


def _format_check(exc: MalformedInput) -> Check:
    reason = Reason.TOO_LARGE if isinstance(exc, TooLarge) else Reason.FORMAT_FAILURE
    return Check("format", reason, detail=exc.detail)


def _type_check(found: Any, wanted: str) -> Check:
    if found == wanted:
        return Check("type")
    return Check("type", Reason.WRONG_TYPE, detail=f"TSL 5: typ is not {wanted}")


def _subject_check(claims: Mapping[str, Any], uri: str) -> Check:
    if claims.get("sub") == uri:
        return Check("subject")
    return Check("subject", Reason.STATUS_REFERENCE_INVALID, detail="TSL 8.3: sub is not the list's address")


def _lifetime_checks(claims: Mapping[str, Any], at: datetime, policy: Policy) -> tuple[Check, ...]:
    ttl = claims.get("ttl", 1)
    wrong = [name for name in ("iss", "jti") if not isinstance(claims.get(name, ""), str)]
    if wrong:
        detail = f"RFC 7519, 4.1: {wrong[0]} is no text"
        return (Check("validity", Reason.CLAIM_INVALID, detail=detail),)
    if "iat" not in claims or type(ttl) not in {int, float} or ttl <= 0:
        return (
            Check("validity", Reason.CLAIM_INVALID, detail="TSL 5.1: iat is missing or ttl is not positive"),
        )
    return moment_check(claims, at=at, skew=policy.clock_skew)


def _times(claims: Mapping[str, Any], at: datetime) -> dict[str, datetime]:
    issued = datetime.fromtimestamp(claims["iat"], UTC)
    ttl = timedelta(seconds=min(claims.get("ttl", DEFAULT_TTL.total_seconds()), MAX_TTL.total_seconds()))
    end = issued + MAX_LIFETIME
    if "exp" in claims:
        end = datetime.fromtimestamp(min(claims["exp"], end.timestamp()), UTC)
    return {"issued_at": issued, "refresh_at": at + ttl, "expires_at": end}

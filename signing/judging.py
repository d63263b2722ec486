"""Judge who signed: what time is proved, whether the certificate held then, and what became of it since.

What a PDF and a file with its signature beside it have in common: the same questions in the same order, so
that they get the same answers. Formats add what is theirs (coverage, changes after signing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from signing import cms
from signing.path import PathResult, validate_path
from signing.reasons import Reason
from signing.report import Check, Scope
from signing.timestamp import parse_token, verify_timestamp
from signing.usages import usage
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.timestamp import TimestampResult
    from signing.trust import TrustStore

MAX_TIMESTAMPS = 4  # of one signature


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every signature, in one value. `at` is the time that the verdict "now" is about."""

    trust: TrustStore
    revocation: RevocationSnapshot
    policy: Policy
    at: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class SignerResult:
    """What came of a signer's certificate: for which use, by which path, and the checks."""

    usage: str
    path: tuple[Certificate, ...]
    checks: tuple[Check, ...]


def own_timestamps(signed: cms.SignedData, question: Question) -> list[TimestampResult]:
    """The time-stamps that a signature carries over its own value, verified."""
    stamps = []
    for token in signed.unsigned.get(cms.TIMESTAMP_TOKEN, ())[:MAX_TIMESTAMPS]:
        try:
            parsed: Any = parse_token(token)
            name = parsed.digest_algorithm
        except MalformedInput:  # verify_timestamp says so in its checks
            parsed, name = token, "sha256"
        stamps.append(
            verify_timestamp(
                parsed,
                digest=known_hash(name, signed.signature),
                trust=question.trust,
                revocation=question.revocation,
                policy=question.policy,
                at=question.known_at,
                known_at=question.known_at,
            )
        )
    return stamps


def judge_signer(signed: cms.SignedData, proved: datetime | None, question: Question) -> SignerResult | None:
    """Check the signer's certificate at the proved time, else at the time asked about; None without one."""
    policy, checks = question.policy, list[Check]()
    if signed.signer is None:
        return None
    if proved is None and policy.require_timestamp:
        checks.append(Check("timestamp", Reason.TIMESTAMP_MISSING))
    if proved is not None and proved > question.at + policy.clock_skew:
        checks.append(Check("signing_time", Reason.NOT_YET_VALID, detail=proved.isoformat()))
    used = _usage_of(signed.signer)
    result = validate_path(
        signed.signer,
        signed.others,
        question.trust,
        at=proved or question.at,
        usage=used,
        revocation=question.revocation,
        policy=policy,
        known_at=question.known_at,
    )
    checks += result.checks
    checks += (
        _revoked_without_proof(result, question)
        if proved is None
        else _revoked_since(result, proved, question)
    )
    return SignerResult(used, result.path, tuple(checks))


def describe(certificate: Certificate) -> dict[str, Any]:
    """A certificate as findings show it."""
    return {
        "name": certificate.common_name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "fingerprint": certificate.fingerprint,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
    }


def known_hash(name: str, *parts: bytes | memoryview) -> bytes:
    """The hash, or nothing for a hash we do not know: nothing equals it, and the algorithm check says why."""
    try:
        return cms.hash_with(name, *parts)
    except UnknownAlgorithm:
        return b""


def _revoked_since(result: PathResult, proved: datetime, question: Question) -> Iterable[Check]:
    """A revocation after the proved time changes nothing about then, but it counts now.

    Not where the authority states since when the key is not to be trusted (RFC 5280, 5.3.2): before that
    moment it was, and what is proved to be of that time holds now as well.
    """
    for certificate, status in result.statuses:
        if status.revoked_at is None or not proved < status.revoked_at <= question.at:
            continue
        if status.since_is_stated and not status.is_on_hold:
            continue
        reason = Reason.CERTIFICATE_ON_HOLD if status.is_on_hold else Reason.CERTIFICATE_REVOKED
        detail = f"{certificate.common_name}: since {status.revoked_at.isoformat()}, after the proved time"
        yield Check("certificate_revocation", reason, Scope.NOW, detail)


def _revoked_without_proof(result: PathResult, question: Question) -> Iterable[Check]:
    """A key that is known to be revoked may have signed at any time, whatever earlier day is asked about.

    EN 319 102-1 (REVOKED_NO_POE): without a proof that the signature existed before, it counts.
    """
    for certificate, status in result.statuses:
        if status.revoked_at is None or status.is_on_hold or status.revoked_at <= question.at:
            continue  # what is revoked at the time asked about is said already
        detail = f"{certificate.common_name}: since {status.revoked_at.isoformat()}, and no time is proved"
        yield Check("certificate_revocation", Reason.CERTIFICATE_REVOKED, detail=detail)


def _usage_of(certificate: Certificate) -> str:
    extended = certificate.extension(x509.ExtendedKeyUsage)
    purposes = {item.dotted_string for item in extended.value} if extended else set()
    return "signature" if usage("signature").extended in purposes else "seal"

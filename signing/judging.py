"""Judge who signed: what time is proved, whether the certificate held then, and what became of it since.

What a PDF and a file with its signature beside it have in common: the same questions in the same order, so
that they get the same answers. Formats add what is theirs (coverage, changes after signing). The order is
that of EN 319 102-1, 5.5 and 5.6: time-stamps from the outermost inwards, each proving what it covers; the
best signature time is the earliest of those that prove the signature value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from signing import cms
from signing.existence import NO_PROOFS, Proofs, fingerprint_of
from signing.past import HOLD, PathQuestion, survives, validate_in_past
from signing.path import PathResult, validate_path
from signing.path.facts import MAX_REMEMBERED_BYTES, facts_of
from signing.reasons import Reason
from signing.report import Check, Scope
from signing.timestamp import parse_token, verify_timestamp
from signing.usages import usage
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from signing.certificates import Certificate
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.timestamp import TimestampResult, TimestampToken
    from signing.trust import TrustStore

LATEST = datetime(9998, 12, 31, tzinfo=UTC)  # so that a margin can always be added
MAX_TIMESTAMPS = 4  # of one kind, of one signature
CONTENT_TIMESTAMP = "1.2.840.113549.1.9.16.2.20"  # EN 319 122-1, 5.2.8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every signature, in one value. `at` is the time that the verdict "now" is about.

    `proofs` is what is known of the age of things, and `offered` the certificates that came with the document
    outside of its signatures.
    """

    trust: TrustStore
    revocation: RevocationSnapshot
    policy: Policy
    at: datetime
    known_at: datetime
    proofs: Proofs = NO_PROOFS
    offered: tuple[Certificate, ...] = ()

    def __post_init__(self) -> None:
        if self.at > LATEST or self.known_at > LATEST:
            raise UsageError("the time asked about lies beyond the calendar")


@dataclass(frozen=True, slots=True)
class SignerResult:
    """What came of a signer's certificate: for which use, by which path, and the checks."""

    usage: str
    path: tuple[Certificate, ...]
    checks: tuple[Check, ...]


def own_timestamps(signed: cms.SignedData, question: Question) -> list[TimestampResult]:
    """The time-stamps that a signature carries over its own value, verified."""
    tokens = signed.unsigned.get(cms.TIMESTAMP_TOKEN, ())[:MAX_TIMESTAMPS]
    return [judge_token(token, lambda name: known_hash(name, signed.signature), question) for token in tokens]


def content_timestamps(
    signed: cms.SignedData, digest_of: Callable[[str], bytes], question: Question
) -> list[TimestampResult]:
    """The time-stamps over the content that were signed with it: it was signed no earlier than they say.

    `digest_of` gives the content's digest by a hash's name, and nothing for a hash that is not known.
    """
    tokens = signed.attributes.get(CONTENT_TIMESTAMP, ())[:MAX_TIMESTAMPS]
    return [judge_token(token, digest_of, question) for token in tokens]


def judge_token(token: bytes, digest_of: Callable[[str], bytes], question: Question) -> TimestampResult:
    """One token over whatever `digest_of` gives the digest of. Never raises for a bad token."""
    try:
        parsed = parse_token(token)
    except MalformedInput:  # verify_timestamp says so in its checks
        return judge_parsed(token, b"", question)
    return judge_parsed(parsed, digest_of(parsed.digest_algorithm), question)


def judge_parsed(token: bytes | TimestampToken, digest: bytes, question: Question) -> TimestampResult:
    """One token over a digest."""
    return verify_timestamp(
        token,
        digest=digest,
        trust=question.trust,
        revocation=question.revocation,
        policy=question.policy,
        at=question.known_at,
        known_at=question.known_at,
        asked_at=question.at,
        proofs=question.proofs,
        offered=question.offered,
    )


def shown(stamp: TimestampResult) -> dict[str, Any]:
    """A time-stamp as findings show it: `time` where it proves one, and until when it does by itself."""
    authority = stamp.authority
    return {
        "time": stamp.gen_time.isoformat() if stamp.gen_time else None,
        "authority": authority.common_name if authority else None,
        "renew_before": authority.not_after.isoformat() if authority and stamp.gen_time else None,
    }


def counting(stamps: Iterable[TimestampResult], proved: datetime | None) -> list[Check]:
    """The checks of time-stamps that count for the verdict.

    Where another one proves the time, a token that is only not believed (its authority is unknown, ended,
    lost) says nothing and is left out (EN 319 102-1, 5.5.4); one that was tampered with always counts.
    """
    return [
        check
        for stamp in stamps
        if stamp.gen_time or proved is None or not stamp.is_sound
        for check in stamp.checks
    ]


def order_of(
    before: Iterable[TimestampResult], after: Iterable[TimestampResult], policy: Policy
) -> list[Check]:
    """Whether time-stamps that were there first are not later than those that cover them.

    Clocks of two authorities may differ by the policy's `clock_skew`.
    """
    first = [stamp.gen_time for stamp in before if stamp.gen_time]
    then = [stamp.gen_time for stamp in after if stamp.gen_time]
    if not first or not then or max(first) <= min(then) + policy.clock_skew:
        return []
    detail = f"{max(first).isoformat()} is covered by {min(then).isoformat()}"
    return [Check("timestamp_order", Reason.TIMESTAMP_ORDER, detail=detail)]


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
    result, since = _path_of(signed, used, proved, question)
    return SignerResult(used, result.path, (*checks, *result.checks, *since))


def _path_of(
    signed: cms.SignedData, used: str, proved: datetime | None, question: Question
) -> tuple[PathResult, list[Check]]:
    """The signer's path at the proved time, and what speaks against it since."""
    signer, offered = signed.signer, (*signed.others, *question.offered)
    assert signer is not None  # noqa: S101 - asked before
    if proved is None:
        result = validate_path(
            signer,
            offered,
            question.trust,
            at=question.at,
            usage=used,
            revocation=question.revocation,
            policy=question.policy,
            known_at=question.known_at,
        )
        return result, list(_revoked_without_proof(result, question))
    asked = PathQuestion(
        used, proved, question.trust, question.revocation, question.policy, max(question.at, proved),
        question.known_at, _with_signer(signed, proved, question.proofs), offered,
    )  # fmt: skip
    result, objections = validate_in_past(signer, asked, signed=proved)
    checks = [Check("proof_of_existence", one.reason, detail=one.detail) for one in objections]
    checks += _before_the_proof(result, proved, question.policy)
    checks += _revoked_since(result, proved, question)
    return result, checks


def _with_signer(signed: cms.SignedData, proved: datetime, proofs: Proofs) -> Proofs:
    """A proved signature proves its signer's certificate where it names that by hash (RFC 5035)."""
    if signed.signer is None or cms.SIGNING_CERTIFICATE_V2 not in signed.attributes:
        return proofs
    return proofs.adding([signed.signer.fingerprint, fingerprint_of(signed.signature)], proved)


def describe(certificate: Certificate) -> dict[str, Any]:
    """A certificate as findings show it."""
    read = _remembered if len(certificate.der) <= MAX_REMEMBERED_BYTES else _described
    return dict(read(certificate))


def _described(certificate: Certificate) -> dict[str, Any]:
    return {
        "name": certificate.common_name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "fingerprint": certificate.fingerprint,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
    }


_remembered = lru_cache(maxsize=256)(_described)


def known_hash(name: str, *parts: bytes | memoryview) -> bytes:
    """The hash, or nothing for a hash we do not know: nothing equals it, and the algorithm check says why."""
    try:
        return cms.hash_with(name, *parts)
    except UnknownAlgorithm:
        return b""


def _before_the_proof(result: PathResult, proved: datetime, policy: Policy) -> Iterable[Check]:
    """Evidence from before the signature cannot know what happened up to it (EN 319 102-1, 5.2.5)."""
    if not policy.evidence_after_proof:
        return
    for certificate, status in result.statuses[:1]:
        if status.revoked_at is None and status.as_of is not None and status.as_of < proved:
            detail = f"{certificate.common_name}: as of {status.as_of.isoformat()}, before the proved time"
            yield Check("certificate_revocation", Reason.REVOCATION_STALE, detail=detail)


def _revoked_since(result: PathResult, proved: datetime, question: Question) -> Iterable[Check]:
    """A revocation after the proved time changes nothing about then, but it may count now.

    Not where the authority states since when the key is not to be trusted (RFC 5280, 5.3.2): before that
    moment it was, and what is proved to be of that time holds now as well.
    """
    for certificate, status in result.statuses:
        if status.revoked_at is None or not proved < status.revoked_at <= question.at:
            continue
        if status.reason != HOLD and survives(status, proved, question.policy):
            continue
        reason = Reason.CERTIFICATE_ON_HOLD if status.reason == HOLD else Reason.CERTIFICATE_REVOKED
        detail = f"{certificate.common_name}: since {status.revoked_at.isoformat()}, after the proved time"
        yield Check("certificate_revocation", reason, Scope.NOW, detail)


def _revoked_without_proof(result: PathResult, question: Question) -> Iterable[Check]:
    """A key that is known to be revoked may have signed at any time, whatever earlier day is asked about.

    EN 319 102-1 (REVOKED_NO_POE): without a proof that the signature existed before, it counts.
    """
    for certificate, status in result.statuses:
        if status.revoked_at is None or status.reason == HOLD or status.revoked_at <= question.at:
            continue  # what is revoked at the time asked about is said already
        detail = f"{certificate.common_name}: since {status.revoked_at.isoformat()}, and no time is proved"
        yield Check("certificate_revocation", Reason.CERTIFICATE_REVOKED, detail=detail)


def _usage_of(certificate: Certificate) -> str:
    return "signature" if _OF_PEOPLE in (facts_of(certificate).extended or ()) else "seal"


_OF_PEOPLE = usage("signature").extended

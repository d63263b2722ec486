"""Judge one signature of a PDF: its CMS, its time-stamp, its signer's certificate, what came after it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cryptography import x509

from signing import cms
from signing.path import PathResult, validate_path
from signing.pdf._pyhanko import PADES, RFC3161, FoundSignature, Reading
from signing.pdf.evidence import VerifiedSignature, describe
from signing.reasons import Reason
from signing.report import Check, Indication, Scope
from signing.timestamp import parse_token, verify_timestamp
from signing.usages import usage
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.gate import Gap
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.timestamp import TimestampResult
    from signing.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every signature, in one value. `at` is the time that the verdict "now" is about."""

    trust: TrustStore
    revocation: RevocationSnapshot
    policy: Policy
    at: datetime
    known_at: datetime


@dataclass
class Judgement:
    """One signature while it is judged: what was found, what was checked, what it proves."""

    found: FoundSignature
    gap: Gap
    checks: list[Check] = field(default_factory=list)
    signed: cms.SignedData | None = None
    proved_at: datetime | None = None
    changes: str = "none"
    usage: str = ""
    path: tuple[Certificate, ...] = ()

    @property
    def is_timestamp(self) -> bool:
        """Whether it is a document time-stamp: it proves a time, and nobody signs with it."""
        return self.found.kind == RFC3161

    def named_checks(self) -> list[Check]:
        """The checks, under names that say whose they are."""
        return [replace(check, name=f"{self.found.field}/{check.name}") for check in self.checks]

    def evidence(self, *, certifies: bool) -> VerifiedSignature:
        """What it proves, once everything passed."""
        found = self.found
        return VerifiedSignature(
            found.field, self.usage, self.path, self.proved_at, found.claimed_time,
            found.reason, found.location, certifies, self.gap.whole_file, self.gap.covered,
        )  # fmt: skip

    def finding(self, *, certifies: bool) -> dict[str, Any]:
        """What it says, for display."""
        found, signer = self.found, self.signed.signer if self.signed else None
        return {
            "field": found.field,
            "kind": found.kind.lstrip("/"),
            "usage": self.usage,
            "signer": describe(signer) if signer else None,
            "algorithm": self.signed.algorithm_oid if self.signed else "",
            "claimed_time": found.claimed_time.isoformat() if found.claimed_time else None,
            "proved_time": self.proved_at.isoformat() if self.proved_at else None,
            "coverage": "whole_file" if self.gap.whole_file else "revision",
            "changes_after": self.changes,
            "certifies": certifies,
            "reason": found.reason,
            "location": found.location,
            "indication": str(_worst(self.checks)),
        }


def judge_signature(pdf: bytes, judgement: Judgement, question: Question) -> None:
    """Check the CMS and its own time-stamps; the certificate waits until the proved time is known."""
    found = judgement.found
    try:
        judgement.signed = signed = cms.parse(found.contents, padded=True)
    except MalformedInput as exc:
        judgement.checks.append(Check("signature_format", Reason.FORMAT_FAILURE, detail=str(exc)[:200]))
        return
    stamps = _own_timestamps(signed, question)
    times = [stamp.gen_time for stamp in stamps if stamp.gen_time]
    judgement.proved_at = min(times, default=None)
    judgement.checks += cms.check_signature(
        signed,
        _digest(signed.digest_algorithm, judgement.gap, pdf),
        policy=question.policy,
        at=judgement.proved_at or question.at,
        reference_required=found.kind == PADES,
    )
    for stamp in stamps:
        judgement.checks += stamp.checks


def judge_document_timestamp(pdf: bytes, judgement: Judgement, question: Question) -> None:
    """Check a document time-stamp: its token is the whole of its contents."""
    try:
        token = parse_token(judgement.found.contents, padded=True)
    except MalformedInput as exc:
        judgement.checks.append(Check("timestamp_format", Reason.TIMESTAMP_INVALID, detail=str(exc)[:200]))
        return
    judgement.signed = token.signed
    result = verify_timestamp(
        token,
        digest=_digest(token.digest_algorithm, judgement.gap, pdf),
        trust=question.trust,
        revocation=question.revocation,
        policy=question.policy,
        at=question.known_at,
        known_at=question.known_at,
    )
    judgement.usage, judgement.proved_at = "timestamp", result.gen_time
    judgement.checks += result.checks


def judge_certificate(judgement: Judgement, question: Question) -> None:
    """Check the signer's certificate at the proved time, or else at the time asked about."""
    signed, policy, proved = judgement.signed, question.policy, judgement.proved_at
    if signed is None or signed.signer is None:
        return
    if proved is None and policy.require_timestamp:
        judgement.checks.append(Check("timestamp", Reason.TIMESTAMP_MISSING))
    if proved is not None and proved > question.at + policy.clock_skew:
        judgement.checks.append(Check("signing_time", Reason.NOT_YET_VALID, detail=proved.isoformat()))
    judgement.usage = _usage_of(signed.signer)
    result = validate_path(
        signed.signer,
        signed.others,
        question.trust,
        at=proved or question.at,
        usage=judgement.usage,
        revocation=question.revocation,
        policy=policy,
        known_at=question.known_at,
    )
    judgement.path = result.path
    judgement.checks += result.checks
    if proved is not None:
        judgement.checks += _revoked_since(result, proved, question)
    else:
        judgement.checks += _revoked_without_proof(result, question)


def judge_changes(
    reading: Reading, judgement: Judgement, *, is_followed: bool, reaches_furthest: bool
) -> None:
    """Check what came after this signature.

    Archive data (certificates, revocation data, document time-stamps) may follow any signature. Fields
    may be filled, and signatures added, only when somebody's later signature stands for it
    (`is_followed`; a time-stamp is nobody's). Behind the signature that `reaches_furthest` no byte may
    stand that is not of such a revision.
    """
    if judgement.gap.whole_file:
        judgement.checks.append(Check("changes_after_signing"))
        return
    if reading.lenient:
        detail = "the file is not written cleanly, so what was added to it cannot be judged"
        judgement.checks.append(Check("changes_after_signing", Reason.FORMAT_FAILURE, detail=detail))
        return
    review = reading.review(judgement.found)
    judgement.changes, detail = review.level, review.detail
    good = review.level in {"none", "archive"}
    good |= review.level == "form" and is_followed and judgement.found.permission != 1
    if reaches_furthest and review.level == "none":
        good, detail = False, "bytes follow that belong to no revision"
    reason = None if good else Reason.DOCUMENT_CHANGED_AFTER_SIGNING
    judgement.checks.append(Check("changes_after_signing", reason, detail=detail or review.level))


def _own_timestamps(signed: cms.SignedData, question: Question) -> list[TimestampResult]:
    stamps = []
    for token in signed.unsigned.get(cms.TIMESTAMP_TOKEN, ())[:4]:
        try:
            parsed: Any = parse_token(token)
            name = parsed.digest_algorithm
        except MalformedInput:  # verify_timestamp says so in its checks
            parsed, name = token, "sha256"
        digest = _hash(name, signed.signature)
        stamps.append(
            verify_timestamp(
                parsed,
                digest=digest,
                trust=question.trust,
                revocation=question.revocation,
                policy=question.policy,
                at=question.known_at,
                known_at=question.known_at,
            )
        )
    return stamps


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


def _digest(name: str, gap: Gap, pdf: bytes) -> bytes:
    return _hash(name, *gap.signed(pdf))


def _hash(name: str, *parts: bytes | memoryview) -> bytes:
    """The hash, or nothing for a hash we do not know: nothing equals it, and the algorithm check says why."""
    try:
        return cms.hash_with(name, *parts)
    except UnknownAlgorithm:
        return b""


def _worst(checks: list[Check]) -> Indication:
    found = {check.indication for check in checks}
    for indication in (Indication.FAILED, Indication.INDETERMINATE):
        if indication in found:
            return indication
    return Indication.PASSED

"""Sign any file, the signature beside it: CAdES (ETSI EN 319 122-1), levels B-B to B-LTA, as `.p7s`.

    signature = sign(content, signer, now=now, timestamper=authority)
    signature = extend(signature, content, trust, revocation=snapshot, now=now)   # B-LT
    report = verify(signature, content, trust, revocation=snapshot, now=now)

`archive` makes B-LTA, and renews it. Content is bytes, or a file that is read in pieces. Who signed and when
is judged by `signing.judging`, as in a PDF. A file of several signers passes when each of them does; such
files are not written here, and not extended.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from signing import cms, der
from signing.archive_stamp import evidence_inside, judge_archive, with_archive_stamp
from signing.contents import Content, ContentDigest, Given, Hashed, digest_of, plain_digest, whole
from signing.countersigned import countersigned
from signing.existence import evidence_from, is_archived
from signing.judging import (
    Question,
    SignerResult,
    content_timestamps,
    counting,
    describe,
    judge_signer,
    known_hash,
    order_of,
    own_timestamps,
)
from signing.policy import Policy
from signing.policy.demands import demand_checks
from signing.policy.levels import Level, level_of
from signing.reasons import Reason
from signing.report import Check, Evidence, EvidenceKey, Report
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import Conflict, MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.signer import Signer
    from signing.timestamp import Timestamper, TimestampResult
    from signing.trust import TrustStore


__all__ = ["ContentDigest", "VerifiedFile", "archive", "extend", "sign", "verify"]
_NOTHING = RevocationSnapshot()


@dataclass(frozen=True, slots=True)
class VerifiedFile(Evidence):
    """A file whose signature passed.

    `path` goes from the signer's certificate to the anchor; `usage` is "seal" or "signature". `proved_at` is
    the time that a time-stamp proves, `claimed_at` only what the signer says. `content_digest` is the
    file's SHA-256 in hex, empty where only another digest of it was given. `others` signed in the same
    structure, and passed too; which of them comes first says nothing.
    """

    usage: str
    path: tuple[Certificate, ...]
    proved_at: datetime | None
    claimed_at: datetime | None
    content_digest: str
    others: tuple[VerifiedFile, ...] = ()

    @property
    def certificate(self) -> Certificate:
        """The signer's certificate."""
        return self.path[0]

    @property
    def everybody(self) -> tuple[VerifiedFile, ...]:
        """What each signer's signature proves; this one comes first."""
        return (self, *self.others)


def sign(
    content: Content,
    signer: Signer,
    *,
    now: datetime,
    timestamper: Timestamper | None = None,
    inside: bool = False,
) -> bytes:
    """A signature over a file: B-B, or B-T where time-stamps can be had.

    With `inside` the content is carried in the signature. Raises what the signer and the authority raise,
    `UsageError` for content that would make it larger than `cms.MAX_CMS_BYTES`.
    """
    carried = whole(content) if inside else None
    digest = digest_of(cms.cms_digest(signer.algorithm), carried if carried is not None else content)

    def stamp(value: bytes) -> bytes:
        assert timestamper is not None  # noqa: S101 - only handed over when there is one
        return timestamper.stamp(cms.hash_with("sha256", value), digest_algorithm="sha256")

    signed = cms.sign(
        signer,
        digest,
        content=carried,
        attributes=[cms.attribute(cms.SIGNING_TIME, der.time(now))],
        stamp=stamp if timestamper else None,
    )
    if len(signed) > cms.MAX_CMS_BYTES:
        raise UsageError(f"over {cms.MAX_CMS_BYTES} bytes: sign it with the signature beside it")
    return signed


def extend(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    signature: bytes,
    content: Content | None,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    policy: Policy | None = None,
    now: datetime,
) -> bytes:
    """Level B-LT: the same signature with what it takes to judge it later, certificates and evidence.

    `VerificationFailed` unless it passes now; `Conflict` without a time-stamp, because evidence without a
    proved time says nothing later.
    """
    reached = (policy or Policy.default()).without_levels()
    verify(signature, content, trust, revocation=revocation, policy=reached, now=now).require()
    signed = cms.parse(signature)
    carried = _carried(signed)
    merged = revocation.merged_with(carried) if carried else revocation
    question = Question(trust, merged, policy or Policy.default(), now, now)
    archives, question = judge_archive(
        signature, signed, lambda name: _meant(signed, content, name), question
    )
    stamps = [stamp for stamp in (*own_timestamps(signed, question), *archives) if stamp.gen_time]
    if not stamps:
        raise Conflict("a signature without a time-stamp is not extended: sign with one")
    proved = min(stamp.gen_time for stamp in stamps if stamp.gen_time)
    judged = judge_signer(signed, proved, question)
    paths = [judged.path if judged else (), *(stamp.path for stamp in stamps)]
    found = RevocationSnapshot()
    for path in paths:
        found = found.merged_with(question.revocation.about(path))
    return cms.with_evidence(
        signature,
        certificates=[one.der for path in paths for one in path],
        crls=[crl.der for crl in found.crls],
        ocsp=[answer.der for answer in found.ocsp],
    )


def archive(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    signature: bytes,
    content: Content | None,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    timestamper: Timestamper,
    policy: Policy | None = None,
    now: datetime,
) -> bytes:
    """Level B-LTA: extended, and an archive time-stamp over all of it.

    Done again before the authority of the newest time-stamp ends, it lasts as long as that is kept up. Raises
    what `extend` and the authority raise.
    """
    extended = extend(signature, content, trust, revocation=revocation, policy=policy, now=now)
    signed = cms.parse(extended)
    return with_archive_stamp(extended, lambda name: _meant(signed, content, name), timestamper)


def verify(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    signature: bytes,
    content: Content | ContentDigest | None,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    policy: Policy | None = None,
    now: datetime,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> Report[VerifiedFile]:
    """What a signature proves of a file. Never raises for a bad signature.

    `content` is None for a signature that carries its content; when both are there, they must be the same.
    A `ContentDigest` stands for a content that does not leave its owner's hands.
    Times mean what they mean in `signing.pdf.verify`. Evidence that came along is used beside `revocation`.
    """
    question = Question(trust, revocation, policy or Policy.default(), at or now, known_at or now)
    try:
        return _verify_one(signature, content, question)
    except cms.SeveralSigners:
        pass
    try:
        each = cms.apart(signature)
    except MalformedInput as exc:
        return _report(signature, [_unread(exc)], {}, question, None)
    shared = Hashed(content) if content is not None else None
    return _together(signature, [_verify_one(one, shared, question) for one in each], question)


def _verify_one(signature: bytes, content: Given | None, question: Question) -> Report[VerifiedFile]:
    """The report on a structure with one signer. Raises `SeveralSigners` for one with more."""
    checks, findings = list[Check](), dict[str, Any]()
    outcome: _Outcome | None = None
    try:
        signed = cms.parse(signature)
        carried = _carried(signed)
        if carried:
            question = replace(question, revocation=question.revocation.merged_with(carried))
        outcome = _judge(signature, signed, content, carried, question, checks)
        findings = outcome.findings()
        if told := countersigned(signature, signed, question):
            findings["countersignatures"] = told
    except cms.SeveralSigners:
        raise
    except MalformedInput as exc:
        checks.append(_unread(exc))

    def make(key: EvidenceKey) -> VerifiedFile:
        assert outcome and outcome.signer  # noqa: S101, PT018 - it is handed over only then
        who = outcome.signer
        return VerifiedFile(
            key, who.usage, who.path, outcome.proved_at, outcome.claimed_time, outcome.content_digest
        )

    return _report(signature, checks, findings, question, make if outcome and outcome.signer else None)


def _unread(error: MalformedInput) -> Check:
    return Check("format", Reason.FORMAT_FAILURE, detail=str(error)[:300])


def _together(
    signature: bytes, reports: Sequence[Report[VerifiedFile]], question: Question
) -> Report[VerifiedFile]:
    """One report on several signers: it passes when each of them does."""
    names = [f"signer-{number}" for number, _ in enumerate(reports, 1)]
    told = [
        {**report.findings, "field": name, "indication": str(report.indication)}
        for name, report in zip(names, reports, strict=True)
    ]
    for one in told:
        one.setdefault("signer", None)
    checks = [
        replace(check, name=f"{name}/{check.name}")
        for name, report in zip(names, reports, strict=True)
        for check in report.checks
    ]
    digests = {str(one.get("content", "")) for one in told}
    findings = {"signatures": told, "content": digests.pop() if len(digests) == 1 else ""}

    def make(_key: EvidenceKey) -> VerifiedFile:
        first, *others = [report.require() for report in reports]
        return replace(first, others=tuple(others))

    return _report(signature, checks, findings, question, make)


def _report(
    signature: bytes,
    checks: Sequence[Check],
    findings: dict[str, Any],
    question: Question,
    make: Callable[[EvidenceKey], VerifiedFile] | None,
) -> Report[VerifiedFile]:
    snapshots = {"trust": question.trust.snapshot_id, "revocation": question.revocation.snapshot_id}
    return Report(
        subject="cades",
        digest=hashlib.sha256(signature).hexdigest(),
        at=question.at,
        known_at=question.known_at,
        checks=tuple(checks),
        policy=question.policy.hash,
        snapshots=snapshots,
        findings=findings,
        make_evidence=make,
    )


@dataclass(slots=True)
class _Outcome:
    """What judging found, before it is shown."""

    signed: cms.SignedData
    signer: SignerResult | None
    stamps: tuple[TimestampResult, ...]
    claimed_time: datetime | None
    content_digest: str
    level: Level

    @property
    def proved_at(self) -> datetime | None:
        """The earliest time that a time-stamp proves."""
        return min((stamp.gen_time for stamp in self.stamps if stamp.gen_time), default=None)

    def findings(self) -> dict[str, Any]:
        """What it says, for display."""
        signer, proved, claimed = self.signed.signer, self.proved_at, self.claimed_time
        return {
            "usage": self.signer.usage if self.signer else "",
            "signer": describe(signer) if signer else None,
            "algorithm": self.signed.algorithm_oid,
            "claimed_time": claimed.isoformat() if claimed else None,
            "proved_time": proved.isoformat() if proved else None,
            "content": self.content_digest,
            "level": str(self.level),
        }


def _judge(  # noqa: PLR0913, PLR0917 - one signature in its parts, and what was made of them
    signature: bytes,
    signed: cms.SignedData,
    content: Given | None,
    carried: RevocationSnapshot | None,
    question: Question,
    checks: list[Check],
) -> _Outcome:
    digest, plain = _content_digests(signed, content, checks)

    def digest_of(name: str) -> bytes:
        return _meant(signed, content, name)

    archives, question = judge_archive(signature, signed, digest_of, question)
    own = own_timestamps(signed, question)
    stamps = (*own, *archives)
    proved = min((stamp.gen_time for stamp in stamps if stamp.gen_time), default=None)
    checks += cms.check_signature(signed, digest, policy=question.policy, at=proved or question.at)
    checks += counting(stamps, proved)
    before = content_timestamps(signed, digest_of, question)
    checks += [replace(one, name=f"content_{one.name}") for one in counting(before, proved)]
    checks += [*order_of(before, stamps, question.policy), *order_of(own, archives, question.policy)]
    claimed = _claimed_time(signed, checks)
    signer = judge_signer(signed, proved, question)
    checks += signer.checks if signer else ()
    path, carried = signer.path if signer else (), carried or _NOTHING
    level = level_of(
        path,
        proved=proved,
        carried=carried,
        certificates=signed.others if proved else (),
        is_archived=bool(archives) and is_archived(carried, path, question.proofs),
    )
    checks += demand_checks(question.policy, level=level, usage=signer.usage if signer else "")
    return _Outcome(signed, signer, stamps, claimed, plain, level)


def _meant(signed: cms.SignedData, content: Given | None, name: str) -> bytes:
    """The hash of the content that is meant, given or carried; nothing where there is none."""
    given = signed.content if content is None else content
    return b"" if given is None else digest_of(name, given)


def _content_digests(signed: cms.SignedData, content: Given | None, checks: list[Check]) -> tuple[bytes, str]:
    """The hash that the signature names, and SHA-256 in hex where it can be had, over the content meant."""
    given = signed.content if content is None else content
    if given is None:
        checks.append(Check("content", Reason.SIGNED_DATA_NOT_FOUND))
        return b"", ""
    plain = digest_of("sha256", given)
    digest = plain if signed.digest_algorithm == "sha256" else digest_of(signed.digest_algorithm, given)
    if (
        content is not None
        and signed.content is not None
        and digest != known_hash(signed.digest_algorithm, signed.content)
    ):
        checks.append(Check("content", Reason.HASH_FAILURE, detail="another content is carried inside"))
    stand_in = plain_digest(content) if content is not None else None
    if stand_in and stand_in.algorithm != signed.digest_algorithm:
        detail = f"{stand_in.algorithm} was given, the signature is over {signed.digest_algorithm}"
        checks.append(Check("content", Reason.SIGNED_DATA_NOT_FOUND, detail=detail))
    return digest, plain.hex()


def _claimed_time(signed: cms.SignedData, checks: list[Check]) -> datetime | None:
    """The signer's own time (EN 319 122-1, 5.2.1): one, readable, and demanded of a CAdES signature."""
    values = signed.attributes.get(cms.SIGNING_TIME, ())
    try:
        (value,) = values
        return der.read_time(der.read_whole(value))
    except (ValueError, MalformedInput):
        detail = "no signing time" if not values else "a signing time that cannot be read"
        checks.append(Check("signing_time", Reason.SIG_CONSTRAINTS_FAILURE, detail=detail))
        return None


def _carried(signed: cms.SignedData) -> RevocationSnapshot | None:
    """The evidence that came along, or None; what does not parse is none."""
    crls, ocsp = evidence_inside(signed)
    if not signed.crls and not signed.ocsp and not crls and not ocsp:
        return None
    return evidence_from((*signed.crls, *crls), (*signed.ocsp, *ocsp))

"""Verify a PDF: every signature in it, what each covers, what came after, who stands behind, and when.

A pure function of the file, the snapshots, the policy and the times given. The byte-level gate
(`signing.pdf.gate`) comes before any parser's opinion, and nothing in a file makes it raise.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from signing import cms
from signing.judging import Question
from signing.pdf.evidence import VerifiedDocument
from signing.pdf.gate import Gap, examine, overlap
from signing.pdf.judge import (
    Judgement,
    judge_certificate,
    judge_changes,
)
from signing.pdf.profiles.judging import judge_copies, judge_statements
from signing.pdf.proving import judge_archive, judge_times
from signing.pdf.reading import RFC3161, FoundSignature, Reading
from signing.pdf.revisions.readers import whole_fault
from signing.policy import Policy
from signing.policy.demands import demand_checks
from signing.policy.levels import Level, level_of
from signing.reasons import Reason
from signing.report import Check, EvidenceKey, Report
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import RevocationSnapshot
    from signing.trust import TrustStore

MAX_PDF_BYTES = 64 << 20
MAX_SIGNATURES = 64
MAX_ATTACHMENTS, MAX_ATTACHMENT_BYTES = 64, 32 << 20


def verify(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    pdf: bytes,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    policy: Policy | None = None,
    now: datetime,
    at: datetime | None = None,
    known_at: datetime | None = None,
    max_bytes: int = MAX_PDF_BYTES,
) -> Report[VerifiedDocument]:
    """What a PDF proves. Never raises for a bad file.

    Each signature is judged at the time that a time-stamp proves, else at `at` (the time the question is
    about, `now` when not given); facts later than `known_at` do not count. The report has two verdicts:
    a certificate revoked after the proved time leaves `then` passed. A document with several signatures
    passes only when all of them do. `findings` holds "signatures" and "attachments" (name to SHA-256).
    """
    policy = policy or Policy.default()
    question = Question(trust, revocation, policy, at or now, known_at or now)
    checks: list[Check] = []
    findings: dict[str, Any] = {"signatures": [], "attachments": {}}
    evidence: dict[str, Any] = {}
    digest = cms.hash_with("sha256", pdf).hex()
    try:
        _limit(pdf, max_bytes)
        _verify(pdf, question, checks, findings, evidence)
    except TooLarge as exc:
        checks.append(Check("limits", Reason.TOO_LARGE, detail=str(exc.detail or exc)[:300]))
    except MalformedInput as exc:
        checks.append(Check("format", Reason.FORMAT_FAILURE, detail=str(exc)[:300]))

    def make(key: EvidenceKey) -> VerifiedDocument:
        return VerifiedDocument(key, evidence["signatures"], evidence["attachments"], digest)

    return Report(
        subject="pdf",
        digest=digest,
        at=question.at,
        known_at=question.known_at,
        checks=tuple(checks),
        policy=policy.hash,
        snapshots={"trust": trust.snapshot_id, "revocation": revocation.snapshot_id},
        findings=findings,
        make_evidence=make if "attachments" in evidence else None,
    )


def attachments(pdf: bytes, *, max_bytes: int = MAX_PDF_BYTES) -> dict[str, bytes]:
    """The embedded files of the last signed revision, by name; none for a file without a signature.

    Nothing is verified here: `verify(...).require().attachments` holds the same, proved. Raises
    `MalformedInput` and `TooLarge`.
    """
    _limit(pdf, max_bytes)
    reading = Reading(pdf)
    if reading.encrypted:
        raise MalformedInput("pdf", "it is encrypted")
    return _attachments(reading, reading.signatures())


def certificate_chains(pdf: bytes, *, max_bytes: int = MAX_PDF_BYTES) -> list[tuple[Certificate, ...]]:
    """The certificates that each signature brings, from the signer's upwards as far as names chain.

    For explaining a file; nothing is verified here. Signatures that do not parse are left out. Raises
    `MalformedInput` and `TooLarge`.
    """
    _limit(pdf, max_bytes)
    chains = []
    for found in Reading(pdf).signatures():
        try:
            signed = cms.parse(found.contents, padded=True)
        except MalformedInput:
            continue
        if signed.signer and found.kind != RFC3161:
            chains.append(_upwards(signed.signer, signed.others))
    return chains


def judge(pdf: bytes, question: Question) -> tuple[list[Judgement], Question]:
    """The signatures of a PDF that `verify` passed, judged one by one, for who goes on working with them.

    The question comes back with what the file brings along. Raises as `verify` does not.
    """
    reading = Reading(pdf)
    judgements = _gated(pdf, reading.signatures(), [])
    question = judge_times(pdf, reading, judgements, question)
    for item in judgements:
        if not item.is_timestamp:
            judge_certificate(item, question)
    return judgements, question


def _upwards(leaf: Certificate, others: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    chain = [leaf]
    while not chain[-1].is_self_issued:
        above = next((one for one in others if one not in chain and chain[-1].is_issued_by(one)), None)
        if above is None:
            break
        chain.append(above)
    return tuple(chain)


def _verify(
    pdf: bytes, question: Question, checks: list[Check], findings: dict[str, Any], evidence: dict[str, Any]
) -> None:
    """Fill the lists as far as the file allows; what stops it is raised."""
    reading = Reading(pdf)
    if reading.encrypted:
        checks.append(Check("encryption", Reason.ENCRYPTED_DOCUMENT))
        return
    if fault := whole_fault(reading.document):
        checks.append(Check("format", Reason.FORMAT_FAILURE, detail=fault))
    found = reading.signatures()
    if len(found) > MAX_SIGNATURES:
        raise TooLarge("pdf", f"more than {MAX_SIGNATURES} signatures")
    if not any(item.kind != RFC3161 for item in found):
        checks.append(Check("signatures", Reason.NO_SIGNATURE))
    certified = reading.certified_by()
    if certified and certified not in {item.reference for item in found}:
        detail = "the catalogue names a certification signature that no field shows"
        checks.append(Check("signatures", Reason.COVERAGE_INCOMPLETE, detail=detail))
    checks += [
        Check(f"{name or 'nameless'}/coverage", Reason.UNSUPPORTED_SIGNATURE, detail="no form field shows it")
        for name in (reading.strays(len(found)) if found else ())
    ]
    judgements = _gated(pdf, found, checks)
    _judge(pdf, reading, judgements, question)
    levels = {(item.found.field, item.gap.start): _demand(item, question.policy) for item in judgements}
    _lend_nothing(judgements)
    for item in judgements:
        certifies = _certifies(item, certified)
        level = levels[item.found.field, item.gap.start]
        checks += item.named_checks()
        found_level = str(level) if level else None
        findings["signatures"].append({**item.finding(certifies=certifies), "level": found_level})
    files = _attachments(reading, found)
    findings["attachments"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    checks += judge_copies(judgements, findings["attachments"])
    evidence["signatures"] = tuple(
        item.evidence(certifies=_certifies(item, certified))
        for item in judgements
        if not item.is_timestamp and item.path
    )
    evidence["attachments"] = MappingProxyType(files)


def _certifies(item: Judgement, named: tuple[int, int] | None) -> bool:
    """Whether it is a certification: the catalogue names it, and it says so itself (ISO 32000-2, 12.8.4).

    The catalogue alone could name a signature that was meant as an approval, before it was put on.
    """
    return named is not None and item.found.reference == named and item.found.permissions.certifies


def _limit(pdf: bytes, max_bytes: int) -> None:
    if len(pdf) > max_bytes:
        raise TooLarge("pdf", f"over {max_bytes} bytes")


def _gated(pdf: bytes, found: tuple[FoundSignature, ...], checks: list[Check]) -> list[Judgement]:
    """The signatures that the byte-level gate lets through; for each of the others a check says why not."""
    shared = {ref for ref, count in Counter(item.reference for item in found).items() if ref and count > 1}
    judgements: list[Judgement] = []
    for item in found:
        name = f"{item.field}/coverage"
        if item.oddity:
            checks.append(Check(name, Reason.COVERAGE_INCOMPLETE, detail=item.oddity))
            continue
        if item.problem is not None:
            checks.append(Check(name, Reason.UNSUPPORTED_SIGNATURE, detail=item.problem))
            continue
        if item.reference in shared:
            checks.append(Check(name, Reason.SIGNATURE_SHARED))
        gap = examine(pdf, byte_range=item.byte_range, contents=item.contents, offset=item.offset)
        if isinstance(gap, Gap):
            judgements.append(Judgement(item, gap, [Check("coverage")]))
        else:
            checks.append(Check(name, Reason.COVERAGE_INCOMPLETE, detail=gap))
    own = [item.gap for item in judgements if item.found.reference not in shared]
    if overlap(own):
        detail = "two signatures leave out the same bytes"
        checks.append(Check("signatures/coverage", Reason.COVERAGE_INCOMPLETE, detail=detail))
    return judgements


def _judge(pdf: bytes, reading: Reading, judgements: list[Judgement], question: Question) -> None:
    question = judge_times(pdf, reading, judgements, question)
    judge_statements(judgements)
    signatures = [item for item in judgements if not item.is_timestamp]
    for item in signatures:
        judge_certificate(item, question)
        judge_archive(item, question)
    ends = [item.gap.covered for item in judgements]
    furthest = max(ends, default=0)
    last = max((item.gap.covered for item in signatures), default=0)
    for item in judgements:
        covered = item.gap.covered
        judge_changes(
            reading,
            item,
            ends,
            question.policy,
            is_followed=covered < last,
            reaches_furthest=covered == furthest,
        )


def _demand(item: Judgement, policy: Policy) -> Level | None:
    """Check what the policy demands of a signature, and say how far it goes."""
    level = _level(item)
    if level:
        item.checks += demand_checks(policy, level=level, usage=item.usage, changes=item.changes)
    return level


def _lend_nothing(judgements: list[Judgement]) -> None:
    """Whoever stands for what came behind earlier signatures has to be good, or those are not good either."""
    signatures = [item for item in judgements if not item.is_timestamp]
    last = max(signatures, key=lambda item: item.gap.covered, default=None)
    for item in signatures:
        if last is not None and item is not last and item.changes == "form":
            item.checks += [
                replace(one, name="later_signer", detail=f"{last.found.field}: {one.detail}"[:300])
                for one in last.checks
                if one.reason
            ]


def _level(item: Judgement) -> Level | None:
    """What the signature brings along; None for a time-stamp, and for one that cannot be read."""
    if item.is_timestamp or item.signed is None:
        return None
    return level_of(
        item.path,
        proved=item.proved_at,
        carried=item.carried,
        certificates=item.brought,
        is_archived=item.is_archived,
    )


def _attachments(reading: Reading, found: tuple[FoundSignature, ...]) -> dict[str, bytes]:
    covered = max((item.covered for item in found), default=0)
    if not 0 < covered <= reading.document.size:
        return {}
    return reading.attachments(covered, limit=MAX_ATTACHMENTS, max_bytes=MAX_ATTACHMENT_BYTES)

"""A file and the signature beside it (CMS, `.p7s`), or the file's digest alone: what the signature says.

The work of a worker process, like a PDF's: signatures are files of strangers too. The answer is JSON and
becomes checks again here. No licence is in such a file as far as we know, so the register is not asked.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from signing import detached
from signing.reasons import Reason
from signing.report import Check, Scope
from verify_api.documents import SIGNATURE_MEMBERS, Examined, Kind, organisations, revive
from verify_api.lacking import with_lacking
from verify_api.questions import DIGEST_NAMES
from verify_api.workers import OutcomeState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.report import Report
    from verify_api.documents import Material
    from verify_api.questions import Question
    from verify_api.workers import Outcome


def examine_signature(
    shared: tuple[Any, ...], signature: bytes, document: bytes | None, digest: str | None, now: datetime
) -> dict[str, Any]:
    """Verify a signature over a document, over one of which only the digest (hex) is known, or by itself."""
    trust, revocation, policy = revive(shared)
    content: bytes | detached.ContentDigest | None = document
    if digest is not None:
        content = detached.ContentDigest(DIGEST_NAMES[len(digest)], bytes.fromhex(digest))
    report = detached.verify(signature, content, trust, revocation=revocation, policy=policy, now=now)
    found = report.findings
    answer: dict[str, Any] = {
        "checks": [
            [
                one.name,
                one.reason.name if one.reason else None,
                str(one.scope),
                one.detail,
                list(one.evidence),
            ]
            for one in report.checks
        ],
        "policy": report.policy,
        "snapshots": dict(report.snapshots),
        "signatures": [_shown(one, report) for one in found.get("signatures", [found])],
        "content": found.get("content") or report.digest,
    }
    if report.passed:
        signers = report.require().everybody
        answer["signed_by"] = [code for one in signers for code in organisations(one.certificate)]
    return with_lacking(answer, signature)


def _shown(found: Mapping[str, Any], report: Report[detached.VerifiedFile]) -> dict[str, Any]:
    """One signature as reports show it."""
    plain = {name: found.get(name) for name in SIGNATURE_MEMBERS}
    said = {
        "field": found.get("field", ""),
        "signer": (found.get("signer") or {}).get("name"),
        "coverage": "whole_file",
        "indication": found.get("indication", str(report.indication)),
    }
    return plain | said


def read_outcome(question: Question, outcome: Outcome, material: Material) -> Examined:
    """What a signature says, from what its worker process answered; the digest is the content's."""
    if outcome.state is not OutcomeState.DONE:
        slow = outcome.state is OutcomeState.TOO_SLOW
        check = Check("document", Reason.TOO_SLOW if slow else Reason.CHECK_ABORTED)
        digest = hashlib.sha256(question.document or question.signature or b"").hexdigest()
        return Examined(Kind.SIGNED, digest, (check,), material.policy_hash)
    answer: dict[str, Any] = outcome.value
    checks = tuple(
        Check(name, Reason[reason] if reason else None, Scope(scope), detail, tuple(evidence))
        for name, reason, scope, detail, evidence in answer["checks"]
    )
    return Examined(
        Kind.SIGNED,
        answer["content"],
        checks,
        answer["policy"],
        answer["snapshots"],
        signatures=tuple(answer["signatures"]),
        signed_by=tuple(answer.get("signed_by", ())),
    )

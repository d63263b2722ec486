"""Countersignatures (RFC 5652, 11.4): who signed a signature, each with a verdict of its own.

They count for no verdict on what was signed: they stand outside of it, so anybody may add or remove one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signing import cms
from signing.judging import counting, describe, judge_signer, known_hash, own_timestamps
from signing.report import Indication, worst
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from signing.judging import Question


def countersigned(signature: bytes, signed: cms.SignedData, question: Question) -> list[dict[str, Any]]:
    """The countersignatures of a signature, as reports show them; `signed` is what `cms.parse` read in it.

    Never raises for what is in them. Those of countersignatures are not looked at.
    """
    return [_judged(one, signed.signature, question) for one in cms.countersignatures(signature, signed)]


def _judged(structure: bytes, value: bytes, question: Question) -> dict[str, Any]:
    try:
        counter = cms.parse(structure)
    except MalformedInput:
        return {"signer": None, "indication": str(Indication.FAILED)}
    stamps = own_timestamps(counter, question)
    proved = min((stamp.gen_time for stamp in stamps if stamp.gen_time), default=None)
    digest, at = known_hash(counter.digest_algorithm, value), proved or question.at
    checks = [
        *cms.check_signature(counter, digest, content_type=None, policy=question.policy, at=at),
        *counting(stamps, proved),
    ]
    signer = judge_signer(counter, proved, question)
    checks += signer.checks if signer else ()
    return {
        "usage": signer.usage if signer else "",
        "signer": describe(counter.signer) if counter.signer else None,
        "proved_time": proved.isoformat() if proved else None,
        "indication": str(worst(checks)),
    }

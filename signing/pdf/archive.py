"""Keep a sealed PDF provable: its evidence goes into the file, and a document time-stamp covers all of it.

PAdES B-LTA (EN 319 142-1, 6.3). Done once after sealing, and again before the authority of the newest
time-stamp ends, a document stays provable by itself for as long as that is kept up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.judging import Question
from signing.pdf.document_stamp import stamp_document
from signing.pdf.store import Store
from signing.pdf.verify import judge, verify
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.judge import Judgement
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore


def archive(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    pdf: bytes,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    timestamper: Timestamper,
    policy: Policy | None = None,
    now: datetime,
) -> bytes:
    """The document with what it takes to judge it later, stamped as a whole; `pdf` is a prefix of it.

    Raises `VerificationFailed` unless it passes now, `Conflict` where a signature forbids any addition, and
    what the time-stamp authority raises.
    """
    policy = policy or Policy.default()
    verify(pdf, trust, revocation=revocation, policy=policy.without_levels(), now=now).require()
    judgements, question = judge(pdf, Question(trust, revocation, policy, now, now))
    if any(item.found.permission == 1 for item in judgements):
        raise Conflict("a signature forbids any addition (DocMDP level 1)")
    paths = list(_paths(judgements))
    found = RevocationSnapshot()
    for path in paths:
        found = found.merged_with(question.revocation.about(path))
    store = Store(
        tuple(dict.fromkeys(one.der for path in paths for one in path)),
        tuple(crl.der for crl in found.crls),
        tuple(answer.der for answer in found.ocsp),
    )
    return stamp_document(pdf, timestamper, store=store)


def _paths(judgements: list[Judgement]) -> Iterable[tuple[Certificate, ...]]:
    for item in judgements:
        yield item.path
        yield from (stamp.path for stamp in item.stamps)

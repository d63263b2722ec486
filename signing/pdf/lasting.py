"""Until when a sealed document stays provable by itself, and what ends then.

A signature holds as long as its signer's certificate: afterwards no list speaks of that any more. Where the
file brings the evidence along (PAdES B-LT and B-LTA) it holds as long as the authority of the longest
time-stamp that proves it, its own or one of the document that covers it. Whoever stamps a document
(`signing.pdf.archive`) before that day keeps it provable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from signing.held import HeldFile
from signing.judging import Question
from signing.pdf.verify import MAX_PDF_BYTES, judge, verify
from signing.policy import Policy
from signing.policy.levels import Level
from yinxin.base.files import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.judge import Judgement
    from signing.revocation import RevocationSnapshot
    from signing.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Lasting:
    """The end of a proof: when, of which field, and whose certificate or algorithm ends.

    `level` is that of the signature (EN 319 142-1, 6): from B-LT on a time-stamp carries the proof.
    """

    until: datetime
    field: str
    ends: str
    level: Level


def lasting(
    pdf: bytes | HeldFile,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    policy: Policy | None = None,
    now: datetime,
) -> Lasting:
    """The end of the document's proof: that of the signature which ends first.

    Revocations that are not known yet may end it earlier. Raises `VerificationFailed` unless it passes now.
    """
    policy, octets = policy or Policy.default(), cast("bytes", pdf)  # a held file answers as octets do
    report = verify(
        octets, trust, revocation=revocation, policy=policy.without_levels(), now=now, max_bytes=most_of(pdf)
    )
    report.require()
    levels = {one["field"]: one["level"] for one in report.findings["signatures"]}
    judgements, _ = judge(octets, Question(trust, revocation, policy, now, now))
    return min(
        (_of(item, Level(levels[item.found.field]), policy) for item in judgements if not item.is_timestamp),
        key=lambda one: one.until,
    )


def most_of(pdf: bytes | HeldFile) -> int:
    """How many octets of it are judged: a file that is held may be larger."""
    return MAX_FILE_BYTES if isinstance(pdf, HeldFile) else MAX_PDF_BYTES


def _of(item: Judgement, level: Level, policy: Policy) -> Lasting:
    until, name = min(_ends(item.path, policy))
    if level.reaches(Level.B_LT):
        paths = [stamp.path for stamp in item.stamps if stamp.gen_time is not None and stamp.path]
        until, name = max((min(_ends(path, policy)) for path in paths), default=(until, name))
    return Lasting(until, item.found.field, name, level)


def _ends(path: tuple[Certificate, ...], policy: Policy) -> Iterator[tuple[datetime, str]]:
    """What ends on a path, and whose it is; the anchor's own end is nothing that a proof hangs on."""
    for certificate in [one for one in path if not one.is_self_issued] or path:
        yield certificate.not_after, certificate.common_name
        key = certificate.public_key
        end = policy.end_of(key.default_algorithm, key)
        if end is not None:
            yield end, f"{certificate.common_name}, {key.default_algorithm.name}"

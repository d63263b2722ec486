"""Keep a sealed PDF provable: its evidence goes into the file, and a document time-stamp covers all of it.

PAdES B-LTA (EN 319 142-1, 6.3). Done once after sealing, and again before the authority of the newest
time-stamp ends, a document stays provable by itself for as long as that is kept up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.judging import Question
from signing.pdf._pyhanko import Store, prepare_archive
from signing.pdf.verify import judge, verify
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import Conflict, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.judge import Judgement
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore

TOKEN_ROOM, MAX_TOKEN_BYTES = 8 * 1024, 128 * 1024


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
    return _stamped(pdf, store, timestamper, TOKEN_ROOM)


def _stamped(pdf: bytes, store: Store, timestamper: Timestamper, room: int) -> bytes:
    prepared = prepare_archive(pdf, store, reserve=room)
    token = timestamper.stamp(prepared.digest, digest_algorithm="sha256")
    if len(token) > MAX_TOKEN_BYTES:
        raise TooLarge("timestamp", f"a token over {MAX_TOKEN_BYTES} bytes")
    if len(token) > room:  # this authority's tokens are larger than most
        return _stamped(pdf, store, timestamper, len(token) + 512)
    return prepared.fill(token)


def _paths(judgements: list[Judgement]) -> Iterable[tuple[Certificate, ...]]:
    for item in judgements:
        yield item.path
        yield from (stamp.path for stamp in item.stamps)

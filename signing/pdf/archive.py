"""Keep a sealed PDF provable: its evidence goes into the file, and a document time-stamp covers all of it.

PAdES B-LT and B-LTA (EN 319 142-1, 6.3). With its evidence a document is provable by itself until the
authority of its time-stamp ends. Stamped as a whole, and again before the authority of the newest time-stamp
ends, it stays so for as long as that is kept up.
"""

from __future__ import annotations

from os import SEEK_END
from typing import IO, TYPE_CHECKING, Required, TypedDict, cast

from signing.held import HeldFile
from signing.judging import Question
from signing.pdf.document_stamp import stamp_document, stamp_document_in
from signing.pdf.lasting import most_of
from signing.pdf.store import Store
from signing.pdf.verify import judge, verify
from signing.pdf.writers import by_first
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Unpack

    from signing.certificates import Certificate
    from signing.pdf.judge import Judgement
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore


def extend(pdf: bytes, trust: TrustStore, **asked: Unpack[StandsOn]) -> bytes:
    """Level B-LT: the document with what it takes to judge it later; `pdf` is a prefix of it.

    Raises `VerificationFailed` unless it passes now, and `Conflict` where a signature forbids any addition or
    has no time-stamp: evidence without a proved time says nothing later.
    """
    return pdf + _more(pdf, trust, **asked)


def extend_in(file: IO[bytes], trust: TrustStore, **asked: Unpack[StandsOn]) -> None:
    """As `extend`, in an open file that nobody else has, in place; little of it is in memory at a time."""
    file.flush()
    more = _more(HeldFile.of(file, file.seek(0, SEEK_END)), trust, **asked)
    file.seek(0, SEEK_END)
    file.write(more)
    file.flush()


def archive(pdf: bytes, trust: TrustStore, *, timestamper: Timestamper, **asked: Unpack[StandsOn]) -> bytes:
    """The document with what it takes to judge it later, stamped as a whole; `pdf` is a prefix of it.

    Raises `VerificationFailed` unless it passes now, `Conflict` where a signature forbids any addition, and
    what the time-stamp authority raises.
    """
    store, _ = _evidence(pdf, trust, **asked)
    return stamp_document(pdf, timestamper, store=store)


def archive_in(
    file: IO[bytes], trust: TrustStore, *, timestamper: Timestamper, **asked: Unpack[StandsOn]
) -> None:
    """As `archive`, in an open file that nobody else has, in place; little of it is in memory at a time."""
    file.flush()
    held = HeldFile.of(file, file.seek(0, SEEK_END))
    store, _ = _evidence(held, trust, **asked)
    stamp_document_in(file, timestamper, store=store)


class StandsOn(TypedDict, total=False):
    """What a document is judged by: evidence, the policy (the usual one when not given), the time."""

    revocation: Required[RevocationSnapshot]
    policy: Policy | None
    now: Required[datetime]


def _more(pdf: bytes | HeldFile, trust: TrustStore, **asked: Unpack[StandsOn]) -> bytes:
    """The update that brings the evidence; nothing where all of it is there."""
    store, judgements = _evidence(pdf, trust, **asked)
    for item in judgements:
        if not item.is_timestamp and not any(stamp.gen_time for stamp in item.stamps):
            raise Conflict(f"the signature {item.found.field!r} has no time-stamp: put one on first")
    return by_first(pdf, lambda editing: editing.keep(store))


def _evidence(
    pdf: bytes | HeldFile,
    trust: TrustStore,
    *,
    revocation: RevocationSnapshot,
    policy: Policy | None = None,
    now: datetime,
) -> tuple[Store, list[Judgement]]:
    """All that its signatures and time-stamps were judged by, and what was found of them."""
    policy, octets = policy or Policy.default(), cast("bytes", pdf)  # a held file answers as octets do
    verify(
        octets, trust, revocation=revocation, policy=policy.without_levels(), now=now, max_bytes=most_of(pdf)
    ).require()
    judgements, question = judge(octets, Question(trust, revocation, policy, now, now))
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
    return store, judgements


def _paths(judgements: list[Judgement]) -> Iterable[tuple[Certificate, ...]]:
    for item in judgements:
        yield item.path
        yield from (stamp.path for stamp in item.stamps)

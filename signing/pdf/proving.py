"""What the time-stamps of a PDF prove: document time-stamps from the outermost inwards (PAdES B-LTA).

A document time-stamp covers every byte before it: signatures, earlier time-stamps, and the certificates and
revocation evidence that were kept in the file by then. It may be old itself, and hold because a newer one
covers it (EN 319 102-1, 5.6.3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from signing import cms
from signing.existence import certificates_from, evidence_from, fingerprint_of, is_archived, parts_of
from signing.judging import counting, order_of
from signing.pdf.judge import judge_document_timestamp, judge_signature
from signing.pdf.store import Store
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.judging import Question
    from signing.pdf.judge import Judgement
    from signing.pdf.reading import Reading
    from signing.timestamp import TimestampResult


def judge_times(pdf: bytes, reading: Reading, judgements: list[Judgement], question: Question) -> Question:
    """Judge time-stamps and signatures, certificates of signers apart: when was what.

    The answer is the question with what the file brings along: evidence, certificates and proofs.
    """
    question = _with_evidence(reading, judgements, question)
    stamps = sorted((item for item in judgements if item.is_timestamp), key=lambda item: -item.gap.covered)
    for stamp in stamps:
        judge_document_timestamp(pdf, stamp, question)
        if stamp.proved_at is not None:
            covered = [*_kept_before(reading, stamp), *_covered(judgements, stamp)]
            question = replace(question, proofs=question.proofs.adding(covered, stamp.proved_at))
    signatures = [item for item in judgements if not item.is_timestamp]
    for item in signatures:
        later = [stamp for stamp in reversed(stamps) if stamp.gap.start >= item.gap.covered]
        judge_signature(pdf, item, [result for stamp in later for result in stamp.stamps], question)
    _count(stamps, signatures, question)
    return question


def judge_archive(judgement: Judgement, question: Question) -> None:
    """Whether a time-stamp of the document covers the evidence that came along for one signature."""
    judgement.is_archived = is_archived(judgement.carried, judgement.path, question.proofs)


def _with_evidence(reading: Reading, judgements: list[Judgement], question: Question) -> Question:
    store = reading.store()
    signed = [one for item in judgements for one in _structures(item)]
    found = evidence_from(
        (*store.crls, *(crl for one in signed for crl in one.crls)),
        (*store.ocsp, *(answer for one in signed for answer in one.ocsp)),
    )
    if not found.crls and not found.ocsp and not store.certificates:
        return question
    kept = certificates_from(store.certificates)
    for item in judgements:
        item.carried, item.kept = found, kept
    offered = (*question.offered, *kept)
    return replace(question, revocation=question.revocation.merged_with(found), offered=offered)


def _kept_before(reading: Reading, stamp: Judgement) -> Iterator[str]:
    """What the file kept when it was stamped.

    Read in the covered bytes alone, by their own table: what was written later is not found in them.
    """
    try:
        store = reading.store_at(stamp.gap.covered)
    except MalformedInput:
        store = Store()
    return (fingerprint_of(one) for one in (*store.certificates, *store.crls, *store.ocsp))


def _covered(judgements: list[Judgement], stamp: Judgement) -> Iterator[str]:
    for item in judgements:
        if item.gap.covered <= stamp.gap.start:
            for signed in _structures(item):
                yield from parts_of(signed)


def _structures(item: Judgement) -> Iterator[cms.SignedData]:
    """A signature's CMS, and those of the time-stamps in it; what does not parse is left out."""
    try:
        signed = item.structure
    except MalformedInput:
        return
    yield signed
    for token in signed.unsigned.get(cms.TIMESTAMP_TOKEN, ()):
        try:
            yield cms.parse(token)
        except MalformedInput:
            continue


def _count(stamps: list[Judgement], signatures: list[Judgement], question: Question) -> None:
    """Which checks of document time-stamps count, and whether their times follow each other."""
    for number, stamp in enumerate(stamps):
        below = [item.proved_at for item in signatures if item.gap.covered <= stamp.gap.start]
        needless = max(below) if below and None not in below else None  # type: ignore[type-var]
        stamp.checks += counting(stamp.stamps, needless)
        outer: list[TimestampResult] = [result for one in stamps[:number] for result in one.stamps]
        stamp.checks += order_of(stamp.stamps, outer, question.policy)

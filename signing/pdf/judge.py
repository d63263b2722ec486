"""Judge one signature of a PDF: its CMS, its time-stamp, its signer's certificate, what came after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from signing import cms
from signing.judging import (
    Question,
    content_timestamps,
    counting,
    describe,
    judge_parsed,
    judge_signer,
    known_hash,
    order_of,
    own_timestamps,
    shown,
)
from signing.pdf.evidence import VerifiedSignature
from signing.pdf.profiles.judging import NOTHING_SAID, Said
from signing.pdf.reading import PADES, RFC3161, FoundSignature, Reading
from signing.pdf.revisions.changes import legible
from signing.pdf.revisions.fields import ANNOTATIONS, Permissions
from signing.reasons import Reason
from signing.report import Check, Indication
from signing.revocation import RevocationSnapshot
from signing.timestamp import parse_token
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.gate import Gap
    from signing.pdf.revisions.changes import Told
    from signing.pdf.revisions.history import Review
    from signing.policy import Policy
    from signing.timestamp import TimestampResult

MAX_LINE_ENDS = 16  # in bytes, behind a signed file
MAX_TOLD = 64  # fillings and notes that a finding tells of
_UNSAID: dict[str, Any] = {"claimed_time": None, "location": None, "permissions": Permissions()}
MAX_NOTES = 8  # behind one signature; more of them could cover much of a page


@dataclass
class Judgement:
    """One signature while it is judged: what was found, what was checked, what it proves.

    `stamps` are the time-stamps that prove its time or try to: its own, then those of the document that cover
    it; for a document time-stamp itself alone. For what is `unsigned` nobody signed that came behind it, for
    what is `signed_for` a later signer stands. `carried` is the evidence that came along with the document
    and `kept` are the certificates in its security store.
    """

    found: FoundSignature
    gap: Gap
    checks: list[Check] = field(default_factory=list)
    signed: cms.SignedData | None = None
    proved_at: datetime | None = None
    changes: str = "none"
    unsigned: tuple[Told, ...] = ()
    signed_for: tuple[Told, ...] = ()
    usage: str = ""
    path: tuple[Certificate, ...] = ()
    stamps: list[TimestampResult] = field(default_factory=list)
    carried: RevocationSnapshot = field(default_factory=RevocationSnapshot)
    kept: tuple[Certificate, ...] = ()
    is_archived: bool = False
    said: Said = NOTHING_SAID

    @property
    def is_timestamp(self) -> bool:
        """Whether it is a document time-stamp: it proves a time, and nobody signs with it."""
        return self.found.kind == RFC3161

    @cached_property
    def structure(self) -> cms.SignedData:
        """Its CMS, read once. Raises `MalformedInput`."""
        return cms.parse(self.found.contents, padded=True)

    @property
    def brought(self) -> tuple[Certificate, ...]:
        """The certificates that came along, besides the signer's own."""
        return (*self.signed.others, *self.kept) if self.signed else self.kept

    @property
    def reason(self) -> str | None:
        """Why it was signed: in the signature dictionary, or in the statement that its signer signed."""
        return self.found.reason if self.found.reason is not None else self.said.statement.reason

    def named_checks(self) -> list[Check]:
        """The checks, under names that say whose they are."""
        return [
            Check(f"{self.found.field}/{one.name}", one.reason, one.scope, one.detail, one.evidence)
            for one in self.checks
        ]

    def evidence(self, *, certifies: bool) -> VerifiedSignature:
        """What it proves, once everything passed."""
        found = self.found
        return VerifiedSignature(
            found.field, self.usage, self.path, self.proved_at, found.claimed_time,
            self.reason, found.location, certifies, self.gap.whole_file, self.gap.covered,
            self.said.commitments, self.said.roles, self.said.named, self.said.statement.copy,
        )  # fmt: skip

    def finding(self, *, certifies: bool) -> dict[str, Any]:
        """What it says, for display; beside a time-stamp anybody may write words, nobody stands for them."""
        found, signer = self.found, self.signed.signer if self.signed else None
        said = replace(found, **_UNSAID) if self.is_timestamp else found
        reason = None if self.is_timestamp else self.reason
        return {
            "field": found.field,
            "kind": found.kind.lstrip("/"),
            "usage": self.usage,
            "signer": describe(signer) if signer else None,
            "algorithm": self.signed.algorithm_oid if self.signed else "",
            "claimed_time": said.claimed_time.isoformat() if said.claimed_time else None,
            "proved_time": self.proved_at.isoformat() if self.proved_at else None,
            "coverage": "whole_file" if self.gap.whole_file else "revision",
            "changes_after": self.changes,
            "timestamps": [shown(stamp) for stamp in self.stamps],
            "certifies": certifies,
            "reason": reason and legible(reason),
            "location": said.location and legible(said.location),
            "permission": said.permission,
            "indication": str(_worst(self.checks)),
            **({"unsigned": [asdict(one) for one in self.unsigned[:MAX_TOLD]]} if self.unsigned else {}),
            **(
                {"signed_for": [asdict(one) for one in self.signed_for[:MAX_TOLD]]} if self.signed_for else {}
            ),
            **self.said.finding(),
        }


def judge_signature(
    pdf: bytes, judgement: Judgement, later: list[TimestampResult], question: Question
) -> None:
    """Check the CMS and its time-stamps, `later` ones of the document among them, and find the proved time.

    The certificate waits until then.
    """
    found = judgement.found
    try:
        judgement.signed = signed = judgement.structure
    except MalformedInput as exc:
        judgement.checks.append(Check("signature_format", Reason.FORMAT_FAILURE, detail=str(exc)[:200]))
        return
    if signed.content is not None:  # EN 319 142-1, 4.1: what is signed stands outside
        detail = "content stands within the signature"
        judgement.checks.append(Check("signature_format", Reason.FORMAT_FAILURE, detail=detail))

    def digest_of(name: str) -> bytes:
        return _digest(name, judgement.gap, pdf)

    before = content_timestamps(signed, digest_of, question)
    own = own_timestamps(signed, question)
    judgement.stamps = [*own, *later]
    proved = min((stamp.gen_time for stamp in judgement.stamps if stamp.gen_time), default=None)
    judgement.proved_at = proved
    judgement.checks += cms.check_signature(
        signed,
        digest_of(signed.digest_algorithm),
        policy=question.policy,
        at=proved or question.at,
        reference_required=found.kind == PADES,
    )
    judgement.checks += counting(own, proved)
    judgement.checks += [replace(one, name=f"content_{one.name}") for one in counting(before, proved)]
    judgement.checks += order_of(before, judgement.stamps, question.policy)
    judgement.checks += order_of(own, later, question.policy)


def judge_document_timestamp(pdf: bytes, judgement: Judgement, question: Question) -> None:
    """Check a document time-stamp: its token is the whole of its contents. Its checks count later."""
    try:
        token = parse_token(judgement.found.contents, padded=True)
    except MalformedInput as exc:
        judgement.checks.append(Check("timestamp_format", Reason.TIMESTAMP_INVALID, detail=str(exc)[:200]))
        return
    judgement.signed = token.signed
    result = judge_parsed(token, _digest(token.digest_algorithm, judgement.gap, pdf), question)
    judgement.usage, judgement.proved_at, judgement.stamps = "timestamp", result.gen_time, [result]


def judge_certificate(judgement: Judgement, question: Question) -> None:
    """Check the signer's certificate at the proved time, or else at the time asked about."""
    result = judge_signer(judgement.signed, judgement.proved_at, question) if judgement.signed else None
    if result is not None:
        judgement.usage, judgement.path = result.usage, result.path
        judgement.checks += result.checks


def judge_changes(  # noqa: PLR0913 - what one look back depends on
    reading: Reading,
    judgement: Judgement,
    ends: list[int],
    policy: Policy,
    *,
    is_followed: bool,
    reaches_furthest: bool,
) -> None:
    """Check what came after this signature; `ends` are where the bytes of all signatures end.

    Archive data (certificates, revocation data, document time-stamps) may follow any signature. Fields
    may be filled, and signatures added, when somebody's later signature stands for it (`is_followed`; a
    time-stamp is nobody's). Without, an empty field may be filled in, and a note be put where the signature
    says so (DocMDP 3): the finding tells of both. What goes further, other values and comments, is good when
    the policy says so and the signature does not forbid it. Behind the signature that `reaches_furthest` no
    byte may stand that is not of such a revision.
    """
    if judgement.gap.whole_file or _is_line_end(reading, judgement.gap.covered):
        judgement.checks.append(Check("changes_after_signing"))
        return
    if reading.lenient:
        detail = "the file is not written cleanly, so what was added to it cannot be judged"
        judgement.checks.append(Check("changes_after_signing", Reason.FORMAT_FAILURE, detail=detail))
        return
    review = reading.review(judgement.found, ends)
    permission, detail = judgement.found.permission, review.detail
    judgement.changes = _kind_of(review, permission, is_followed=is_followed)
    good = {
        "none": not reaches_furthest,
        "archive": True,
        "form": permission != 1,
        "permitted": permission != 1 and policy.allows_change("permitted"),
        "filled": permission != 1 and policy.allows_change("filled"),
        "annotation": permission in {None, 3} and policy.allows_change("annotation"),
    }.get(judgement.changes, False)
    judgement.unsigned = review.told if judgement.changes == "permitted" else ()
    judgement.signed_for = review.values if judgement.changes == "form" else ()
    if reaches_furthest and review.level == "none":
        detail = "bytes follow that belong to no revision"
    reason = None if good else Reason.DOCUMENT_CHANGED_AFTER_SIGNING
    judgement.checks.append(Check("changes_after_signing", reason, detail=detail or review.level))


def _kind_of(review: Review, permission: int | None, *, is_followed: bool) -> str:
    """What came after, in the words of a policy."""
    if review.level == "annotation" and (
        "annotation" in review.more or permission != ANNOTATIONS or review.notes > MAX_NOTES
    ):
        return "annotation"
    if review.level not in {"form", "annotation"}:
        return review.level
    if "form" in review.more and not is_followed:
        return "filled"
    return "form" if is_followed and review.level == "form" else "permitted"


def _is_line_end(reading: Reading, covered: int) -> bool:
    """Whether nothing but ends of lines is not covered: some makers write a few behind everything else."""
    source, size = reading.document.source, reading.document.size
    return 0 < size - covered <= MAX_LINE_ENDS and not bytes(source[covered:size]).strip(b"\r\n")


def _digest(name: str, gap: Gap, pdf: bytes) -> bytes:
    return known_hash(name, *gap.signed(pdf))


def _worst(checks: list[Check]) -> Indication:
    found = {check.indication for check in checks}
    for indication in (Indication.FAILED, Indication.INDETERMINATE):
        if indication in found:
            return indication
    return Indication.PASSED

"""Judge a sealed document by the time that a time-stamp proves: never by what it claims.

The same verification that everybody else does says what is proved, so that what is kept here passes there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from credentials.office.seals.drills.values import Verdict
from yinxin.base.errors import MalformedInput, NotFound

if TYPE_CHECKING:
    from credentials.documents import DocumentStore
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.trust import TrustStore
    from yinxin.base.clock import Clock


@dataclass(frozen=True)
class Examiner:
    """Fetches documents and judges them, with what an ordinary verifier holds. May be used from threads."""

    documents: DocumentStore
    trust: TrustStore
    revocation: RevocationSnapshot
    policy: Policy
    clock: Clock

    def examine(self, digest: str, *, certificate: str, since: datetime) -> tuple[Verdict, datetime | None]:
        """How a document that this certificate sealed stands to the loss, and the time that is proved."""
        from signing import pdf  # noqa: PLC0415 - pyHanko takes a second

        try:
            document = self.documents.get(digest)
        except (NotFound, MalformedInput):  # gone or damaged; a store that is away stops the work instead
            return Verdict.UNREADABLE, None
        report = pdf.verify(
            document, self.trust, revocation=self.revocation, policy=self.policy, now=self.clock.now()
        )
        found = [
            one
            for one in report.findings["signatures"]
            if one["signer"] and one["signer"]["fingerprint"] == certificate
        ]
        times = [datetime.fromisoformat(one["proved_time"]) for one in found if one["proved_time"]]
        if not found:
            return (Verdict.OTHER if report.passed else Verdict.UNREADABLE), None
        if len(times) < len(found):
            return Verdict.UNPROVED, None
        if max(times) >= since:
            return Verdict.LATE, max(times)
        if any(one["indication"] != "passed" for one in found):
            return Verdict.UNREADABLE, max(times)
        return Verdict.BEFORE, max(times)

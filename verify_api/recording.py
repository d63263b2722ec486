"""What is recorded of a verification: one row and one entry of the log, in the transaction of the answer.

Digests, codes and identifiers; never what a licence says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.delegations.chain import CHAIN
from signing.reasons import Reason
from signing.report import Check
from verify_api.delegates import Acting
from verify_api.documents import Examined, Kind
from verify_api.repository import SessionRepository, StoredVerification, VerificationRepository
from verify_api.sessions import SessionAnswer, accept, digest_of, look_at
from verify_api.verification import Assessment, Moments, assess
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

    from verify_api.delegates import Delegates
    from verify_api.departments import Department
    from verify_api.questions import Question
    from verify_api.register import RegisterEntry

ANYBODY = Actor(ActorKind.SYSTEM, "anonymous-verification")
# What the log says of a verification: `aud` is the department, whoever acted for it.
_AUDITED = ("aud", "digest", "indication", "reasons", "purpose", "matter")


@dataclass(frozen=True, slots=True)
class Case:
    """One verification on its way into the record, under the id `name`; `issuer` is the service's address."""

    name: str
    issuer: str
    question: Question
    department: Department
    actor: Actor
    moments: Moments
    examined: Examined
    entry: RegisterEntry | None
    key: str | None
    grants: str
    settled: Check | None = None  # the check of a session that is kept elsewhere
    delegates: Delegates | None = None

    def record(self, session: Session) -> tuple[Assessment, Mapping[str, Any]]:
        """Use the nonce up, write record and audit entry; the work of the journal."""
        answer = self._session(SessionRepository(session))
        check = answer.check if answer else None
        acting = self._acting(session)
        examined = acting.on(self.examined) if acting else self.examined
        assessment = assess(examined, self.entry, moments=self.moments, session=check, acting=acting)
        content = self._content(assessment, answer)
        if acting and self.delegates:
            self.delegates.note(session, acting, content, at=self.moments.now)
        content["audit"] = audit.record(
            session,
            action="verification.record",
            subject=self.name,
            actor=self.actor,
            at=self.moments.now,
            details={name: content[name] for name in _AUDITED},
        )
        stored = StoredVerification(
            self.name, self.department.id, self.moments.now, content, self.question.digest
        )
        VerificationRepository(session).add(stored, idempotency_key=self.key)
        return assessment, content

    def _acting(self, session: Session) -> Acting | None:
        """Who acts for the holder, as the register has it now; an agent's copy is nothing without it."""
        if self.examined.delegation is None:
            return None
        if self.delegates is None:
            return Acting(self.examined.delegation, (Check(CHAIN, Reason.DELEGATION_UNKNOWN),))
        now, department = self.moments.now, self.department.id
        version = self.entry.version_at(as_of=now, known_at=now) if self.entry else None
        licence = version.licence if version else None
        return self.delegates.judge(
            session, self.examined, licence, self.question, department=department, now=now
        )

    def _session(self, sessions: SessionRepository) -> SessionAnswer | None:
        """The nonce is used up when the presentation itself passes; a bad one only hears how it stands."""
        if self.settled:
            return SessionAnswer(self.settled)
        nonce = self.question.nonce
        if self.examined.kind not in {Kind.PRESENTATION, Kind.MDOC} or not nonce:
            return None
        facts = {"department": self.department.id, "presentation": bytes.fromhex(self.examined.digest)}
        trial = assess(self.examined, self.entry, moments=self.moments, session=Check("session"))
        if trial.report.passed:
            return accept(sessions, nonce, verification=self.name, now=self.moments.now, **facts)  # type: ignore[arg-type]
        return look_at(sessions.find(digest_of(nonce)), now=self.moments.now, **facts)  # type: ignore[arg-type]

    def _content(self, assessment: Assessment, session: SessionAnswer | None) -> dict[str, Any]:
        """What record and receipt say: digests, codes, identifiers; no claim."""
        report, licence = assessment.report, assessment.licence
        content: dict[str, Any] = {
            "iss": self.issuer,
            "jti": self.name,
            "iat": int(self.moments.now.timestamp()),
            "aud": self.department.id,
            "purpose": self.question.purpose,
            "matter": self.question.matter,
            "subject": report.subject,
            "digest": {"algorithm": "sha-256", "value": report.digest},
            "indication": str(report.indication),
            "then": str(report.then),
            "as_of": report.at.isoformat(),
            "known_at": report.known_at.isoformat(),
            "reasons": sorted(reason.code for reason in report.reasons),
            "state": str(assessment.now.state) if assessment.now else None,
            "policy": report.policy,
            "snapshots": {**report.snapshots, "grants": self.grants},
        }
        if self.actor.kind is ActorKind.STAFF:
            content["clerk"] = self.actor.identifier
        granted = self.department.grant(self.question.purpose, self.question.matter)
        if licence and licence.type_code in granted.fields:
            content["licence"] = licence.identifier
        if session and session.first:
            content["repeats"] = session.first
        if assessment.acting and assessment.acting.words:
            content["delegation"] = assessment.acting.delegation
        return content


def record_refusal(
    session: Session, department: Department, actor: Actor, question: Question, now: datetime
) -> None:
    """A question that no grant covers."""
    details = {"request": question.digest}
    audit.record(
        session, action="verification.refuse", subject=department.id, actor=actor, at=now, details=details
    )


def record_anonymous(session: Session, assessment: Assessment, now: datetime) -> str:
    """What somebody unknown was told; returns the entry's id."""
    report = assessment.report
    details = {
        "indication": str(report.indication),
        "reasons": sorted(reason.code for reason in report.reasons),
    }
    action = "verification.anonymous"
    return audit.record(
        session, action=action, subject=f"sha256:{report.digest}", actor=ANYBODY, at=now, details=details
    )

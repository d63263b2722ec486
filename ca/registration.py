"""Registration: who may have a certificate, decided by people, never by one alone.

An application names a profile, a subject and a key. Staff proof who applied; somebody else approves, and
the certificate is issued. An edit voids proofing and approval, because they were of something else. What
may be issued is checked once more by `ca.engine` in the transaction of the intent, whoever calls.

    applied → approved → issuing → issued        rejected, withdrawn: from applied and approved
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ca.csr import proven_key
from ca.issuance import Application, Authority
from ca.names import SubjectName
from ca.records import ApplicationRecord, ApprovalRecord, ProofingRecord
from ca.repository import ISSUING, ApplicationRepository, AuthorityRepository
from signing.keys import PublicKey
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    IssuanceRefused,
    NotPermitted,
    UsageError,
    YinxinError,
)
from yinxin.base.identifiers import CreditCode
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from ca.proofing import Proofing
    from signing.certificates import Certificate
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

APPLIED, APPROVED, ISSUED, REJECTED, WITHDRAWN = "applied", "approved", "issued", "rejected", "withdrawn"
APPROVER_ROLES = ("reviewer", "registrar")
PROVER_ROLES = ("clerk", "reviewer", "registrar")
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """An application as it stands. `serial` is there once it is issued, `note` when it was rejected."""

    identifier: str
    profile: str
    subject: SubjectName
    public_key: PublicKey
    applicant: str
    state: str
    revision: int
    serial: int | None
    note: str
    applied_at: datetime


class Registration:
    """Takes applications for one authority and brings them to a certificate or to an end."""

    def __init__(
        self, database: Database, authority: Authority, clock: Clock, *, randomness: Randomness | None = None
    ) -> None:
        self._database = database
        self._authority = authority
        self._clock = clock
        self._randomness = randomness or SystemRandomness()

    def apply(  # noqa: PLR0913 - what an application is made of
        self,
        profile: str,
        subject: SubjectName,
        *,
        credit_code: CreditCode | str | None = None,
        public_key: PublicKey | None = None,
        csr: bytes | None = None,
        actor: Actor,
    ) -> str:
        """Hand in an application; its identifier.

        The key comes from a request (`csr`, PEM or DER), of which nothing else is taken, or as a public key
        that staff vouch for. `InvalidClaims` for a subject that the profile does not allow, `NotPermitted`
        for a bare key from anybody but staff.
        """
        subject = _with_code(subject, credit_code)
        self._check(profile, subject)
        key = _offered_key(public_key, csr, actor)
        if key is None:
            raise UsageError("an application needs a public key or a request (CSR)")
        application = Application(subject, key)
        identifier, now = random_text(self._randomness), self._clock.now()
        row = ApplicationRecord(
            id=identifier,
            authority=self._authority.name,
            profile=profile,
            applicant=str(actor),
            editor=str(actor),
            state=APPLIED,
            applied_at=now,
            changed_at=now,
            **_content(profile, application),
        )
        with self._database.transaction() as session:
            ApplicationRepository(session).add(row)
            self._audit(session, "application.apply", row, actor, content=row.content_digest)
        return identifier

    def amend(
        self,
        identifier: str,
        *,
        subject: SubjectName | None = None,
        public_key: PublicKey | None = None,
        csr: bytes | None = None,
        actor: Actor,
    ) -> None:
        """Change the subject or the key. Proofing and approval of what it was are void from then on."""
        with self._database.reading() as session:
            row = ApplicationRepository(session).get(identifier)
        _require_owner_or_staff(row, actor)
        _require_state(row, APPLIED, APPROVED)
        key = _offered_key(public_key, csr, actor) or PublicKey(row.spki)
        application = Application(subject or _subject(row), key)
        self._check(row.profile, application.subject)
        values = {**_content(row.profile, application), "editor": str(actor), "revision": row.revision + 1}
        with self._database.transaction() as session:
            repository = ApplicationRepository(session)
            repository.move(row, to=APPLIED, at=self._clock.now(), **values)
            repository.void_approvals(identifier, at=self._clock.now())
            self._audit(session, "application.amend", row, actor, content=values["content_digest"])

    def record_proofing(self, identifier: str, proofing: Proofing, *, actor: Actor) -> None:
        """Put on record how the applicant was proofed; by staff, never by the applicant."""
        _require_staff(actor, PROVER_ROLES)
        now = self._clock.now()
        with self._database.transaction() as session:
            repository = ApplicationRepository(session)
            row = repository.get(identifier)
            _require_state(row, APPLIED)
            if str(actor) == row.applicant:
                raise NotPermitted("an applicant cannot proof itself")
            repository.add(
                ProofingRecord(
                    id=random_text(self._randomness),
                    application=identifier,
                    revision=row.revision,
                    method=proofing.method,
                    source=proofing.source,
                    evidence_digest=proofing.evidence_digest,
                    prover=str(actor),
                    proofed_at=now,
                    valid_until=now + proofing.valid_for,
                )
            )
            self._audit(
                session,
                "application.proof",
                row,
                actor,
                method=str(proofing.method),
                evidence=proofing.evidence_digest,
            )

    def approve(self, identifier: str, actor: Actor, *, revision: int | None = None) -> Certificate:
        """Approve and issue.

        Only staff with the role reviewer or registrar, and none who applied, edited or proofed
        (`NotPermitted`). `revision` is the one that the approver saw: another is a `Conflict`. Of two who
        approve at once, one gets the certificate and the other a `Conflict`. When the key cannot be used the
        approval stands, and `complete` issues later.
        """
        _require_staff(actor, APPROVER_ROLES)
        with self._database.transaction() as session:
            repository = ApplicationRepository(session)
            row = repository.get(identifier)
            _require_state(row, APPLIED)
            if revision is not None and revision != row.revision:
                raise Conflict(f"application {identifier} was edited since")
            self._require_second_person(repository, row, actor)
            now = self._clock.now()
            repository.move(row, to=ISSUING, at=now)
            repository.add(
                ApprovalRecord(
                    application=identifier, revision=row.revision, approver=str(actor), approved_at=now
                )
            )
            self._audit(session, "application.approve", row, actor, revision=row.revision)
        return self._issue(row, actor)

    def complete(self, identifier: str, actor: Actor) -> Certificate:
        """Issue what is approved already, after the key could not be used."""
        _require_staff(actor, APPROVER_ROLES)
        with self._database.transaction() as session:
            repository = ApplicationRepository(session)
            row = repository.get(identifier)
            _require_state(row, APPROVED)
            repository.move(row, to=ISSUING, at=self._clock.now())
        return self._issue(row, actor)

    def reject(self, identifier: str, *, reason: str, actor: Actor) -> None:
        """End an application for a reason that the applicant will read; by staff."""
        _require_staff(actor, APPROVER_ROLES)
        if not reason or len(reason) > MAX_NOTE:
            raise UsageError(f"a rejection needs a reason of at most {MAX_NOTE} characters")
        self._end(identifier, REJECTED, actor, note=reason)

    def withdraw(self, identifier: str, *, actor: Actor) -> None:
        """End one's own application."""
        self._end(identifier, WITHDRAWN, actor)

    def get(self, identifier: str) -> RegisteredApplication:
        """One application, or `NotFound`."""
        with self._database.reading() as session:
            return _value(ApplicationRepository(session).get(identifier))

    def list(self, *, state: str | None = None, limit: int = 100) -> list[RegisteredApplication]:
        """The applications to this authority, those waiting longest first."""
        with self._database.reading() as session:
            rows = ApplicationRepository(session).list(self._authority.name, state=state, limit=limit)
            return [_value(row) for row in rows]

    def reconcile(self, *, actor: Actor) -> tuple[str, ...]:
        """Put right what a crash left in the middle of issuing; the applications concerned.

        Call it when nothing is being issued. What got its certificate becomes issued, the rest is approved
        again and waits for `complete`.
        """
        _require_staff(actor, APPROVER_ROLES)
        with self._database.reading() as session:
            rows = ApplicationRepository(session).list(self._authority.name, state=ISSUING, limit=1000)
        for row in rows:
            self._settle(row, actor)
        return tuple(row.id for row in rows)

    def _issue(self, row: ApplicationRecord, actor: Actor) -> Certificate:
        issuing = row.model_copy(update={"state": ISSUING})
        try:
            certificate = self._authority.issue(
                row.profile,
                Application(_subject(row), PublicKey(row.spki)),
                actor=actor,
                approval=row.id,
            )
        except YinxinError:
            self._settle(issuing, actor)
            raise
        self._settle(issuing, actor)
        return certificate

    def _settle(self, row: ApplicationRecord, actor: Actor) -> None:
        """Bring an application out of issuing, by what the authority's own rows say became of it."""
        with self._database.transaction() as session:
            serial = AuthorityRepository(session).issued_for(row.id)
            to, shown = (ISSUED, f"{serial:x}") if serial is not None else (APPROVED, None)
            ApplicationRepository(session).move(row, to=to, at=self._clock.now(), serial=shown)
            action = "application.issue" if serial is not None else "application.issue_failed"
            self._audit(session, action, row, actor, serial=shown)

    def _end(self, identifier: str, state: str, actor: Actor, *, note: str = "") -> None:
        with self._database.transaction() as session:
            repository = ApplicationRepository(session)
            row = repository.get(identifier)
            if state == WITHDRAWN and str(actor) != row.applicant:
                raise NotPermitted("only the applicant withdraws an application")
            _require_state(row, APPLIED, APPROVED)
            repository.move(row, to=state, at=self._clock.now(), note=note)
            repository.void_approvals(identifier, at=self._clock.now())
            self._audit(session, f"application.{state}", row, actor)

    def _check(self, profile: str, subject: SubjectName) -> None:
        row = self._authority.profiles[profile]
        if row.authority:
            raise UsageError("authorities are created, not applied for")
        faults = row.subject_faults(subject.present)
        if faults:
            raise InvalidClaims(
                "; ".join(faults),
                faults=[("subject", Text("主体信息不符合证书模板要求", each)) for each in faults],
            )

    def _require_second_person(
        self, repository: ApplicationRepository, row: ApplicationRecord, actor: Actor
    ) -> None:
        proofing = repository.proofing(row.id, row.revision)
        if str(actor) in {row.applicant, row.editor, proofing.prover if proofing else None}:
            raise NotPermitted("who applied, edited or proofed does not approve")
        code = _subject(row).credit_code
        applied_by_itself = not row.applicant.startswith(f"{ActorKind.STAFF}:")
        if applied_by_itself and code and actor.agency == str(code):
            raise NotPermitted("an applicant's own people do not approve")
        if not self._authority.profiles[row.profile].proofed:
            return
        if proofing is None or proofing.valid_until <= self._clock.now():
            raise IssuanceRefused(reasons=("identity: no proofing record that is in force",))

    def _audit(
        self, session: Session, action: str, row: ApplicationRecord, actor: Actor, **details: str | int | None
    ) -> None:
        audit.record(
            session, action=action, subject=row.id, actor=actor, at=self._clock.now(), details=details
        )


def _content(profile: str, application: Application) -> dict[str, Any]:
    return {
        "subject": json.dumps(application.subject.to_dict(), ensure_ascii=False, sort_keys=True),
        "spki": application.public_key.spki,
        "content_digest": application.digest(profile),
    }


def _subject(row: ApplicationRecord) -> SubjectName:
    return SubjectName.from_dict(json.loads(row.subject))


def _value(row: ApplicationRecord) -> RegisteredApplication:
    return RegisteredApplication(
        identifier=row.id,
        profile=row.profile,
        subject=_subject(row),
        public_key=PublicKey(row.spki),
        applicant=row.applicant,
        state=row.state,
        revision=row.revision,
        serial=int(row.serial, 16) if row.serial else None,
        note=row.note,
        applied_at=row.applied_at,
    )


def _offered_key(public_key: PublicKey | None, csr: bytes | None, actor: Actor) -> PublicKey | None:
    if csr is not None and public_key is not None:
        raise UsageError("the key comes as a public key or in a request (CSR), not both")
    if public_key is not None and actor.kind is not ActorKind.STAFF:
        raise NotPermitted("a key without proof of possession comes from staff only: send a CSR")
    return proven_key(csr) if csr is not None else public_key


def _with_code(subject: SubjectName, code: CreditCode | str | None) -> SubjectName:
    if code is None:
        return subject
    parsed = CreditCode.parse(code) if isinstance(code, str) else code
    if subject.credit_code not in {None, parsed}:
        raise InvalidClaims(
            faults=[("credit_code", Text("统一社会信用代码前后不一致", "differs from the subject's"))]
        )
    return replace(subject, credit_code=parsed)


def _require_state(row: ApplicationRecord, *states: str) -> None:
    if row.state not in states:
        raise Conflict(f"application {row.id} is {row.state}")


def _require_staff(actor: Actor, roles: tuple[str, ...]) -> None:
    if actor.kind is not ActorKind.STAFF:
        raise NotPermitted(f"{actor} is no member of staff")
    actor.require_role(*roles)


def _require_owner_or_staff(row: ApplicationRecord, actor: Actor) -> None:
    if str(actor) != row.applicant and actor.kind is not ActorKind.STAFF:
        raise NotPermitted(f"{actor} may not edit this application")

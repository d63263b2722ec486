"""Two steps to a certificate, so that none is lost, doubled or unknown.

First the intent, with its serial number and all that will be signed, is committed; only then the
authority's key is touched; the result is compared with the intent and committed together with its audit
entry. A crash in between leaves an intent, which no answer ever calls good. The real key signs nothing
that was not linted under a throw-away key before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ca.lint import lint
from ca.repository import ApplicationRepository, AuthorityRepository, serial_text
from ca.template import signed
from signing.certificates import Certificate
from signing.signers.file import FileSigner
from yinxin.base import audit
from yinxin.base.errors import IssuanceRefused, SignerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlmodel import Session

    from ca.lint import Expected
    from ca.template import Draft
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One certificate to make: for which authority, what it says, and who asked for it.

    `approval` names the application that a second person approved, `content_digest` what was approved.
    """

    authority: str
    above: tuple[str, int] | None  # the issuer's own issuer and serial number: must not be revoked
    draft: Draft
    expected: Expected
    actor: Actor
    approval: str | None
    content_digest: str


@dataclass(frozen=True, slots=True)
class Engine:
    """Makes certificates in two steps with one authority's key."""

    database: Database
    signer: Signer
    clock: Clock

    def make(
        self, order: Order, *, also: Callable[[Session, Certificate], None] | None = None
    ) -> Certificate:
        """The certificate, final and in the database; `also` runs in its last transaction.

        `IssuanceRefused` before anything is stored, or when approval or key do not allow it;
        `SignerUnavailable` when the key did not sign, and `Conflict` when the intent was abandoned
        meanwhile: the serial number is then lost, and `Authority.reconcile` lists it.
        """
        tbs = order.draft.encode()
        _refuse_faults(tbs, order)
        with self.database.transaction() as session:
            self._intend(session, order, tbs)
        certificate = self._sign(tbs, order)
        with self.database.transaction() as session:
            self._finish(session, order, certificate)
            if also:
                also(session, certificate)
        return certificate

    def _intend(self, session: Session, order: Order, tbs: bytes) -> None:
        draft, repository, now = order.draft, AuthorityRepository(session), self.clock.now()
        _refuse_revoked(repository, order.above)
        if draft.profile.approved:
            ApplicationRepository(session).require_approved(
                order.approval,
                authority=order.authority,
                content_digest=order.content_digest,
                proofed=draft.profile.proofed,
            )
        subject_digest = hashlib.sha256(draft.encoded_subject).hexdigest()
        fingerprint = draft.public_key.fingerprint
        # One key has one use and one owner, whoever asks and whatever for.
        if not repository.claim_key(
            fingerprint=fingerprint, use=draft.profile.code, subject_digest=subject_digest
        ):
            raise IssuanceRefused(reasons=("the key is certified for another use or subject",))
        repository.add_intent(
            authority=order.authority,
            serial=serial_text(draft.serial),
            profile=draft.profile.code,
            subject=_display(draft),
            subject_code=str(draft.subject.credit_code) if draft.subject.credit_code else None,
            key_fingerprint=fingerprint,
            approval=order.approval,
            tbs_digest=hashlib.sha256(tbs).hexdigest(),
            tbs=tbs,
            not_before=draft.not_before,
            not_after=draft.not_after,
            intended_at=now,
        )
        self._audit(session, order, "certificate.intend", now, tbs=hashlib.sha256(tbs).hexdigest())

    def _sign(self, tbs: bytes, order: Order) -> Certificate:
        encoded = signed(tbs, self.signer.algorithm, self.signer.sign(tbs))
        certificate = Certificate(encoded)
        # A faulty device must not be trusted with what it returns: the signature could even leak the key.
        if certificate.x509.tbs_certificate_bytes != tbs or not certificate.is_signed_by(
            order.expected.issuer_key
        ):
            raise SignerUnavailable("the signer returned a signature that does not verify")
        return certificate

    def _finish(self, session: Session, order: Order, certificate: Certificate) -> None:
        now = self.clock.now()
        AuthorityRepository(session).finish(order.authority, order.draft.serial, der=certificate.der, at=now)
        self._audit(session, order, "certificate.issue", now, certificate=certificate.fingerprint)

    @staticmethod
    def _audit(session: Session, order: Order, action: str, at: datetime, **digests: str) -> None:
        details = {"profile": order.draft.profile.code, "approval": order.approval, **digests}
        audit.record(
            session,
            action=action,
            subject=f"{order.authority}/{order.draft.serial:x}",
            actor=order.actor,
            at=at,
            details=details,
        )


def _refuse_faults(tbs: bytes, order: Order) -> None:
    draft = Certificate(signed(tbs, order.draft.algorithm, _throw_away().sign(tbs)))
    faults = lint(draft, order.expected)
    if faults:
        raise IssuanceRefused(reasons=faults)


def _refuse_revoked(repository: AuthorityRepository, above: tuple[str, int] | None) -> None:
    if above is None:
        return
    status = repository.status(*above)
    if status is None or status.revoked_at is not None:
        raise SignerUnavailable("the authority's own certificate is revoked")


@lru_cache(maxsize=1)
def _throw_away() -> FileSigner:
    """A key that nobody trusts. Its kind does not matter: a draft is looked at, never verified."""
    return FileSigner.generate("P-256")


def _display(draft: Draft) -> str:
    return ", ".join(f"{name}={value}" for name, value in draft.subject.to_dict().items())

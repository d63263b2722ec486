"""Revoke, hold, release; the list that says so; and what became of every serial number.

A change and its audit entry commit together, and the change raises the authority's revision: a list that
was made for an older revision is out of date. Signing a list happens outside of any transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ca.crl import CrlDraft, RevocationReason, encode_entry
from ca.records import CrlRecord
from ca.repository import ISSUED, AuthorityRepository, serial_text
from ca.template import signed
from yinxin.base import audit
from yinxin.base.database import Session
from yinxin.base.errors import Conflict, NotFound, SignerUnavailable, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from ca.repository import StatusRow
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

Beside = Callable[[Session], None]
LIST_VALID_FOR = timedelta(days=1)
ATTEMPTS = 5  # at a new list, while others make theirs
_COMPROMISED = frozenset({RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE})


def nothing(_session: Session) -> None:
    """Nothing is done beside."""


class Revocation:
    """What does not hold any more of what one authority issued."""

    def __init__(self, authority: str, *, database: Database, clock: Clock) -> None:
        self._authority = authority
        self._database = database
        self._clock = clock

    def revoke(
        self,
        serial: int,
        *,
        reason: str,
        actor: Actor,
        invalid_since: datetime | None = None,
        beside: Beside = nothing,
    ) -> None:
        """Put a certificate on the list, or turn its hold into a revocation.

        `invalid_since` says since when a compromised key is not to be trusted. That a key is compromised, or
        longer than was known, may be learnt of a certificate that is revoked already.
        """
        why, now = RevocationReason.of(reason), self._now()
        since = _checked_since(invalid_since, why, now)
        with self._database.transaction() as session:
            repository = AuthorityRepository(session)
            status = repository.status(self._authority, serial)
            if status is None or status.state != ISSUED:
                raise NotFound(f"no certificate with the serial {serial_text(serial)}")
            if status.revoked_at is not None:
                if not _adds_to(status, why, since):
                    raise Conflict(f"serial {serial_text(serial)} is revoked already")
                repository.remove_revocation(self._authority, serial, reason=status.reason or "")
            self._list(session, serial, why, status.revoked_at or now, since)
            details = {"invalid_since": since.isoformat()} if since else {}
            self._audit(session, "certificate.revoke", serial, actor, reason=str(why), **details)
            beside(session)

    def release(self, serial: int, *, actor: Actor, beside: Beside = nothing) -> None:
        """Take a certificate on hold from the list."""
        with self._database.transaction() as session:
            hold = RevocationReason.CERTIFICATE_HOLD
            AuthorityRepository(session).remove_revocation(self._authority, serial, reason=hold)
            self._audit(session, "certificate.release", serial, actor)
            beside(session)

    def abandon_intents(self, *, before: datetime, actor: Actor) -> tuple[int, ...]:
        """Give up the intents from before a time, and put their serial numbers on the list."""
        abandoned = []
        with self._database.transaction() as session:
            repository = AuthorityRepository(session)
            for serial in repository.stale_intents(self._authority, before=before):
                if repository.abandon(self._authority, serial):
                    self._list(session, serial, RevocationReason.UNSPECIFIED, self._now())
                    self._audit(session, "certificate.abandon", serial, actor)
                    abandoned.append(serial)
        return tuple(abandoned)

    def status(self, serial: int) -> StatusRow | None:
        """What is known of a serial number."""
        with self._database.reading() as session:
            return AuthorityRepository(session).status(self._authority, serial)

    def crl(self, issuer: bytes, usable_signer: Callable[[datetime], Signer]) -> bytes:
        """The current list, made anew when it is due; `issuer` is the authority's Name in DER."""
        for _ in range(ATTEMPTS):
            with self._database.reading() as session:
                repository = AuthorityRepository(session)
                revision = repository.authority(self._authority).revision
                latest = repository.latest_crl(self._authority)
                if latest and latest.revision == revision and self._is_fresh(latest):
                    return latest.der
                entries = repository.revocation_entries(self._authority)
            try:
                return self._make(issuer, usable_signer(self._now()), revision, latest, entries)
            except Conflict:
                continue
        raise Conflict("others keep making lists of this authority")

    def last_crl(self) -> bytes:
        """The last list while it holds, for who publishes without the key; else `SignerUnavailable`."""
        with self._database.reading() as session:
            latest = AuthorityRepository(session).latest_crl(self._authority)
        if latest is None or latest.next_update <= self._now():
            raise SignerUnavailable(f"the list of the authority {self._authority!r} needs its key")
        return latest.der

    def _make(
        self, issuer: bytes, signer: Signer, revision: int, latest: CrlRecord | None, entries: list[bytes]
    ) -> bytes:
        now = self._now()
        draft = CrlDraft(
            issuer=issuer,
            issuer_key_identifier=signer.public_key.identifier,
            algorithm=signer.algorithm,
            number=latest.number + 1 if latest else 1,
            this_update=now,
            next_update=now + LIST_VALID_FOR,
        )
        tbs = draft.encode(entries)
        row = CrlRecord(
            authority=self._authority,
            number=draft.number,
            revision=revision,
            this_update=now,
            next_update=draft.next_update,
            der=signed(tbs, signer.algorithm, signer.sign(tbs)),
        )
        with self._database.transaction() as session:
            AuthorityRepository(session).replace_crl(row, previous=latest.number if latest else None)
        return row.der

    def _is_fresh(self, row: CrlRecord) -> bool:
        age = self._now() - row.this_update
        return timedelta(0) <= age < (row.next_update - row.this_update) / 2

    def _list(
        self,
        session: Session,
        serial: int,
        reason: RevocationReason,
        at: datetime,
        since: datetime | None = None,
    ) -> None:
        entry = encode_entry(serial, at=at, reason=reason, invalid_since=since)
        repository = AuthorityRepository(session)
        repository.add_revocation(
            self._authority, serial, reason=reason, at=at, entry=entry, invalid_since=since
        )

    def _audit(self, session: Session, action: str, serial: int, actor: Actor, **details: str) -> None:
        subject = f"{self._authority}/{serial:x}"
        audit.record(session, action=action, subject=subject, actor=actor, at=self._now(), details=details)

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)


def _checked_since(
    invalid_since: datetime | None, reason: RevocationReason, now: datetime
) -> datetime | None:
    """Whole seconds, as a list says it; a fraction is cut off, which makes it earlier."""
    if invalid_since is None:
        return None
    if reason not in _COMPROMISED:
        raise UsageError("since when a key is not to be trusted is said of compromised keys only")
    if invalid_since > now:
        raise UsageError("a key is not compromised from a future day on")
    return invalid_since.replace(microsecond=0)


def _adds_to(status: StatusRow, reason: RevocationReason, since: datetime | None) -> bool:
    """Whether a revocation says more than the one that is listed: never less, and nothing is taken back."""
    if status.reason == RevocationReason.CERTIFICATE_HOLD:
        return reason != RevocationReason.CERTIFICATE_HOLD
    if since is None:
        return False
    return status.invalid_since is None or since < status.invalid_since

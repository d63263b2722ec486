"""Every query about authorities, certificates, revocations and lists. Nothing here commits.

The hot paths (issue, status) use plain rows instead of objects. A change from one state to another names
the state that it starts from, so that of two who are at it at once only one gets through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import CursorResult, Executable, Table, bindparam, delete, insert, update
from sqlmodel import Session, SQLModel, col, select

from ca.records import (
    ApplicationRecord,
    ApprovalRecord,
    AuthorityRecord,
    CertificateRecord,
    CrlRecord,
    KeyRecord,
    ProofingRecord,
    RevocationRecord,
)
from yinxin.base.errors import Conflict, IssuanceRefused, NotFound

if TYPE_CHECKING:
    from datetime import datetime

INTENDED, ISSUED, ABANDONED = "intended", "issued", "abandoned"  # states of a serial number
ISSUING = "issuing"  # the state of an application whose certificate is being made


def _table(record: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(record.__tablename__)]


# The statements of the hot paths, made once: SQLAlchemy takes longer to build one than to run it.
_CERTIFICATES, _REVOCATIONS = _table(CertificateRecord), _table(RevocationRecord)
_KEYS = _table(KeyRecord)
_ONE = (_CERTIFICATES.c.authority == bindparam("a")) & (_CERTIFICATES.c.serial == bindparam("s"))
_STATUS = (
    select(
        _CERTIFICATES.c.state,
        _REVOCATIONS.c.revoked_at,
        _REVOCATIONS.c.reason,
        _REVOCATIONS.c.invalid_since,
    )
    .select_from(
        _CERTIFICATES.outerjoin(
            _REVOCATIONS,
            (_REVOCATIONS.c.authority == _CERTIFICATES.c.authority)
            & (_REVOCATIONS.c.serial == _CERTIFICATES.c.serial),
        )
    )
    .where(_ONE)
)
_FINISH = (
    update(_CERTIFICATES)
    .where(_ONE, _CERTIFICATES.c.state == INTENDED)
    .values(
        state=ISSUED,
        der=bindparam("new_der"),
        tbs=None,
        issued_at=bindparam("at"),
        issued_for=_CERTIFICATES.c.approval,
    )
)
_KEY_OWNER = select(_KEYS.c.use, _KEYS.c.subject_digest).where(_KEYS.c.fingerprint == bindparam("f"))
_ROWS: tuple[type[SQLModel], ...] = (
    AuthorityRecord,
    CertificateRecord,
    KeyRecord,
    RevocationRecord,
    CrlRecord,
)
_INSERT = {record: insert(_table(record)) for record in _ROWS}


@dataclass(frozen=True, slots=True)
class StatusRow:
    """What is known of one serial number; `revoked_at` and `reason` are there while it does not hold.

    `invalid_since` is since when its key is not to be trusted, where a revocation said so.
    """

    state: str
    revoked_at: datetime | None
    reason: str | None
    invalid_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """One serial number of an authority, as it is listed."""

    serial: int
    state: str
    profile: str
    subject: str
    not_after: datetime
    intended_at: datetime
    issued_at: datetime | None
    der: bytes | None


class AuthorityRepository:
    """The authorities, their certificates, and what was revoked."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Authorities

    def add_authority(self, **row: Any) -> None:
        """Add an authority; a name that is taken is a `Conflict`."""
        self._insert(AuthorityRecord, revision=0, **row)

    def authority(self, name: str) -> AuthorityRecord:
        """The authority of this name, or `NotFound`."""
        record = self._session.get(AuthorityRecord, name)
        if record is None:
            raise NotFound(f"no authority {name!r}")
        return record

    def has_authority(self, name: str) -> bool:
        """Whether there is an authority of this name."""
        return self._session.get(AuthorityRecord, name) is not None

    # Certificates

    def claim_key(self, *, fingerprint: str, use: str, subject_digest: str) -> bool:
        """Keep a key for one use and one subject; False when it is kept for another."""
        found = self._run(_KEY_OWNER, {"f": fingerprint}).first()
        if found is None:
            self._insert(KeyRecord, fingerprint=fingerprint, use=use, subject_digest=subject_digest)
            return True
        return tuple(found) == (use, subject_digest)

    def add_intent(self, **row: Any) -> None:
        """Take a serial number, before any key signs; a serial that is taken is a `Conflict`."""
        self._insert(CertificateRecord, state=INTENDED, **row)

    def finish(self, authority: str, serial: int, *, der: bytes, at: datetime) -> None:
        """Make an intent final; `Conflict` when it is no intent any more."""
        row = {"a": authority, "s": serial_text(serial), "new_der": der, "at": at}
        if self._run(_FINISH, row).rowcount != 1:
            raise Conflict(f"serial {serial_text(serial)} was abandoned meanwhile")

    def abandon(self, authority: str, serial: int) -> bool:
        """Give an intent up; False when it is none any more."""
        table = _table(CertificateRecord)
        change = (
            update(table)
            .where(
                table.c.authority == authority,
                table.c.serial == serial_text(serial),
                table.c.state == INTENDED,
            )
            .values(state=ABANDONED)
        )
        return self._session.exec(change).rowcount == 1

    def stale_intents(self, authority: str, *, before: datetime) -> list[int]:
        """Serial numbers that were intended before a time and are neither issued nor abandoned."""
        statement = select(CertificateRecord.serial).where(
            col(CertificateRecord.authority) == authority,
            col(CertificateRecord.state) == INTENDED,
            col(CertificateRecord.intended_at) < before,
        )
        return [int(serial, 16) for serial in self._session.exec(statement)]

    def certificate(self, authority: str, serial: int) -> bytes:
        """The DER of an issued certificate, or `NotFound`."""
        statement = select(CertificateRecord.der).where(
            col(CertificateRecord.authority) == authority,
            col(CertificateRecord.serial) == serial_text(serial),
            col(CertificateRecord.state) == ISSUED,
        )
        found = self._session.exec(statement).first()
        if not found:
            raise NotFound(f"no certificate with the serial {serial_text(serial)}")
        return found

    def issued_for(self, approval: str) -> int | None:
        """The serial number of the certificate that an application got."""
        statement = select(CertificateRecord.serial).where(col(CertificateRecord.issued_for) == approval)
        found = self._session.exec(statement).first()
        return int(found, 16) if found else None

    def certificates(self, authority: str, *, after: int, limit: int) -> list[CertificateRow]:
        """A page of serial numbers in their order, behind `after`."""
        record = CertificateRecord
        statement = (
            select(CertificateRecord)
            .where(col(record.authority) == authority, col(record.serial) > serial_text(after))
            .order_by(col(record.serial))
            .limit(limit)
        )
        return [_certificate_row(row) for row in self._session.exec(statement)]

    def certificates_of(self, authority: str, code: str) -> list[CertificateRow]:
        """The issued certificates that name an organisation's credit code, in the order of serial numbers."""
        record = CertificateRecord
        statement = (
            select(CertificateRecord)
            .where(
                col(record.subject_code) == code,
                col(record.authority) == authority,
                col(record.state) == ISSUED,
            )
            .order_by(col(record.serial))
        )
        return [_certificate_row(row) for row in self._session.exec(statement)]

    def certificate_row(self, authority: str, serial: int) -> CertificateRow | None:
        """One serial number as it is listed."""
        row = self._session.get(CertificateRecord, (authority, serial_text(serial)))
        return _certificate_row(row) if row else None

    def status(self, authority: str, serial: int) -> StatusRow | None:
        """What is known of a serial number; None when it was never taken."""
        key = {"a": authority, "s": serial_text(serial)}
        found = self._run(_STATUS, key).first()
        if found is None:
            return None
        return StatusRow(found.state, found.revoked_at, found.reason, found.invalid_since)

    # Revocation

    def is_listed(self, authority: str, serial: int) -> bool:
        """Whether a serial number is on the list, also one that was never issued here."""
        return self._session.get(RevocationRecord, (authority, serial_text(serial))) is not None

    def add_revocation(  # noqa: PLR0913 - the facts of a revocation
        self,
        authority: str,
        serial: int,
        *,
        reason: str,
        at: datetime,
        entry: bytes,
        invalid_since: datetime | None = None,
    ) -> None:
        """Put a certificate on the list; `Conflict` when it is there."""
        self._insert(
            RevocationRecord,
            authority=authority,
            serial=serial_text(serial),
            reason=reason,
            revoked_at=at,
            invalid_since=invalid_since,
            entry=entry,
        )
        self._raise_revision(authority)

    def remove_revocation(self, authority: str, serial: int, *, reason: str) -> None:
        """Take a certificate that is listed for this reason from the list; else `Conflict`."""
        table = _table(RevocationRecord)
        change = delete(table).where(
            table.c.authority == authority,
            table.c.serial == serial_text(serial),
            table.c.reason == reason,
        )
        if self._session.exec(change).rowcount != 1:
            raise Conflict(f"serial {serial_text(serial)} is not listed for {reason}")
        self._raise_revision(authority)

    def revocation_entries(self, authority: str) -> list[bytes]:
        """The encoded entries of the list, in the order of serial numbers."""
        statement = (
            select(RevocationRecord.entry)
            .where(col(RevocationRecord.authority) == authority)
            .order_by(col(RevocationRecord.serial))
        )
        return list(self._session.exec(statement))

    def latest_crl(self, authority: str) -> CrlRecord | None:
        """The newest list of an authority."""
        return self._session.get(CrlRecord, authority)

    def replace_crl(self, row: CrlRecord, *, previous: int | None) -> None:
        """Store a list in the place of the one with the number `previous`; `Conflict` when that is gone."""
        table = _table(CrlRecord)
        values = row.model_dump()
        if previous is None:
            self._insert(CrlRecord, **values)
            return
        same = (table.c.authority == row.authority) & (table.c.number == previous)
        if self._session.exec(update(table).where(same).values(**values)).rowcount != 1:
            raise Conflict("another list was made meanwhile")

    def authority_names(self) -> list[str]:
        """All authorities, by name."""
        return list(self._session.exec(select(AuthorityRecord.name).order_by(AuthorityRecord.name)))

    def skip_crl_numbers(self, authority: str, count: int, *, at_least: int = 0) -> int | None:
        """Have the next list be made at once, numbered `count` above the last and `at_least`; its number.

        None without any list.
        """
        latest = self.latest_crl(authority)
        self._raise_revision(authority)
        if latest is None:
            return None
        latest.number = max(latest.number, at_least) + count
        self._session.add(latest)
        self._session.flush()
        return latest.number + 1

    def _raise_revision(self, authority: str) -> None:
        table = _table(AuthorityRecord)
        change = update(table).where(table.c.name == authority).values(revision=table.c.revision + 1)
        self._session.exec(change)

    def _insert(self, record: type[SQLModel], **row: Any) -> None:
        self._run(_INSERT[record], row)

    def _run(self, statement: Executable, row: dict[str, Any]) -> CursorResult[Any]:
        """Run a statement of a hot path on the session's connection, without the session's own work."""
        return self._session.connection().execute(statement, row)


class ApplicationRepository:
    """Applications, the proofing of who applied, and approvals."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: ApplicationRecord | ProofingRecord | ApprovalRecord) -> None:
        """Add a row; a second one where one may be is a `Conflict`."""
        self._session.add(row)
        self._session.flush()

    def get(self, identifier: str) -> ApplicationRecord:
        """The application of this name, or `NotFound`."""
        record = self._session.get(ApplicationRecord, identifier)
        if record is None:
            raise NotFound(f"no application {identifier!r}")
        return record

    def list(self, authority: str, *, state: str | None, limit: int) -> list[ApplicationRecord]:
        """The applications to an authority, those waiting longest first."""
        statement = select(ApplicationRecord).where(col(ApplicationRecord.authority) == authority)
        if state is not None:
            statement = statement.where(col(ApplicationRecord.state) == state)
        ordered = statement.order_by(col(ApplicationRecord.applied_at), col(ApplicationRecord.id))
        return list(self._session.exec(ordered.limit(limit)))

    def move(self, row: ApplicationRecord, *, to: str, at: datetime, **changes: Any) -> None:
        """Bring an application from the state and revision that were read to another; else `Conflict`."""
        table = _table(ApplicationRecord)
        same = (table.c.id == row.id) & (table.c.state == row.state) & (table.c.revision == row.revision)
        values = {"state": to, "changed_at": at, **changes}
        if self._session.exec(update(table).where(same).values(**values)).rowcount != 1:
            raise Conflict(f"application {row.id} was changed meanwhile")

    def proofing(self, application: str, revision: int) -> ProofingRecord | None:
        """The proofing record of one revision."""
        statement = select(ProofingRecord).where(
            col(ProofingRecord.application) == application, col(ProofingRecord.revision) == revision
        )
        return self._session.exec(statement).first()

    def approval(self, application: str, revision: int) -> ApprovalRecord | None:
        """The standing approval of one revision."""
        statement = select(ApprovalRecord).where(
            col(ApprovalRecord.application) == application,
            col(ApprovalRecord.revision) == revision,
            col(ApprovalRecord.voided_at).is_(None),
        )
        return self._session.exec(statement).first()

    def void_approvals(self, application: str, *, at: datetime) -> None:
        """Void what was approved of an application so far."""
        table = _table(ApprovalRecord)
        open_ones = (table.c.application == application) & table.c.voided_at.is_(None)
        self._session.exec(update(table).where(open_ones).values(voided_at=at))

    def require_approved(
        self, identifier: str | None, *, authority: str, content_digest: str, proofed: bool
    ) -> None:
        """`IssuanceRefused` unless an application is being issued here, and was approved as it is by another.

        `proofed` asks for a proofing record too: by a third person, in force when the approval was given.
        """
        row = self._session.get(ApplicationRecord, identifier) if identifier else None
        if row is None or row.authority != authority:
            raise IssuanceRefused(reasons=("approval: no application was approved",))
        approval = self.approval(row.id, row.revision)
        if approval is None or row.state != ISSUING or row.content_digest != content_digest:
            raise IssuanceRefused(reasons=("approval: it does not cover this certificate",))
        if approval.approver in {row.applicant, row.editor}:
            raise IssuanceRefused(reasons=("approval: by the applicant",))
        if not proofed:
            return
        proofing = self.proofing(row.id, row.revision)
        if proofing is None or proofing.valid_until <= approval.approved_at:
            raise IssuanceRefused(reasons=("identity: no proofing record that is in force",))
        if approval.approver == proofing.prover:
            raise IssuanceRefused(reasons=("approval: by who proofed",))


def _certificate_row(row: CertificateRecord) -> CertificateRow:
    return CertificateRow(
        int(row.serial, 16),
        row.state,
        row.profile,
        row.subject,
        row.not_after,
        row.intended_at,
        row.issued_at,
        row.der,
    )


def serial_text(serial: int) -> str:
    """A serial number as it is stored: hexadecimal of fixed width, so that texts sort like numbers."""
    return f"{serial:040x}"

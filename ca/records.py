"""The tables of the authority. Queries stand in `ca.repository`, meanings in the modules that use it."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime


class AuthorityRecord(SQLModel, table=True):
    """One authority; `revision` counts the changes to what its CRL says."""

    __tablename__ = "ca_authority"

    name: str = Field(primary_key=True, max_length=40)
    profile: str = Field(max_length=64)
    issuer: str | None = Field(default=None, max_length=40)  # the authority above, None for a root
    chain: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # PEM, leaf first
    revision: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)


class CertificateRecord(SQLModel, table=True):
    """One serial number: intended, then issued or abandoned. `tbs` stays until `der` is there."""

    __tablename__ = "ca_certificate"

    authority: str = Field(primary_key=True, max_length=40)
    serial: str = Field(primary_key=True, max_length=40)  # hexadecimal
    state: str = Field(max_length=16, index=True)
    profile: str = Field(max_length=64)
    subject: str = Field(sa_column=Column(Text, nullable=False))
    subject_code: str | None = Field(
        default=None, max_length=18, index=True
    )  # the organisation's credit code
    key_fingerprint: str = Field(max_length=64, index=True)
    approval: str | None = Field(default=None, max_length=64)
    # One application makes at most one certificate: filled when the certificate is final.
    issued_for: str | None = Field(default=None, max_length=64, unique=True)
    tbs_digest: str = Field(max_length=64)
    tbs: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    der: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    not_before: datetime = Field(sa_type=UtcDateTime)
    not_after: datetime = Field(sa_type=UtcDateTime)
    intended_at: datetime = Field(sa_type=UtcDateTime, index=True)
    issued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KeyRecord(SQLModel, table=True):
    """One public key, and the one use and subject that it was certified for."""

    __tablename__ = "ca_key"

    fingerprint: str = Field(primary_key=True, max_length=64)
    use: str = Field(max_length=64)
    subject_digest: str = Field(max_length=64)


class RevocationRecord(SQLModel, table=True):
    """One certificate that does not hold now, with its CRL entry ready; a released hold has no row."""

    __tablename__ = "ca_revocation"

    authority: str = Field(primary_key=True, max_length=40)
    serial: str = Field(primary_key=True, max_length=40)
    reason: str = Field(max_length=32)
    revoked_at: datetime = Field(sa_type=UtcDateTime)
    invalid_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    entry: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CrlRecord(SQLModel, table=True):
    """The newest list of an authority; the row before it is what makes its number grow."""

    __tablename__ = "ca_crl"

    authority: str = Field(primary_key=True, max_length=40)
    number: int
    revision: int
    this_update: datetime = Field(sa_type=UtcDateTime)
    next_update: datetime = Field(sa_type=UtcDateTime)
    der: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ApplicationRecord(SQLModel, table=True):
    """One application; each edit raises `revision`, which proofing and approval name."""

    __tablename__ = "ca_application"

    id: str = Field(primary_key=True, max_length=64)
    authority: str = Field(max_length=40)
    profile: str = Field(max_length=64)
    subject: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    spki: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content_digest: str = Field(max_length=64)
    applicant: str = Field(max_length=200)
    editor: str = Field(max_length=200)
    state: str = Field(max_length=16, index=True)
    revision: int = 1
    serial: str | None = Field(default=None, max_length=40)
    note: str = Field(default="", max_length=500)
    applied_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ProofingRecord(SQLModel, table=True):
    """Who looked at which evidence for one revision of an application. No evidence is kept, only digests."""

    __tablename__ = "ca_proofing"
    __table_args__ = (UniqueConstraint("application", "revision"),)

    id: str = Field(primary_key=True, max_length=64)
    application: str = Field(max_length=64, index=True)
    revision: int
    method: str = Field(max_length=32)
    source: str = Field(max_length=200)
    evidence_digest: str = Field(max_length=64)
    prover: str = Field(max_length=200)
    proofed_at: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime = Field(sa_type=UtcDateTime)


class ApprovalRecord(SQLModel, table=True):
    """Who approved which revision of an application; an edit voids it."""

    __tablename__ = "ca_approval"

    application: str = Field(primary_key=True, max_length=64)
    revision: int = Field(primary_key=True)
    approver: str = Field(max_length=200)
    approved_at: datetime = Field(sa_type=UtcDateTime)
    voided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

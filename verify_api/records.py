"""The tables of the verification service. Plain tables: the verification path writes one row per answer."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

DEPARTMENTS = Table(
    "verify_department",
    SQLModel.metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

PROPOSALS = Table(
    "verify_department_proposal",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("base", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("proposed_by", String(200), nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("decision", String(16)),
    Column("decided_by", String(200)),
    Column("decided_at", UtcDateTime),
)

# One row for each nonce; `presentation` is the SHA-256 of the one that was accepted for it.
SESSIONS = Table(
    "verify_session",
    SQLModel.metadata,
    Column("nonce", LargeBinary, primary_key=True),  # SHA-256 of it: the table gives no nonce away
    Column("department", String(200), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("presentation", LargeBinary),
    Column("verification", String(32)),
)

# `content` is what the receipt says: digests, codes, identifiers; never what a licence says of a person.
# `accepted` is the version of a licence that passed: whoever relied on it hears what becomes of it.
VERIFICATIONS = Table(
    "verify_verification",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("department", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("content", JSON, nullable=False),
    Column("idempotency_key", String(64)),  # SHA-256 in hex
    Column("request", String(64), nullable=False),  # SHA-256 in hex of what was asked
    Column("accepted", String(160)),
    UniqueConstraint("department", "idempotency_key", name="verify_verification_idempotency"),
    Index("verify_verification_recent", "department", "at"),
    Index("verify_verification_accepted", "accepted", "department"),
)

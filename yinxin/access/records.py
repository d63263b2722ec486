"""The tables of access: accounts, their passkeys, keys and identities elsewhere, enrolment codes, sessions.

Codes and cookies are kept as SHA-256 digests: the tables let nobody in.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

_OWNER = "access_account.id"

ACCOUNTS = Table(
    "access_account",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("realm", String(8), nullable=False),
    Column("identifier", String(200), nullable=False),
    Column("name", String(100), nullable=False),
    Column("organisation", String(18), index=True),
    Column("roles", JSON, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    # One spelling is one person in the audit log, whatever the organisation.
    UniqueConstraint("realm", "identifier", name="uq_access_account"),
)

PASSKEYS = Table(
    "access_passkey",
    SQLModel.metadata,
    Column("id", String(1400), primary_key=True),  # WebAuthn 3, 4: at most 1023 bytes, in base64url
    Column("account", String(32), ForeignKey(_OWNER), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("is_backed_up", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

# A key belongs to one account for good: it is never another's, even after it was removed.
KEYS = Table(
    "access_key",
    SQLModel.metadata,
    Column("thumbprint", String(43), primary_key=True),  # RFC 7638, SHA-256 in base64url
    Column("account", String(32), ForeignKey(_OWNER), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)

IDENTITIES = Table(
    "access_identity",
    SQLModel.metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),  # OpenID Connect Core, 2: at most 255 characters
    Column("account", String(32), ForeignKey(_OWNER), nullable=False, index=True),
)

ENROLMENTS = Table(
    "access_enrolment",
    SQLModel.metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", String(32), ForeignKey(_OWNER), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

SESSIONS = Table(
    "access_session",
    SQLModel.metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", String(32), ForeignKey(_OWNER), nullable=False, index=True),
    Column("how", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False, index=True),
)

"""The table of presentation sessions."""

from sqlalchemy import JSON, Column, Integer, LargeBinary, String, Table
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

# Rows are deleted at `kept_until`; what is found is recorded with the verifications. `sealed` holds the
# request with its nonce and key, `result` what the department may read; the database alone opens neither.
PRESENTATIONS = Table(
    "verify_presentation",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),  # what the department knows the session by
    Column("request", LargeBinary, nullable=False, unique=True),  # SHA-256 of what wallets know it by
    Column("department", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("kept_until", UtcDateTime, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("browser", LargeBinary),  # SHA-256 of the browser's cookie
    Column("code", LargeBinary, unique=True),  # SHA-256 of the response code
    Column("outcome", JSON),
    Column("result", LargeBinary),
)

"""The table of consents to forms. It says which fields, and nothing of what stood in them."""

from sqlalchemy import JSON, Column, String, Table
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

CONSENTS = Table(
    "verify_form_consent",
    SQLModel.metadata,
    Column("number", String(32), primary_key=True),
    Column("department", String(200), nullable=False),
    Column("matter", String(64), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("session", String(32), nullable=False, unique=True),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("clerk", String(200)),
    Column("state", String(16), nullable=False),
    Column("decided_at", UtcDateTime),
)

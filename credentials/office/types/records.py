"""The table of catalogue changes: queries stand in `.repository`, meanings in `.versions`."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Date, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime

_APPROVED = text("state = 'approved'")


class TypeChangeRecord(SQLModel, table=True):
    """One proposed change. What was approved stays; of two that follow on the same one is approved."""

    __tablename__ = "office_type_change"
    __table_args__ = (
        Index(
            "uq_office_type_change_approved",
            "agency",
            "code",
            "base",
            unique=True,
            sqlite_where=_APPROVED,
            postgresql_where=_APPROVED,
        ),
        Index("ix_office_type_change_state", "agency", "state"),
    )

    id: str = Field(primary_key=True, max_length=32)
    agency: str = Field(max_length=18)
    kind: str = Field(max_length=20)
    code: str = Field(max_length=80)
    version: int
    day: date = Field(sa_column=Column(Date, nullable=False))
    base: int
    file: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ground: str = Field(sa_column=Column(Text, nullable=False))
    document_number: str = Field(max_length=120)
    state: str = Field(max_length=20)
    note: str = Field(sa_column=Column(Text, nullable=False))
    proposed_by: str = Field(max_length=200)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    consent: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))

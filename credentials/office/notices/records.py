"""The table of notices: identifiers, names of fields and times; never a value."""

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Index, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime


class NoticeRecord(SQLModel, table=True):
    """One notice to one department about one event of a version that it accepted."""

    __tablename__ = "office_notice"
    __table_args__ = (
        UniqueConstraint("department", "licence", "event", name="uq_office_notice_event"),
        Index("ix_office_notice_waiting", "department", "acknowledged_at", "told_at"),
    )

    id: str = Field(primary_key=True, max_length=32)
    department: str = Field(max_length=200)
    agency: str = Field(max_length=18)
    licence: str = Field(sa_column=Column(String(160), ForeignKey("licence.identifier"), nullable=False))
    event: int  # its sequence among the events of the version
    fields: list[str] = Field(sa_column=Column(JSON, nullable=False))
    told_at: datetime = Field(sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = Field(default=None, max_length=200)

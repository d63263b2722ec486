"""The table of cases: queries stand in `credentials.office.repository`, meanings in `.cases`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson


class CaseRecord(SQLModel, table=True):
    """One case. `revision` and `state` change by compare-and-set only, so that the faster of two wins."""

    __tablename__ = "office_case"
    __table_args__ = (UniqueConstraint("agency", "number", name="uq_office_case_number"),)

    id: str = Field(primary_key=True, max_length=32)
    agency: str = Field(max_length=18)
    number: str = Field(max_length=64)
    asked_for: str = Field(max_length=64)  # digest of the work as it was first asked for
    work: dict[str, Any] = Field(sa_column=Column(SealedJson("office_case.work"), nullable=False))
    state: str = Field(max_length=20, index=True)
    revision: int
    step: int  # counts every change, whatever it was
    editors: list[str] = Field(sa_column=Column(JSON, nullable=False))
    consents: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    changed_at: datetime = Field(sa_type=UtcDateTime)
    sealed_as: str | None = Field(
        default=None, sa_column=Column(String(160), ForeignKey("licence.identifier"))
    )

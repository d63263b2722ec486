"""The table of requests for correction: queries stand in `.repository`, meanings in `.routing`."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedText


class CorrectionRecord(SQLModel, table=True):
    """One request. `state` changes once, by compare-and-set."""

    __tablename__ = "source_correction"
    __table_args__ = (Index("ix_source_correction_state", "agency", "state", "asked_at"),)

    id: str = Field(primary_key=True, max_length=32)
    agency: str = Field(max_length=18)
    licence: str = Field(sa_column=Column(String(160), ForeignKey("licence.identifier"), nullable=False))
    field: str = Field(max_length=40)
    authority: str = Field(max_length=18)
    words: str = Field(sa_column=Column(SealedText("source_correction.words"), nullable=False))
    target: str | None = Field(default=None, max_length=160)
    state: str = Field(max_length=16)
    case_number: str = Field(max_length=64)
    note: str = Field(sa_column=Column(Text, nullable=False))
    asked_by: str = Field(max_length=200)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=200)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

"""The table of erasures: queries stand in `credentials.persons.repository`, meanings in `.service`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedText


class ErasureRecord(SQLModel, table=True):
    """One erasure that somebody asked for. `person` is the blind index; the code goes when it is done."""

    __tablename__ = "person_erasure"

    id: str = Field(primary_key=True, max_length=32)
    agency: str = Field(max_length=18, index=True)
    person: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    code: str | None = Field(default=None, sa_column=Column(SealedText("person_erasure.code")))
    ground: str = Field(sa_column=Column(Text, nullable=False))
    document_number: str = Field(max_length=120)
    plan: str = Field(max_length=64)  # digest of what was to go and to stay when it was asked for
    state: str = Field(max_length=12)
    asked_by: str = Field(max_length=200)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    consent: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erased: list[Any] | None = Field(default=None, sa_column=Column(JSON))  # kind and key of each

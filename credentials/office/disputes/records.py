"""The table of disputes: queries stand in `.repository`, meanings in `.dispute`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson, SealedText


class DisputeRecord(SQLModel, table=True):
    """One dispute. `step` counts its changes: the faster of two wins.

    What people wrote is personal data and sealed. `secret` is a digest, `slip` one too: a slip opens one
    dispute.
    """

    __tablename__ = "dispute"
    __table_args__ = (Index("ix_dispute_waiting", "agency", "state", "due_at"),)

    number: str = Field(primary_key=True, max_length=20)
    agency: str = Field(max_length=18)
    kind: str = Field(max_length=10)
    state: str = Field(max_length=10)
    step: int
    opened_by: str = Field(max_length=220)
    is_holder: bool
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    slip: bytes | None = Field(default=None, sa_column=Column(LargeBinary, unique=True))
    licence: str | None = Field(default=None, max_length=160, index=True)
    type_code: str = Field(max_length=80)
    fields: list[str] = Field(sa_column=Column(JSON, nullable=False))
    words: str | None = Field(default=None, sa_column=Column(SealedText("dispute.words")))
    answers: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(SealedJson("dispute.answers"))
    )
    received_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    case_id: str | None = Field(default=None, max_length=32)
    result: str | None = Field(default=None, max_length=160)

"""The tables of supervision: queries stand in `.repository` and `.findings.repository`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedText


class LineRecord(SQLModel, table=True):
    """What is searched by, of one entry of the audit log. Rows are only added."""

    __tablename__ = "supervision_line"
    __table_args__ = (
        Index("ix_supervision_line_actor", "actor", "log_index"),
        Index("ix_supervision_line_case", "case_id", "log_index"),
        Index("ix_supervision_line_licence", "licence", "log_index"),
        Index("ix_supervision_line_seal", "seal", "log_index"),
        Index("ix_supervision_line_at", "at"),
    )

    log_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    entry_id: str = Field(max_length=32)
    at: datetime = Field(sa_type=UtcDateTime)
    action: str = Field(max_length=80)
    actor_kind: str = Field(max_length=12)
    actor: str = Field(max_length=200)
    organisation: str = Field(max_length=18)
    office: str = Field(max_length=18)
    subject: str = Field(max_length=200)
    licence: str | None = Field(default=None, max_length=160)
    case_id: str | None = Field(default=None, max_length=160)
    seal: str | None = Field(default=None, max_length=160)
    due: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CursorRecord(SQLModel, table=True):
    """How far the log was read, by each of its readers: lines, and every rule in its present form."""

    __tablename__ = "supervision_cursor"

    name: str = Field(primary_key=True, max_length=120)
    log_index: int = Field(sa_column=Column(BigInteger, nullable=False))


class RunningRecord(SQLModel, table=True):
    """What has begun and must end within a term; gone when it ended, or a finding says that it did not."""

    __tablename__ = "supervision_running"
    __table_args__ = (Index("ix_supervision_running_due", "rule", "due_at"),)

    rule: str = Field(primary_key=True, max_length=120)
    subject: str = Field(primary_key=True, max_length=200)
    log_index: int = Field(sa_column=Column(BigInteger, nullable=False))
    due_at: datetime = Field(sa_type=UtcDateTime)


class TallyRecord(SQLModel, table=True):
    """What a rule counts: so many of a name in a bucket."""

    __tablename__ = "supervision_tally"

    rule: str = Field(primary_key=True, max_length=120)
    bucket: str = Field(primary_key=True, max_length=260)
    name: str = Field(primary_key=True, max_length=200)
    count: int


class FindingRecord(SQLModel, table=True):
    """One finding. `id` follows from rule and key: the same thing is found once. `step` counts changes."""

    __tablename__ = "supervision_finding"
    __table_args__ = (Index("ix_supervision_finding_state", "organisation", "state", "found_at"),)

    id: str = Field(primary_key=True, max_length=32)
    rule: str = Field(max_length=60)
    organisation: str = Field(max_length=18)
    officers: list[str] = Field(sa_column=Column(JSON, nullable=False))
    entries: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    count: int
    found_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=10)
    step: int
    explained_by: str | None = Field(default=None, max_length=200)
    explained_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    explanation: str | None = Field(
        default=None, sa_column=Column(SealedText("supervision_finding.explanation"))
    )
    closed_by: str | None = Field(default=None, max_length=200)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closing: str | None = Field(default=None, sa_column=Column(SealedText("supervision_finding.closing")))


class ScopeRecord(SQLModel, table=True):
    """An organisation that an inspector of another one may look into."""

    __tablename__ = "supervision_scope"

    inspector: str = Field(primary_key=True, max_length=200)
    organisation: str = Field(primary_key=True, max_length=18)
    granted_by: str = Field(max_length=420)
    granted_at: datetime = Field(sa_type=UtcDateTime)


class InspectionRecord(SQLModel, table=True):
    """A time in which an inspector looks things up, for a reason."""

    __tablename__ = "supervision_inspection"
    __table_args__ = (Index("ix_supervision_inspection_inspector", "inspector", "begun_at"),)

    id: str = Field(primary_key=True, max_length=32)
    inspector: str = Field(max_length=200)
    organisation: str = Field(max_length=18)
    matter: str = Field(max_length=64)
    words: str = Field(sa_column=Column(SealedText("supervision_inspection.words"), nullable=False))
    begun_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)


class LookUpRecord(SQLModel, table=True):
    """One look-up, written down before it was answered; the entry of the log says the same."""

    __tablename__ = "supervision_look_up"
    __table_args__ = (Index("ix_supervision_look_up_inspector", "inspector", "kind", "at"),)

    entry_id: str = Field(primary_key=True, max_length=32)
    inspection: str = Field(max_length=32)
    inspector: str = Field(max_length=200)
    kind: str = Field(max_length=12)
    at: datetime = Field(sa_type=UtcDateTime)

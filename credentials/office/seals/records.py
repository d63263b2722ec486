"""The tables of seals: queries stand in `repository`, `uses` and `drills`, meanings in the rooms' values."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, String, Text, text
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime

_SEAL = "office_seal.id"
_OPEN = text("decided_at IS NULL")
_CERTIFIED = text("certificate IS NOT NULL")


def _seal(*, nullable: bool = False) -> Column[str]:
    return Column(String(40), ForeignKey(_SEAL), nullable=nullable)


class SealRecord(SQLModel, table=True):
    """One seal. It changes by compare-and-set on `step` only; a certificate belongs to one seal."""

    __tablename__ = "office_seal"
    __table_args__ = (
        Index(
            "uq_office_seal_certificate",
            "agency",
            "certificate",
            unique=True,
            sqlite_where=_CERTIFIED,
            postgresql_where=_CERTIFIED,
        ),
        Index("ix_office_seal_owner", "agency", "owner"),
    )

    id: str = Field(primary_key=True, max_length=40)
    agency: str = Field(max_length=18)
    owner: str = Field(max_length=18)
    owner_name: str = Field(max_length=200)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=20)
    state: str = Field(max_length=20)
    key: str = Field(max_length=500)
    applied_by: str = Field(max_length=200)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    certificate: str | None = Field(default=None, max_length=64)
    not_after: datetime | None = Field(default=None, sa_type=UtcDateTime)
    face: str | None = Field(default=None, max_length=64)
    filing_number: str | None = Field(default=None, max_length=120)
    replaces: str | None = Field(default=None, max_length=40)
    replaced_by: str | None = Field(default=None, max_length=40)
    remade_for: str | None = Field(default=None, max_length=20)
    from_before: bool
    leaked_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_from: str | None = Field(default=None, max_length=20)
    ground: str = Field(sa_column=Column(Text, nullable=False))
    document_number: str = Field(max_length=120)
    step: int


class SealRequestRecord(SQLModel, table=True):
    """What was asked for, and who agreed; decided once."""

    __tablename__ = "office_seal_request"
    __table_args__ = (
        Index("ix_office_seal_request_open", "agency", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: str = Field(primary_key=True, max_length=40)
    agency: str = Field(max_length=18)
    seal: str | None = Field(default=None, sa_column=_seal(nullable=True))  # None: about another key
    kind: str = Field(max_length=20)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    asked_by: str = Field(max_length=200)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    consent: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SealGrantRecord(SQLModel, table=True):
    """A grant; it ends once."""

    __tablename__ = "office_seal_grant"

    id: str = Field(primary_key=True, max_length=40)
    seal: str = Field(sa_column=_seal())
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    granted_by: str = Field(max_length=200)
    granted_at: datetime = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_for: str = Field(max_length=200)

    __table_args__ = (Index("ix_office_seal_grant_seal", "seal"),)


class SealCountRecord(SQLModel, table=True):
    """How many places of a day a limited grant has given away."""

    __tablename__ = "office_seal_count"

    grant: str = Field(primary_key=True, max_length=40)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    taken: int


class SealUseRecord(SQLModel, table=True):
    """One use, recorded in the transaction of what was sealed. `entry` is the audit entry's id."""

    __tablename__ = "office_seal_use"
    __table_args__ = (
        Index("ix_office_seal_use_seal", "seal", "number"),
        Index("ix_office_seal_use_day", "seal", "used_at"),
        Index("ix_office_seal_use_licence", "licence"),
    )

    number: int | None = Field(default=None, primary_key=True)
    seal: str = Field(sa_column=_seal())
    grant: str = Field(max_length=40)
    document: str = Field(max_length=64)
    licence: str | None = Field(default=None, max_length=160)
    actor: str = Field(max_length=200)
    used_at: datetime = Field(sa_type=UtcDateTime)
    entry: str = Field(max_length=40)


class SealAlarmRecord(SQLModel, table=True):
    """A use that was refused. Rows are only added."""

    __tablename__ = "office_seal_alarm"
    __table_args__ = (Index("ix_office_seal_alarm_seal", "seal", "number"),)

    number: int | None = Field(default=None, primary_key=True)
    seal: str = Field(sa_column=_seal())
    grant: str | None = Field(default=None, max_length=40)
    kind: str = Field(max_length=20)
    actor: str = Field(max_length=200)
    wanted: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)
    stopped: str = Field(max_length=20)  # what it stopped: nothing, grant, seal


class SealDrillRecord(SQLModel, table=True):
    """What is done about one leaked key; `cursor` is the last use that was looked at.

    Without a seal it is a credential key's.
    """

    __tablename__ = "office_seal_drill"

    id: str = Field(primary_key=True, max_length=40)
    agency: str = Field(max_length=18)
    seal: str | None = Field(default=None, sa_column=_seal(nullable=True))
    certificate: str = Field(max_length=64)
    since: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=20)
    cursor: int
    ground: str = Field(sa_column=Column(Text, nullable=False))
    document_number: str = Field(max_length=120)
    begun_by: str = Field(max_length=200)
    begun_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class SealDrillItemRecord(SQLModel, table=True):
    """What became of one use in a drill: how it was judged, and what was done."""

    __tablename__ = "office_seal_drill_item"
    __table_args__ = (Index("ix_office_seal_drill_item_state", "drill", "state", "use"),)

    drill: str = Field(sa_column=Column(String(40), ForeignKey("office_seal_drill.id"), primary_key=True))
    use: int = Field(primary_key=True)
    document: str = Field(max_length=64)
    licence: str | None = Field(default=None, max_length=160)
    verdict: str = Field(max_length=20)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str = Field(max_length=20)
    result: str = Field(max_length=200)

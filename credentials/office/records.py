"""The tables of cases and of their bundles; queries stand in the repositories beside what they mean."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson

BUNDLES = Table(
    "office_bundle",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(18), nullable=False),
    Column("number", String(64), nullable=False),
    Column("content", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("step", Integer, nullable=False),  # counts every change: the faster of two wins
    Column("total", Integer, nullable=False),
    Column("faults", SealedJson("office_bundle.faults"), nullable=False),  # a reason may quote what was typed
    Column("editors", JSON, nullable=False),
    Column("consents", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("agency", "number", name="uq_office_bundle_number"),
)


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
    bundle: str | None = Field(
        default=None,
        sa_column=Column(
            String(32), ForeignKey("office_bundle.id", name="fk_office_case_bundle"), index=True
        ),
    )
    # Its row in the bundle's file.
    place: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))

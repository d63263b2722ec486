"""The table of licences that others issued; it holds no name and no number of a person in clear."""

from sqlalchemy import Column, Date, Index, LargeBinary, String, Table
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

FOREIGN = Table(
    "foreign_licence",
    SQLModel.metadata,
    Column("type_code", String(80), primary_key=True),
    Column("number", String(120), primary_key=True),
    Column("type_zh", String(200), nullable=False),
    Column("type_en", String(200), nullable=False),
    Column("issuer_code", String(18), nullable=False),
    Column("issuer_zh", String(200), nullable=False),
    Column("issuer_en", String(200), nullable=False),
    Column("verify_at", String(200), nullable=False),
    Column("holder_index", LargeBinary, nullable=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=True),
    Column("source", String(120), nullable=False),
    Column("kept_by", String(18), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index("ix_foreign_licence_holder", "holder_index"),
    Index("ix_foreign_licence_number", "number"),
)

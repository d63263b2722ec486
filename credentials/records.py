"""The tables of the licence repository.

Queries stand in `credentials.repository`, meanings in `credentials.licence`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson, SealedText

_CURRENT = text("is_current")
_ENDING = text("is_ending")
_WANTED = text("wanted_at IS NOT NULL")


class LicenceRecord(SQLModel, table=True):
    """One version of a licence. Rows are added; `replaced_by`, `successors` and `is_current` change, once.

    `lineage` is type, issuer and serial of the identifier: what all versions of one licence share. The two
    partial indexes hold what must never break: one current version of a licence, and one of a number.
    `holder_index` is a keyed digest of `holder_code`: the index that finds a person's licences says nothing
    of who that is (empty in rows that were written without the key). `provenance` stands in rows of older
    registers; such a row gets its `pdf_sha256` and `issued_at` when it is sealed, once, and until then has
    `wanted_at` when somebody asked for its document.
    """

    __tablename__ = "licence"
    __table_args__ = (
        UniqueConstraint("lineage", "version", name="uq_licence_version"),
        Index("uq_licence_current", "lineage", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
        Index(
            "uq_licence_number",
            "type_code",
            "number",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_licence_number", "number"),
        Index("ix_licence_wanted", "wanted_at", sqlite_where=_WANTED, postgresql_where=_WANTED),
        Index("ix_licence_holder_index", "holder_index", "issued_at", "identifier"),
    )

    identifier: str = Field(primary_key=True, max_length=160)
    lineage: str = Field(max_length=120)
    version: int
    is_current: bool
    number: str = Field(max_length=120)
    type_code: str = Field(max_length=80)
    type_name_zh: str = Field(max_length=200)
    type_name_en: str = Field(max_length=200)
    agency_zh: str = Field(max_length=200)
    agency_en: str = Field(max_length=200)
    agency_code: str = Field(max_length=18)
    holder_name: str = Field(sa_column=Column(SealedText("licence.holder_name"), nullable=False))
    holder_code: str = Field(sa_column=Column(SealedText("licence.holder_code"), nullable=False))
    holder_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    claims: dict[str, Any] = Field(sa_column=Column(SealedJson("licence.claims"), nullable=False))
    issued_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    commitment_due: date | None = Field(default=None, sa_column=Column(Date))
    replaces: str | None = Field(
        default=None, sa_column=Column(String(160), ForeignKey("licence.identifier"))
    )
    replaced_by: str | None = Field(default=None, max_length=160)
    pdf_sha256: str | None = Field(default=None, max_length=64, index=True)
    type_version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    provenance: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    wanted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    kind: str | None = Field(default=None, max_length=20)  # None in rows older than the column
    effective_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    origins: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    successors: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class LicenceEventRecord(SQLModel, table=True):
    """Something that happened to one version. Rows are only added.

    `is_ending` marks the ending that stands: one for each version, and none once that is undone. What was
    known before the undoing follows from the kinds and times, which never change.
    """

    __tablename__ = "licence_event"
    __table_args__ = (
        UniqueConstraint("licence", "sequence", name="uq_licence_event_sequence"),
        Index("uq_licence_ending", "licence", unique=True, sqlite_where=_ENDING, postgresql_where=_ENDING),
    )

    id: int | None = Field(default=None, primary_key=True)
    licence: str = Field(sa_column=Column(String(160), ForeignKey("licence.identifier"), nullable=False))
    sequence: int  # counts the events of one version: two that read the same history cannot both be added
    kind: str = Field(max_length=20)
    is_ending: bool
    effective_from: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    ground: str = Field(sa_column=Column(Text, nullable=False))
    document_number: str = Field(max_length=120)
    actor: str = Field(max_length=200)
    replaced_by: str | None = Field(default=None, max_length=160)
    successors: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    version_kind: str | None = Field(default=None, max_length=20)
    cause: str | None = Field(default=None, max_length=30)
    undoes: int | None = None


class CredentialCopyRecord(SQLModel, table=True):
    """One machine copy of a licence (an SD-JWT VC): where its status stands, and whose key it is bound to.

    `retired_at` and `retired_by` say when and by which kind of event it was ended. That is for good: INVALID
    is final in a status list, so a licence whose ending is undone gets new copies with new indexes.
    """

    __tablename__ = "licence_copy"

    status_uri: str = Field(primary_key=True, max_length=200)
    status_index: int = Field(primary_key=True)
    licence: str = Field(
        sa_column=Column(String(160), ForeignKey("licence.identifier"), nullable=False, index=True)
    )
    holder_key: str | None = Field(default=None, max_length=64)  # fingerprint
    digest: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retired_by: str | None = Field(default=None, max_length=20)


class NumberSeriesRecord(SQLModel, table=True):
    """The last serial given away in a series of licence numbers; none is given twice, gaps may be."""

    __tablename__ = "licence_number_series"

    type_code: str = Field(primary_key=True, max_length=80)
    series: str = Field(primary_key=True, max_length=20)
    last: int

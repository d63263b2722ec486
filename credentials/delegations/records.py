"""The tables of delegations: queries stand in `.repository`, meanings in `.delegation`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, String
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson


class DelegationHolderRecord(SQLModel, table=True):
    """A holder for whom others act, under a keyed digest. The row is what changes of theirs wait for."""

    __tablename__ = "delegation_holder"

    holder_index: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    changes: int


class DelegationRecord(SQLModel, table=True):
    """One delegation. `content` holds the names; `state` changes by compare-and-set with `step`."""

    __tablename__ = "delegation"

    id: str = Field(primary_key=True, max_length=32)
    holder_index: bytes = Field(
        sa_column=Column(
            LargeBinary, ForeignKey("delegation_holder.holder_index"), nullable=False, index=True
        )
    )
    person_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary, index=True))
    agent_key: str = Field(max_length=64, index=True)  # thumbprint
    parent: str | None = Field(
        default=None, sa_column=Column(String(32), ForeignKey("delegation.id"), index=True)
    )
    kind: str = Field(max_length=20)
    state: str = Field(max_length=20)
    step: int
    content: dict[str, Any] = Field(sa_column=Column(SealedJson("delegation.content"), nullable=False))
    ends_at: datetime = Field(sa_type=UtcDateTime)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DelegatedCopyRecord(SQLModel, table=True):
    """A credential that an agent got, the delegation's own or a licence's copy: it ends with it."""

    __tablename__ = "delegation_copy"

    status_uri: str = Field(primary_key=True, max_length=200)
    status_index: int = Field(primary_key=True)
    delegation: str = Field(
        sa_column=Column(String(32), ForeignKey("delegation.id"), nullable=False, index=True)
    )


class DelegationUseRecord(SQLModel, table=True):
    """A verification that an agent was in: for the holder to read. No value of any licence."""

    __tablename__ = "delegation_use"

    verification: str = Field(primary_key=True, max_length=32)
    delegation: str = Field(
        sa_column=Column(String(32), ForeignKey("delegation.id"), nullable=False, index=True)
    )
    department: str = Field(max_length=200)
    purpose: str = Field(max_length=200)
    matter: str = Field(max_length=200)
    licence_type: str = Field(max_length=80)
    indication: str = Field(max_length=20)
    at: datetime = Field(sa_type=UtcDateTime)

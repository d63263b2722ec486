"""The tables of credential offers, authorisations, grants and tokens.

Whatever opens a door is kept as a digest. Queries stand in `credentials.oid4vci.repository`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String
from sqlmodel import Field, SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedText


class OfferRecord(SQLModel, table=True):
    """An offer. `state`: open, redeemed or burnt. `tries` counts codes that were tried."""

    __tablename__ = "oid4vci_offer"

    id: str = Field(primary_key=True, max_length=32)
    reference: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    code: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    tx_code: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    tries: int = 0
    state: str = Field(max_length=16)
    flow: str = Field(max_length=16)
    holder: str = Field(sa_column=Column(SealedText("oid4vci_offer.holder"), nullable=False))
    method: str = Field(max_length=32)
    licences: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    grant_id: str | None = Field(default=None, max_length=32)


class LoginRecord(SQLModel, table=True):
    """A one-time login code that the office handed out."""

    __tablename__ = "oid4vci_login"

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    holder: str = Field(sa_column=Column(SealedText("oid4vci_login.holder"), nullable=False))
    method: str = Field(max_length=32)
    evidence: str = Field(max_length=64)  # a digest
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    spent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuthorizationRecord(SQLModel, table=True):
    """A pushed authorization request and what became of it: pushed, granted, redeemed or ended."""

    __tablename__ = "oid4vci_authorization"

    id: str = Field(primary_key=True, max_length=32)
    request: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    code: bytes | None = Field(default=None, sa_column=Column(LargeBinary, unique=True))
    state: str = Field(max_length=16)
    tries: int = 0
    client_id: str = Field(max_length=200)
    redirect_uri: str = Field(max_length=2000)
    client_state: str | None = Field(default=None, max_length=1000)
    challenge: str = Field(max_length=43)
    key_thumbprint: str | None = Field(default=None, max_length=43)
    wanted: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    by_details: bool
    offer: str | None = Field(default=None, max_length=32)
    holder: str | None = Field(default=None, sa_column=Column(SealedText("oid4vci_authorization.holder")))
    method: str | None = Field(default=None, max_length=32)
    licences: list[Any] | None = Field(default=None, sa_column=Column(JSON))
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    grant_id: str | None = Field(default=None, max_length=32)


class GrantRecord(SQLModel, table=True):
    """What a wallet may fetch, after its code was redeemed."""

    __tablename__ = "oid4vci_grant"

    id: str = Field(primary_key=True, max_length=32)
    holder: str = Field(sa_column=Column(SealedText("oid4vci_grant.holder"), nullable=False))
    method: str = Field(max_length=32)
    licences: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    by_identifier: bool
    client_id: str | None = Field(default=None, max_length=200)
    key_thumbprint: str | None = Field(default=None, max_length=43)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    copies: int = 0
    counted_from: datetime = Field(sa_type=UtcDateTime)


class TokenRecord(SQLModel, table=True):
    """An access or refresh token of a grant."""

    __tablename__ = "oid4vci_token"
    __table_args__ = (Index("ix_oid4vci_token_grant", "grant_id"),)

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    kind: str = Field(max_length=16)
    grant_id: str = Field(sa_column=Column(String(32), ForeignKey("oid4vci_grant.id"), nullable=False))
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    spent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryRecord(SQLModel, table=True):
    """One credential response, and the wallet's last word about it."""

    __tablename__ = "oid4vci_delivery"

    id: str = Field(primary_key=True, max_length=32)
    grant_id: str = Field(sa_column=Column(String(32), ForeignKey("oid4vci_grant.id"), nullable=False))
    licence: str = Field(max_length=160)
    copies: int
    delivered_at: datetime = Field(sa_type=UtcDateTime)
    event: str | None = Field(default=None, max_length=32)
    event_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

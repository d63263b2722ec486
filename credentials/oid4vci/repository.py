"""Every query about offers, authorisations, grants and tokens, in the caller's session; nothing commits here.

What is looked up to be changed is locked until the transaction ends: of two who come at the same moment, the
second sees what the first did.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, insert, select, update

from credentials.oid4vci.records import (
    AuthorizationRecord,
    DeliveryRecord,
    GrantRecord,
    LoginRecord,
    OfferRecord,
    TokenRecord,
)
from credentials.oid4vci.vocabulary import MDOC_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import CursorResult, Table
    from sqlmodel import Session

_OFFERS: Table = OfferRecord.__table__  # type: ignore[attr-defined]
_LOGINS: Table = LoginRecord.__table__  # type: ignore[attr-defined]
_AUTHORIZATIONS: Table = AuthorizationRecord.__table__  # type: ignore[attr-defined]
_GRANTS: Table = GrantRecord.__table__  # type: ignore[attr-defined]
_TOKENS: Table = TokenRecord.__table__  # type: ignore[attr-defined]
_DELIVERIES: Table = DeliveryRecord.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class OfferedLicence:
    """One licence of an offer or a grant, and the configuration that it is fetched by."""

    configuration: str
    licence: str

    @property
    def identifier(self) -> str:
        """The `credential_identifier` that it is fetched by: the licence's, or that of its mdoc."""
        return self.licence + (MDOC_SUFFIX if self.is_mdoc else "")

    @property
    def is_mdoc(self) -> bool:
        """Whether it is fetched as an mdoc."""
        return self.configuration.endswith(MDOC_SUFFIX)


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """An offer as the table has it."""

    id: str
    reference: bytes
    code: bytes
    tx_code: bytes | None
    tries: int
    state: str
    flow: str
    holder: str
    method: str
    licences: tuple[OfferedLicence, ...]
    created_at: datetime
    expires_at: datetime
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A one-time login code; `evidence` is a digest."""

    digest: bytes
    holder: str
    method: str
    evidence: str
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """A pushed authorization request and what became of it."""

    id: str
    request: bytes
    state: str
    client_id: str
    redirect_uri: str
    client_state: str | None
    challenge: str
    key_thumbprint: str | None
    wanted: tuple[str, ...]
    by_details: bool
    expires_at: datetime
    offer: str | None = None
    tries: int = 0
    code: bytes | None = None
    holder: str | None = None
    method: str | None = None
    licences: tuple[OfferedLicence, ...] | None = None
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a wallet may fetch. `by_identifier`: its requests name a `credential_identifier`."""

    id: str
    holder: str
    method: str
    licences: tuple[OfferedLicence, ...]
    by_identifier: bool
    client_id: str | None
    key_thumbprint: str | None
    created_at: datetime
    expires_at: datetime
    counted_from: datetime
    copies: int = 0
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An access or refresh token, by its digest."""

    digest: bytes
    kind: str
    grant_id: str
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One credential response."""

    id: str
    grant_id: str
    licence: str
    copies: int
    delivered_at: datetime
    event: str | None = None
    event_at: datetime | None = None


def digest_of(secret: str) -> bytes:
    """How a code or a token of 256 random bits is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class IssuanceRepository:
    """Offers, authorisations, grants and tokens in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, value: StoredOffer | Login | Authorization | Grant | StoredToken | Delivery) -> None:
        """Keep a new one."""
        self._session.execute(insert(_TABLES[type(value)]), [_row(value)])

    def offer_by_reference(self, reference: str) -> StoredOffer | None:
        """The offer that a link names."""
        return _offer(self._one(_OFFERS, reference=digest_of(reference)))

    def offer_by_code(self, code: str) -> StoredOffer | None:
        """The offer that a pre-authorised code or an issuer's state opens, locked."""
        return _offer(self._one(_OFFERS, lock=True, code=digest_of(code)))

    def offer(self, identifier: str) -> StoredOffer | None:
        """An offer by its id, locked."""
        return _offer(self._one(_OFFERS, lock=True, id=identifier))

    def change_offer(self, identifier: str, **values: object) -> None:
        """Change a locked offer."""
        self._session.execute(update(_OFFERS).where(_OFFERS.c.id == identifier).values(values))

    def login(self, code: str) -> Login | None:
        """A login code, locked."""
        row = self._one(_LOGINS, lock=True, digest=digest_of(code))
        return Login(**row) if row else None

    def spend_login(self, digest: bytes, *, at: datetime) -> None:
        """Use up a locked login code."""
        self._session.execute(update(_LOGINS).where(_LOGINS.c.digest == digest).values(spent_at=at))

    def authorization_by_request(self, request: str, *, lock: bool = True) -> Authorization | None:
        """The request that a `request_uri` names."""
        return _authorization(self._one(_AUTHORIZATIONS, lock=lock, request=digest_of(request)))

    def authorization_by_code(self, code: str) -> Authorization | None:
        """The authorization that a code stands for, locked."""
        return _authorization(self._one(_AUTHORIZATIONS, lock=True, code=digest_of(code)))

    def change_authorization(self, identifier: str, **values: object) -> None:
        """Change a locked authorization."""
        if isinstance(values.get("licences"), tuple):
            values["licences"] = _plain(values["licences"])
        where = _AUTHORIZATIONS.c.id == identifier
        self._session.execute(update(_AUTHORIZATIONS).where(where).values(values))

    def grant(self, identifier: str, *, lock: bool = False) -> Grant | None:
        """A grant by its id."""
        row = self._one(_GRANTS, lock=lock, id=identifier)
        return Grant(**_with_licences(row)) if row else None

    def change_grant(self, identifier: str, **values: object) -> None:
        """Change a locked grant."""
        self._session.execute(update(_GRANTS).where(_GRANTS.c.id == identifier).values(values))

    def token(self, text: str, *, lock: bool = False) -> StoredToken | None:
        """The token of this text."""
        row = self._one(_TOKENS, lock=lock, digest=digest_of(text))
        return StoredToken(**row) if row else None

    def spend_token(self, digest: bytes, *, at: datetime) -> None:
        """Use up a locked token."""
        self._session.execute(update(_TOKENS).where(_TOKENS.c.digest == digest).values(spent_at=at))

    def delivery(self, identifier: str) -> Delivery | None:
        """A delivery by its notification id, locked."""
        row = self._one(_DELIVERIES, lock=True, id=identifier)
        return Delivery(**row) if row else None

    def note_event(self, identifier: str, event: str, *, at: datetime) -> None:
        """Keep a wallet's last word about a locked delivery."""
        values = {"event": event, "event_at": at}
        self._session.execute(update(_DELIVERIES).where(_DELIVERIES.c.id == identifier).values(values))

    def burn(self, *, now: datetime) -> int:
        """End everything that still opens a door; returns how many there were.

        For a node that was put back from a backup: what it holds as unused may have been used since.
        """
        statements = [
            update(_OFFERS).where(_OFFERS.c.state == "open").values(state="burnt"),
            update(_LOGINS).where(_LOGINS.c.spent_at.is_(None)).values(spent_at=now),
            update(_AUTHORIZATIONS)
            .where(_AUTHORIZATIONS.c.state.in_(("pushed", "granted")))
            .values(state="ended"),
            update(_TOKENS).where(_TOKENS.c.spent_at.is_(None)).values(spent_at=now),
            update(_GRANTS).where(_GRANTS.c.revoked_at.is_(None)).values(revoked_at=now),
        ]
        results = [cast("CursorResult[tuple[()]]", self._session.execute(one)) for one in statements]
        return sum(result.rowcount for result in results)

    def purge(self, *, now: datetime) -> int:
        """Forget what is over: requests, logins and tokens at their end, the rest with their grants."""
        over = select(_GRANTS.c.id).where(_GRANTS.c.expires_at < now)
        statements = [
            delete(_LOGINS).where(_LOGINS.c.expires_at < now),
            delete(_AUTHORIZATIONS).where(_AUTHORIZATIONS.c.expires_at < now),
            delete(_OFFERS).where(_OFFERS.c.expires_at < now),
            delete(_TOKENS).where(_TOKENS.c.expires_at < now),
            delete(_TOKENS).where(_TOKENS.c.grant_id.in_(over)),
            delete(_DELIVERIES).where(_DELIVERIES.c.grant_id.in_(over)),
            delete(_GRANTS).where(_GRANTS.c.expires_at < now),
        ]
        results = [cast("CursorResult[tuple[()]]", self._session.execute(one)) for one in statements]
        return sum(result.rowcount for result in results)

    def _one(self, table: Table, *, lock: bool = False, **wanted: object) -> dict[str, Any] | None:
        query = select(table).where(*(table.c[name] == value for name, value in wanted.items()))
        row = self._session.execute(query.with_for_update() if lock else query).one_or_none()
        return dict(row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name


_TABLES: dict[type, Table] = {
    StoredOffer: _OFFERS,
    Login: _LOGINS,
    Authorization: _AUTHORIZATIONS,
    Grant: _GRANTS,
    StoredToken: _TOKENS,
    Delivery: _DELIVERIES,
}


def _row(value: Any) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in type(value).__slots__}
    if "licences" in row:
        row["licences"] = _plain(row["licences"])
    if "wanted" in row:
        row["wanted"] = list(row["wanted"])
    return row


def _plain(licences: Any) -> list[list[str]] | None:
    return None if licences is None else [[one.configuration, one.licence] for one in licences]


def _with_licences(row: Mapping[str, Any]) -> dict[str, Any]:
    found = row["licences"]
    licences = None if found is None else tuple(OfferedLicence(*one) for one in found)
    return {**row, "licences": licences}


def _offer(row: dict[str, Any] | None) -> StoredOffer | None:
    return StoredOffer(**_with_licences(row)) if row else None


def _authorization(row: dict[str, Any] | None) -> Authorization | None:
    return Authorization(**{**_with_licences(row), "wanted": tuple(row["wanted"])}) if row else None

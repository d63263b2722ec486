"""Every query of access, in the caller's session; nothing commits here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from yinxin.access.accounts import Account, How, Passkey, Realm
from yinxin.access.records import ACCOUNTS, ENROLMENTS, IDENTITIES, KEYS, PASSKEYS, SESSIONS
from yinxin.base.actor import ActorKind
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import CursorResult, Select
    from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey with what its signatures are judged by."""

    id: str
    account: Account
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of an account, as its SubjectPublicKeyInfo."""

    thumbprint: str
    public_key: bytes
    made_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A browser's session."""

    account: Account
    how: How
    at: datetime
    used_at: datetime


class AccessRepository:
    """Accounts and what lets people into them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Accounts

    def add_account(self, account: Account, *, realm: Realm, at: datetime) -> None:
        """Add one; `Conflict` when its identifier is taken."""
        row = {
            "id": account.id,
            "realm": str(realm),
            "identifier": account.identifier,
            "name": account.name,
            "organisation": account.organisation,
            "roles": sorted(account.roles),
            "is_active": account.is_active,
            "made_at": at,
        }
        self._insert(ACCOUNTS, row, "somebody has this identifier already: choose another one")

    def account(self, account_id: str) -> Account | None:
        """The account of this id."""
        return self._account(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id))

    def by_identifier(self, identifier: str, *, lock: bool = False) -> Account | None:
        """The member of staff of this identifier."""
        query = select(ACCOUNTS).where(
            ACCOUNTS.c.realm == str(Realm.STAFF), ACCOUNTS.c.identifier == identifier
        )
        return self._account(query.with_for_update() if lock else query)

    def staff_of(self, organisation: str) -> list[Account]:
        """Everybody whom an organisation ever registered, by identifier."""
        query = select(ACCOUNTS).where(ACCOUNTS.c.organisation == organisation)
        return [_account(row) for row in self._session.execute(query.order_by(ACCOUNTS.c.identifier))]

    def set_roles(self, account_id: str, roles: Collection[str]) -> None:
        """Change what somebody may do."""
        mine = update(ACCOUNTS).where(ACCOUNTS.c.id == account_id)
        self._session.execute(mine.values(roles=sorted(roles)))

    def deactivate(self, account_id: str, *, at: datetime) -> None:
        """Let nobody in by this account any more, and end what is open."""
        mine = update(ACCOUNTS).where(ACCOUNTS.c.id == account_id)
        self._session.execute(mine.values(is_active=False))
        open_keys = update(KEYS).where(KEYS.c.account == account_id, KEYS.c.removed_at.is_(None))
        self._session.execute(open_keys.values(removed_at=at))
        for table in (SESSIONS, PASSKEYS, IDENTITIES, ENROLMENTS):
            self._session.execute(delete(table).where(table.c.account == account_id))

    # Enrolment codes

    def add_enrolment(self, digest: bytes, account_id: str, *, expires_at: datetime) -> None:
        """Store a code, by its digest; an older one of the account that nobody used is void."""
        self._session.execute(
            delete(ENROLMENTS).where(ENROLMENTS.c.account == account_id, ENROLMENTS.c.used_at.is_(None))
        )
        row = {"digest": digest, "account": account_id, "expires_at": expires_at}
        self._insert(ENROLMENTS, row, "this code exists already")

    def enrolling(self, digest: bytes, *, now: datetime) -> Account | None:
        """Whom a code that is still good belongs to."""
        query = _owned(ENROLMENTS).where(
            ENROLMENTS.c.digest == digest, ENROLMENTS.c.used_at.is_(None), ENROLMENTS.c.expires_at > now
        )
        return self._account(query)

    def spend_enrolment(self, digest: bytes, *, now: datetime) -> bool:
        """Use a code up; False when somebody else was faster, or it is over."""
        still_good = (
            (ENROLMENTS.c.digest == digest) & ENROLMENTS.c.used_at.is_(None) & (ENROLMENTS.c.expires_at > now)
        )
        return _count(self._session.execute(update(ENROLMENTS).where(still_good).values(used_at=now))) == 1

    # Passkeys

    def add_passkey(  # noqa: PLR0913 - a passkey's facts
        self,
        passkey: str,
        account_id: str,
        *,
        public_key: bytes,
        sign_count: int,
        backed_up: bool,
        at: datetime,
    ) -> None:
        """Add one; `Conflict` when an account has it already (WebAuthn 3, 7.1, step 26)."""
        row = {
            "id": passkey,
            "account": account_id,
            "public_key": public_key,
            "sign_count": sign_count,
            "is_backed_up": backed_up,
            "made_at": at,
        }
        self._insert(PASSKEYS, row, "this passkey is registered already")

    def passkey(self, passkey: str) -> StoredPasskey | None:
        """The passkey of this id, with its account."""
        query = _owned(PASSKEYS).add_columns(
            PASSKEYS.c.id.label("passkey"), PASSKEYS.c.public_key, PASSKEYS.c.sign_count
        )
        row = self._session.execute(query.where(PASSKEYS.c.id == passkey)).one_or_none()
        return StoredPasskey(row.passkey, _account(row), row.public_key, row.sign_count) if row else None

    def passkeys_of(self, account_id: str) -> list[Passkey]:
        """The passkeys of an account, oldest first."""
        query = select(PASSKEYS).where(PASSKEYS.c.account == account_id).order_by(PASSKEYS.c.made_at)
        return [
            Passkey(row.id, row.made_at, row.used_at, row.is_backed_up)
            for row in self._session.execute(query)
        ]

    def count_up(self, passkey: StoredPasskey, sign_count: int, *, at: datetime) -> bool:
        """Note a use; False when another use came between."""
        mine = (PASSKEYS.c.id == passkey.id) & (PASSKEYS.c.sign_count == passkey.sign_count)
        noted = update(PASSKEYS).where(mine).values(sign_count=sign_count, used_at=at)
        return _count(self._session.execute(noted)) == 1

    def remove_passkey(self, passkey: str, *, account_id: str) -> bool:
        """Forget a passkey of this account; False when it has none of this id."""
        mine = (PASSKEYS.c.id == passkey) & (PASSKEYS.c.account == account_id)
        return _count(self._session.execute(delete(PASSKEYS).where(mine))) == 1

    # Keys

    def add_key(self, thumbprint: str, account_id: str, *, public_key: bytes, at: datetime) -> None:
        """Add one; `Conflict` when it is, or was, anybody's."""
        row = {"thumbprint": thumbprint, "account": account_id, "public_key": public_key, "made_at": at}
        self._insert(KEYS, row, "this key is, or was, somebody's: make a new one")

    def keys_of(self, account_id: str) -> list[StoredKey]:
        """The keys that an account has or had, oldest first."""
        query = select(KEYS).where(KEYS.c.account == account_id).order_by(KEYS.c.made_at, KEYS.c.thumbprint)
        return [
            StoredKey(row.thumbprint, row.public_key, row.made_at, row.removed_at)
            for row in self._session.execute(query)
        ]

    def remove_key(self, thumbprint: str, *, account_id: str, at: datetime) -> bool:
        """Let a key of this account sign no more; False when it has none of this name."""
        mine = (
            (KEYS.c.thumbprint == thumbprint) & (KEYS.c.account == account_id) & KEYS.c.removed_at.is_(None)
        )
        return _count(self._session.execute(update(KEYS).where(mine).values(removed_at=at))) == 1

    # Identities at the city's identity platform

    def add_identity(self, issuer: str, subject: str, account_id: str) -> None:
        """Join an identity to an account; `Conflict` when it is joined to one."""
        row = {"issuer": issuer, "subject": subject, "account": account_id}
        self._insert(IDENTITIES, row, "this identity belongs to an account already")

    def by_identity(self, issuer: str, subject: str) -> Account | None:
        """The account that an identity was joined to."""
        query = _owned(IDENTITIES).where(IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject)
        return self._account(query)

    # Sessions

    def add_session(self, digest: bytes, account_id: str, *, how: How, at: datetime) -> None:
        """Open one, by the digest of its cookie."""
        row = {"digest": digest, "account": account_id, "how": str(how), "at": at, "used_at": at}
        self._session.execute(insert(SESSIONS).values(**row))

    def session(self, digest: bytes) -> StoredSession | None:
        """The session of this digest, with its account."""
        query = _owned(SESSIONS).add_columns(SESSIONS.c.how, SESSIONS.c.at, SESSIONS.c.used_at)
        row = self._session.execute(query.where(SESSIONS.c.digest == digest)).one_or_none()
        return StoredSession(_account(row), How(row.how), row.at, row.used_at) if row else None

    def touch_session(self, digest: bytes, *, at: datetime) -> None:
        """Note that a session is in use."""
        self._session.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(used_at=at))

    def end_session(self, digest: bytes) -> bool:
        """End one; False when there was none."""
        return _count(self._session.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))) == 1

    def burn(self, *, now: datetime) -> int:
        """End all sessions and use up all codes, for a node put back from a backup; returns how many."""
        unused = update(ENROLMENTS).where(ENROLMENTS.c.used_at.is_(None)).values(used_at=now)
        return sum(_count(self._session.execute(one)) for one in (delete(SESSIONS), unused))

    def purge(self, *, idle_since: datetime, now: datetime) -> int:
        """Forget sessions and codes that are over."""
        over = (
            delete(SESSIONS).where(SESSIONS.c.used_at < idle_since),
            delete(ENROLMENTS).where(ENROLMENTS.c.expires_at < now),
        )
        return sum(_count(self._session.execute(statement)) for statement in over)

    def _insert(self, table: Any, row: dict[str, Any], otherwise: str) -> None:
        try:
            with self._session.begin_nested():
                self._session.execute(insert(table).values(**row))
        except IntegrityError as exc:
            raise Conflict(otherwise) from exc

    def _account(self, query: Select[Any]) -> Account | None:
        row = self._session.execute(query).one_or_none()
        return _account(row) if row else None


def _owned(table: Any) -> Select[Any]:
    """The accounts that rows of a table belong to."""
    return select(ACCOUNTS).join(table, table.c.account == ACCOUNTS.c.id)


def _account(row: Any) -> Account:
    kind = ActorKind.STAFF if row.realm == Realm.STAFF else ActorKind.HOLDER
    roles = frozenset(row.roles)
    return Account(row.id, kind, row.identifier, row.name, row.organisation, roles, row.is_active)


def _count(result: object) -> int:
    return cast("CursorResult[tuple[()]]", result).rowcount

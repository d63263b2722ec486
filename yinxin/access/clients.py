"""Keys of members of staff, and of an organisation's systems: what they come in by where no browser is.

    keys = StaffKeys(database)
    keys.add("reviewer-wang", public_key, actor=registrar)

A registrar of the same organisation adds and removes them, and nobody the own. A key belongs to one account
for good. What it signed before it was removed can still be looked up by its name; it signs nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.keys import PublicKey
from yinxin.access.repository import AccessRepository
from yinxin.access.rights import changeable
from yinxin.access.tokens import (
    AccessTokens,
    ClientAuthenticator,
    read_token_request,
    token_answer,
)
from yinxin.base import audit
from yinxin.base.actor import ActorKind, one_spelling
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, Unauthenticated, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.signer import Signer
    from yinxin.access.accounts import Account
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

MAX_KEYS = 8
KEY_KINDS = ("P-256", "P-384", "Ed25519", "RSA")
SCOPE = "office"


@dataclass(frozen=True, slots=True)
class StaffKey:
    """A key as its owner and the registrar see it."""

    public_key: PublicKey
    made_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffClient:
    """An active account with the keys that it may prove now."""

    account: Account
    keys: tuple[PublicKey, ...]

    @property
    def id(self) -> str:
        """Its client id is what the log knows it by."""
        return self.account.identifier

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.account.actor


class StaffKeys:
    """The keys of all staff and systems of this database."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock or SystemClock()

    def add(self, identifier: str, public_key: PublicKey, *, actor: Actor) -> Account:
        """Let somebody sign with a key from now on.

        `Conflict` when the key is, or was, anybody's, or for one key too many.
        """
        if public_key.kind not in KEY_KINDS:
            raise InvalidClaims(faults=[("key", _KINDS_TEXT)])
        with self._database.transaction() as session:
            account, repository = changeable(session, identifier, actor), AccessRepository(session)
            present = [one for one in repository.keys_of(account.id) if one.removed_at is None]
            if len(present) >= MAX_KEYS:
                raise Conflict(f"nobody has more than {MAX_KEYS} keys: remove one")
            name, now = public_key.thumbprint, self._clock.now()
            repository.add_key(name, account.id, public_key=public_key.spki, at=now)
            self._record(session, "staff.key_added", account, actor, name)
        return account

    def remove(self, identifier: str, thumbprint: str, *, actor: Actor) -> Account:
        """Let a key sign no more, from now on; `NotFound` when the account has none of this name."""
        with self._database.transaction() as session:
            account, now = changeable(session, identifier, actor), self._clock.now()
            if not AccessRepository(session).remove_key(thumbprint, account_id=account.id, at=now):
                raise NotFound("the account has no such key")
            self._record(session, "staff.key_removed", account, actor, thumbprint)
        return account

    def keys_of(self, identifier: str, *, organisation: str | None = None) -> tuple[PublicKey, ...]:
        """What an active account may sign with now; of one organisation, where it is named."""
        client = self.client(identifier)
        is_theirs = client and organisation in {None, client.account.organisation}
        return client.keys if client and is_theirs else ()

    def client(self, identifier: str) -> StaffClient | None:
        """The active account of this identifier with its keys; None when it has none."""
        try:
            spelt = one_spelling(identifier)
        except UsageError:
            return None
        with self._database.reading() as session:
            repository = AccessRepository(session)
            account = repository.by_identifier(spelt)
            stored = repository.keys_of(account.id) if account and account.is_active else []
        keys = tuple(PublicKey(one.public_key) for one in stored if one.removed_at is None)
        return StaffClient(account, keys) if account and keys else None

    def listed(self, identifier: str, *, actor: Actor) -> list[StaffKey]:
        """Every key that an account has or had, oldest first, for its organisation's staff."""
        with self._database.reading() as session:
            repository = AccessRepository(session)
            account = repository.by_identifier(one_spelling(identifier))
            if account is None or (actor.kind, actor.agency) != (ActorKind.STAFF, account.organisation):
                raise NotFound(f"no member of staff {identifier[:64]} here")
            stored = repository.keys_of(account.id)
        return [StaffKey(PublicKey(one.public_key), one.made_at, one.removed_at) for one in stored]

    def _record(self, session: Session, action: str, account: Account, actor: Actor, key: str) -> None:
        audit.record(
            session,
            action=action,
            subject=f"account:{account.id}",
            actor=actor,
            at=self._clock.now(),
            details={"identifier": account.identifier, "key": key},
        )


class StaffTokens:
    """Lets staff and systems of one organisation into its service by key: assertion in, access token out."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        keys: StaffKeys,
        *,
        url: str,
        organisation: str,
        signer: Signer,
        database: Database,
        clock: Clock,
    ) -> None:
        """`url` is the service's address without a slash at the end; `signer` is for its tokens alone."""
        self.url, self.clock = url, clock
        self._keys, self._organisation, self._database = keys, organisation, database
        self._tokens = AccessTokens(signer, issuer=url, clock=clock)
        audiences = frozenset({url, f"{url}/v1/token"})
        self._clients = ClientAuthenticator(self._own, audiences=audiences, clock=clock)

    def answer(self, form: Mapping[str, str]) -> dict[str, object]:
        """Answer a token request; `OAuthError` when it is refused."""
        text, scope = read_token_request(form, scopes=(SCOPE,))
        assertion = self._clients.authenticate(text)
        with self._database.transaction() as session:
            assertion.use_up(session, at=self.clock.now())
        return token_answer(self._tokens.issue(assertion.client.id, scope=scope), scope=scope)

    def actor_of(self, token: str) -> Actor:
        """Who holds this access token, with the roles of this moment; `Unauthenticated` for nobody."""
        client = self._own(self._tokens.check(token, scope=SCOPE))
        if client is None:
            raise Unauthenticated("the account has no key any more")
        return client.actor

    def _own(self, identifier: str) -> StaffClient | None:
        found = self._keys.client(identifier)
        # Its own spelling only: what an assertion names is what the log says.
        is_own = found and (found.id, found.account.organisation) == (identifier, self._organisation)
        return found if is_own else None


_KINDS_TEXT = Text(
    f"密钥须为：{'、'.join(KEY_KINDS)}（JOSE 尚无 SM2 签名算法名称）",
    f"a key must be one of: {', '.join(KEY_KINDS)} (JOSE has no name for SM2 signatures)",
)

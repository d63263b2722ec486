"""Browser sessions: a random cookie, its digest in a row; over after 30 idle minutes, or after 12 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from yinxin.access.accounts import Account, Entered, How, Realm, SignedIn
from yinxin.access.codes import digest_of
from yinxin.access.repository import AccessRepository
from yinxin.base import once
from yinxin.base.actor import ActorKind
from yinxin.base.randomness import random_text

if TYPE_CHECKING:
    from datetime import datetime

    from yinxin.access.repository import StoredSession
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session
    from yinxin.base.randomness import Randomness

IDLE, MOST = timedelta(minutes=30), timedelta(hours=12)
_TOUCH = timedelta(minutes=1)  # a busy page does not write with every request
_KINDS = {Realm.STAFF: ActorKind.STAFF, Realm.HOLDER: ActorKind.HOLDER}
TOKEN_CHARACTERS = 43


class Sessions:
    """The sessions of one realm at one origin: a token is nothing anywhere else."""

    def __init__(
        self, database: Database, *, realm: Realm, origin: str, clock: Clock, randomness: Randomness
    ) -> None:
        self._database, self._realm, self._clock, self._randomness = database, realm, clock, randomness
        self._scope = f"session {realm} {origin}"

    def open(self, session: Session, account: Account, how: How) -> Entered:
        """A fresh session in the caller's transaction: never one that the browser brought."""
        token, now = random_text(self._randomness, 32), self._clock.now()
        digest = self._digest(token)
        AccessRepository(session).add_session(digest, account.id, how=how, at=now)
        return Entered(SignedIn(account, how, now, _id(digest)), token)

    def find(self, token: str | None) -> SignedIn | None:
        """Who has this token; None for nobody, or no longer."""
        if not token or len(token) != TOKEN_CHARACTERS:
            return None
        digest, now = self._digest(token), self._clock.now()
        with self._database.reading() as session:
            found = AccessRepository(session).session(digest)
        if found is None or not self._is_good(found, now):
            return None
        if now - found.used_at >= _TOUCH:
            with self._database.transaction() as session:
                AccessRepository(session).touch_session(digest, at=now)
        return SignedIn(found.account, found.how, found.at, _id(digest))

    def end(self, token: str | None) -> None:
        """End a session; one that is over, or never was, is no error."""
        if token:
            with self._database.transaction() as session:
                AccessRepository(session).end_session(self._digest(token))

    def purge(self) -> int:
        """Forget what is over; returns how much that was."""
        now = self._clock.now()
        with self._database.transaction() as session:
            over = AccessRepository(session).purge(idle_since=now - IDLE, now=now)
            return over + once.purge(session, now=now)

    def _is_good(self, found: StoredSession, now: datetime) -> bool:
        account = found.account
        is_ours = account.is_active and account.kind is _KINDS[self._realm]
        # A clock that was set back makes no session young again.
        return is_ours and found.at <= now < found.at + MOST and now < found.used_at + IDLE

    def _digest(self, token: str) -> bytes:
        return digest_of(self._scope, token)


def _id(digest: bytes) -> str:
    """What a session is called where its token must not stand."""
    return digest[:12].hex()

"""Challenges for authenticators: unpredictable, for one purpose, for some minutes, and good once.

A challenge carries its own proof (an HMAC over purpose, subject and end), so that strangers who ask for one
fill no table; `yinxin.base.once` remembers those that were used.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from yinxin.base import once
from yinxin.base.errors import Conflict, Unauthenticated

if TYPE_CHECKING:
    from yinxin.base.database import Session
    from yinxin.base.randomness import Randomness

LIFE = timedelta(minutes=5)
_RANDOM, _TIME, _MAC = 16, 8, 32


class Challenges:
    """Makes challenges and knows them again. `secret` is shared by all workers; `scope` parts realms."""

    def __init__(self, secret: bytes, scope: str, *, randomness: Randomness) -> None:
        self._secret, self._scope, self._randomness = secret, scope, randomness

    def make(self, purpose: str, subject: str, *, now: datetime) -> bytes:
        """A fresh one, for one purpose and subject."""
        end = int((now + LIFE).timestamp()).to_bytes(_TIME, "big")
        body = self._randomness.bytes(_RANDOM) + end
        return body + self._mac(body, purpose, subject)

    def check(self, challenge: bytes, purpose: str, subject: str, *, now: datetime) -> None:
        """Raise `Unauthenticated` unless it is ours, for this, and not over."""
        body, mac = challenge[:-_MAC], challenge[-_MAC:]
        if len(body) != _RANDOM + _TIME or not hmac.compare_digest(mac, self._mac(body, purpose, subject)):
            raise Unauthenticated("the challenge is not ours")
        if _end(challenge) <= now:
            raise Unauthenticated("the challenge is over: try again")

    def use_up(self, session: Session, challenge: bytes) -> None:
        """Raise `Unauthenticated` when it was used before; else it is used now."""
        try:
            once.consume(session, f"{self._scope} challenge", challenge.hex(), expires_at=_end(challenge))
        except Conflict as exc:
            raise Unauthenticated("the challenge was used before") from exc

    def _mac(self, body: bytes, purpose: str, subject: str) -> bytes:
        words = [part.encode() for part in (self._scope, purpose, subject)]
        message = b"".join(len(word).to_bytes(4, "big") + word for word in words) + body
        return hmac.new(self._secret, message, hashlib.sha256).digest()


def _end(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_RANDOM : _RANDOM + _TIME], "big"), UTC)

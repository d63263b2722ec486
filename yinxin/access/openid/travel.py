"""What a browser carries on its way to the identity platform and back: sealed by us, for ten minutes.

State, nonce and PKCE verifier stay in the browser that began, so that an answer that somebody else's browser
brings is none. No row is written before somebody comes back.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object
from yinxin.base.errors import MalformedInput, Unauthenticated
from yinxin.base.randomness import Randomness, random_text

if TYPE_CHECKING:
    from typing import Self

LIFE = timedelta(minutes=10)
MAX_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Traveller:
    """One sign-in on its way."""

    state: str
    nonce: str
    verifier: str
    onward: str
    until: int

    @classmethod
    def begin(cls, onward: str, *, randomness: Randomness, now: datetime) -> Self:
        """A fresh one that goes on to a local path."""
        until = int((now + LIFE).timestamp())
        state, nonce, verifier = (random_text(randomness, 32) for _ in range(3))
        return cls(state, nonce, verifier, onward, until)

    def seal(self, secret: bytes, scope: str) -> str:
        """The text that the browser carries."""
        body = dump_json(asdict(self))
        return encode_base64url(_mac(secret, scope, body) + body)

    @classmethod
    def unseal(cls, text: str | None, secret: bytes, scope: str, *, now: datetime) -> Self:
        """Who came back; `Unauthenticated` for a text that is not ours, or over."""
        try:
            data = decode_base64url(text) if text and len(text) <= MAX_CHARACTERS else b""
        except MalformedInput:
            data = b""
        mac, body = data[:32], data[32:]
        if not hmac.compare_digest(mac, _mac(secret, scope, body)):
            raise Unauthenticated("this browser did not begin a sign-in here")
        found = cls(**load_json_object(body))
        if found.ends_at <= now:
            raise Unauthenticated("the sign-in took too long: begin again")
        return found

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return datetime.fromtimestamp(self.until, UTC)


def _mac(secret: bytes, scope: str, body: bytes) -> bytes:
    return hmac.new(secret, f"yinxin openid 1 {scope}\0".encode() + body, hashlib.sha256).digest()

"""Nonces that need no row until they are used: a time, chance, and a MAC over both.

Whoever asks for a million of them fills no table. `expires_at` says whether one is ours and in time; that it
is used once is decided by `yinxin.base.once`, in the transaction that uses it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from credentials.oid4vci.vocabulary import NONCE_LIFE
from signing.base64url import decode_base64url, encode_base64url
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from yinxin.base.randomness import Randomness

SECRET_BYTES = 32
_TIME, _CHANCE, _MAC = 5, 16, 16
_CHARACTERS = (4 * (_TIME + _CHANCE + _MAC) + 2) // 3


def keyed_digest(secret: bytes, purpose: str, value: str) -> bytes:
    """HMAC-SHA256 of a value for one purpose; what a leaked table alone does not let anybody compute."""
    message = purpose.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    return hmac.new(secret, message, hashlib.sha256).digest()


class Nonces:
    """Nonces for one purpose. `secret` is shared by all workers of an issuer."""

    def __init__(
        self, secret: bytes, purpose: str, *, randomness: Randomness, life: timedelta = NONCE_LIFE
    ) -> None:
        if len(secret) < SECRET_BYTES:
            raise UsageError(f"the secret of nonces has {SECRET_BYTES} bytes at least")
        self._secret = hmac.new(secret, b"nonces " + purpose.encode(), hashlib.sha256).digest()
        self._randomness = randomness
        self._life = life

    def make(self, *, now: datetime) -> str:
        """A fresh nonce."""
        until = int((now + self._life).timestamp()).to_bytes(_TIME, "big")
        body = until + self._randomness.bytes(_CHANCE)
        return encode_base64url(body + self._mac(body))

    def expires_at(self, text: str, *, now: datetime) -> datetime | None:
        """When it ends; None unless it is ours and in time."""
        if len(text) != _CHARACTERS:
            return None
        try:
            raw = decode_base64url(text)
        except MalformedInput:
            return None
        body, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        until = datetime.fromtimestamp(int.from_bytes(body[:_TIME], "big"), UTC)
        # A nonce from the future was made by a clock that was set back since.
        return until if now < until <= now + self._life + timedelta(seconds=1) else None

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()[:_MAC]

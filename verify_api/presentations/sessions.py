"""A presentation session: its states, its secrets, and who may read what it found.

A session is known by three names that never meet: its id, which the department has; the request id, which
wallets have; the response code, which only the browser that came back has (OpenID4VP 1.0, 13.3). The
database keeps digests of the last two, and everything secret sealed under a key that is not in it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credentials.oid4vp.requests import AuthorizationRequest
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object
from signing.jwe import DecryptionKey
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_api.presentations.repository import StoredPresentation
    from yinxin.base.randomness import Randomness

SESSION_LIFE = timedelta(seconds=120)
KEPT_AFTER = timedelta(minutes=10)  # how long a department may read what was found
MAX_TRIES = 10
SECRET_BYTES = 32
_NONCE_BYTES = 12


class State(StrEnum):
    """Where a session stands. `EXPIRED` is never stored: it follows from the time."""

    OPEN = "open"
    FETCHED = "fetched"
    RECEIVED = "received"
    ANSWERED = "answered"
    RETURNED = "returned"
    DECLINED = "declined"
    CLOSED = "closed"
    EXPIRED = "expired"


ALIVE = (str(State.OPEN), str(State.FETCHED))
_RUNNING = (*ALIVE, str(State.RECEIVED))


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a session's request was made of. `key` is there when its response is encrypted."""

    request: AuthorizationRequest
    key: DecryptionKey | None


class Sealer:
    """Seals and opens what the database must not give away."""

    def __init__(self, secret: bytes, randomness: Randomness) -> None:
        """`secret`: 32 bytes, the same in every process that serves these sessions."""
        if len(secret) != SECRET_BYTES:
            raise UsageError(f"the sessions' secret has {SECRET_BYTES} bytes")
        derived = HKDF(hashes.SHA256(), SECRET_BYTES, None, b"yinxin presentation sessions").derive(secret)
        self._cipher = AESGCM(derived)
        self._randomness = randomness

    def seal(self, value: Mapping[str, Any], *, owner: str) -> bytes:
        """The sealed form; it opens for this owner only."""
        nonce = self._randomness.bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, dump_json(value), owner.encode())

    def open(self, sealed: bytes, *, owner: str) -> dict[str, Any]:
        """What was sealed; `Conflict` when the key has changed since."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except InvalidTag as exc:
            raise Conflict("the session was begun under another key") from exc
        return load_json_object(plain)

    def seal_secrets(self, secrets: Secrets, *, owner: str) -> bytes:
        """A session's request and key."""
        key = encode_base64url(secrets.key.to_secret()) if secrets.key else None
        return self.seal({"request": secrets.request.to_claims(), "key": key}, owner=owner)

    def open_secrets(self, sealed: bytes, *, owner: str) -> Secrets:
        """What `seal_secrets` sealed."""
        value = self.open(sealed, owner=owner)
        request = AuthorizationRequest.from_claims(value["request"], allow_http=True)
        key = DecryptionKey.from_secret(decode_base64url(value["key"])) if value["key"] else None
        return Secrets(request, key)


def state_of(found: StoredPresentation, *, now: datetime) -> State:
    """Where the session stands now."""
    if found.state in _RUNNING and found.expires_at <= now:
        return State.EXPIRED
    return State(found.state)


def may_read(found: StoredPresentation, *, response_code: str | None) -> bool:
    """Whether the result may be handed out: on one device, only after the browser that began came back.

    With a `return_url` of the department's the browser brought it the response code; with ours, we saw
    cookie and code ourselves.
    """
    if not found.content["same_device"]:
        return True
    if found.content["return_url"] is None:
        return found.state == State.RETURNED
    return is_same(response_code, found.code)


def is_same(value: str | None, digest: bytes | None) -> bool:
    """Whether this is the value of a stored digest."""
    if value is None or digest is None:
        return False
    return hmac.compare_digest(digest_of(value), digest)


def digest_of(value: str) -> bytes:
    """How identifiers and codes are stored."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()

"""Encrypt documents, name them so that names say nothing, and believe no place that gives them back.

A document is found by the SHA-256 of its plain bytes. Its name at the place is a keyed hash of that, so that
nobody without the key can tell whether a given document is there, and its bytes are AES-256-GCM with the
digest bound in: another document, an older one, a part of one are all refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from credentials.documents.local import LocalFolder
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

MAX_DOCUMENT_BYTES = 64 << 20
_NONCE_BYTES, _TAG_BYTES = 12, 16
_LARGEST = MAX_DOCUMENT_BYTES + _NONCE_BYTES + _TAG_BYTES
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Place(Protocol):
    """Keeps bytes under names of 64 hex digits. `Unreachable` when it cannot be asked."""

    def write(self, name: str, data: bytes) -> None:
        """Keep these bytes, whole or not at all; what is there already may stay."""
        ...

    def read(self, name: str, *, limit: int) -> bytes | None:
        """The bytes of a name, None when there are none; `TooLarge` beyond `limit`."""
        ...

    def has(self, name: str) -> bool:
        """Whether something is kept under a name."""
        ...

    def remove(self, name: str) -> None:
        """Forget a name, if it is there."""
        ...


class DocumentStore:
    """Documents at one place (a local folder, unless it is another), under one 32-byte key."""

    def __init__(
        self, place: Place | str | Path, key: bytes, *, randomness: Randomness | None = None
    ) -> None:
        if len(key) != 32:
            raise UsageError("the key of a document store has 32 bytes")
        self._place = LocalFolder(place) if isinstance(place, str | Path) else place
        self._cipher = AESGCM(hashlib.sha256(b"yinxin documents: content" + key).digest())
        self._name_key = hashlib.sha256(b"yinxin documents: names" + key).digest()
        self._randomness = randomness or SystemRandomness()

    def put(self, document: bytes) -> str:
        """Keep a document and return its SHA-256 in hex; keeping it twice changes nothing."""
        if len(document) > MAX_DOCUMENT_BYTES:
            raise TooLarge("document", f"over {MAX_DOCUMENT_BYTES} bytes")
        digest = hashlib.sha256(document).hexdigest()
        name = self._name(digest)
        if not self._place.has(name):
            nonce = self._randomness.bytes(_NONCE_BYTES)
            self._place.write(name, nonce + self._cipher.encrypt(nonce, document, digest.encode()))
        return digest

    def get(self, digest: str) -> bytes:
        """The document with this SHA-256; `NotFound`, or `MalformedInput` when what is kept was damaged."""
        if not _DIGEST.match(digest):
            raise NotFound("no document has this name")
        kept = self._place.read(self._name(digest), limit=_LARGEST)
        if kept is None:
            raise NotFound(f"no document {digest}")
        try:
            document = self._cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], digest.encode())
        except (InvalidTag, ValueError) as exc:
            raise MalformedInput("stored document", "damaged, or kept under another key") from exc
        if (
            hashlib.sha256(document).hexdigest() != digest
        ):  # whoever has the key can still not pass another off
            raise MalformedInput("stored document", "another document is kept under this name")
        return document

    def remove(self, digest: str) -> None:
        """Forget a document, if it is there."""
        if _DIGEST.match(digest):
            self._place.remove(self._name(digest))

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and bool(_DIGEST.match(digest)) and self._place.has(self._name(digest))

    def _name(self, digest: str) -> str:
        return hmac.digest(self._name_key, digest.encode(), "sha256").hex()

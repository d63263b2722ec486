"""A content-addressed, encrypted store of documents in a local folder.

A document is found by the SHA-256 of its plain bytes. On disk its name is a keyed hash of that, so that
nobody without the key can tell whether a given document is there, and its bytes are AES-256-GCM. Retention,
erasure and other places (object stores) come with the office.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yinxin.base.errors import MalformedInput, NotFound, TooLarge, Unreachable, UsageError
from yinxin.base.files import replace_file
from yinxin.base.randomness import Randomness, SystemRandomness

MAX_DOCUMENT_BYTES = 64 << 20
_NONCE_BYTES = 12
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class DocumentStore:
    """Documents below one folder, under one 32-byte key."""

    def __init__(self, directory: str | Path, key: bytes, *, randomness: Randomness | None = None) -> None:
        if len(key) != 32:
            raise UsageError("the key of a document store has 32 bytes")
        self._directory = Path(directory)
        self._cipher = AESGCM(hashlib.sha256(b"yinxin documents: content" + key).digest())
        self._name_key = hashlib.sha256(b"yinxin documents: names" + key).digest()
        self._randomness = randomness or SystemRandomness()

    def put(self, document: bytes) -> str:
        """Keep a document and return its SHA-256 in hex; keeping it twice changes nothing."""
        if len(document) > MAX_DOCUMENT_BYTES:
            raise TooLarge("document", f"over {MAX_DOCUMENT_BYTES} bytes")
        digest = hashlib.sha256(document).hexdigest()
        path = self._path(digest)
        if not path.exists():
            nonce = self._randomness.bytes(_NONCE_BYTES)
            self._write(path, nonce + self._cipher.encrypt(nonce, document, digest.encode()))
        return digest

    def get(self, digest: str) -> bytes:
        """The document with this SHA-256; `NotFound`, or `MalformedInput` when what is kept was damaged."""
        if not _DIGEST.match(digest):
            raise NotFound("no document has this name")
        try:
            kept = self._path(digest).read_bytes()
        except OSError as exc:
            raise NotFound(f"no document {digest}") from exc
        try:
            return self._cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], digest.encode())
        except (InvalidTag, ValueError) as exc:
            raise MalformedInput("stored document", "damaged, or kept under another key") from exc

    def remove(self, digest: str) -> None:
        """Forget a document, if it is there."""
        if _DIGEST.match(digest):
            self._path(digest).unlink(missing_ok=True)

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and bool(_DIGEST.match(digest)) and self._path(digest).exists()

    def _path(self, digest: str) -> Path:
        name = hmac.digest(self._name_key, digest.encode(), "sha256").hex()
        return self._directory / name[:2] / name[2:4] / name[4:]

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise Unreachable(f"the document store cannot be written: {exc.strerror}") from exc
        replace_file(path, data)

"""What personal data is kept under: keys by URI, one to seal with and older ones to open with.

A sealed value names its key, and holds AES-256-GCM over the value with its place (`table.column`) as
associated data: a value moved to another column does not open. The keys come from outside the database:

    home:PATH     a key wrapped by the passphrase of an installation (opened by whoever has it)
    file:PATH     32 bytes, raw or as 64 hex digits, in a file that only the service reads

A key is named by a digest of itself, so that keys can be listed in any order and dropped when nothing that
they sealed is left.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yinxin.base.errors import MalformedInput, NotFound, SignerUnavailable, TooLarge, UsageError
from yinxin.base.files import read_file
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEY_BYTES = 32
PLAIN, SEALED = b"p", b"s"
_NAME, _NONCE = 4, 12


class Vault:
    """Seals and opens values. `open_keys` is asked once, at the first use: the first key is the current one.

    Safe to share between threads.
    """

    def __init__(
        self, open_keys: Callable[[], Sequence[bytes]], *, randomness: Randomness | None = None
    ) -> None:
        self._open_keys = open_keys
        self._randomness = randomness or SystemRandomness()
        self._lock = threading.Lock()
        self._ciphers: dict[bytes, AESGCM] = {}
        self._current = b""

    @classmethod
    def of(cls, *keys: bytes, randomness: Randomness | None = None) -> Vault:
        """A vault of keys that are at hand, the current one first."""
        return cls(lambda: keys, randomness=randomness)

    def seal(self, value: bytes, *, place: str) -> bytes:
        """The sealed form of a value."""
        ciphers, nonce = self._opened(), self._randomness.bytes(_NONCE)
        cipher = ciphers[self._current]
        return SEALED + self._current + nonce + cipher.encrypt(nonce, value, place.encode())

    def open(self, kept: bytes, *, place: str) -> bytes:
        """The value of a sealed or plain form.

        `SignerUnavailable` when its key is not among ours, `MalformedInput` when it was changed or moved.
        """
        if kept[:1] == PLAIN:
            return kept[1:]
        name, nonce, sealed = kept[1 : 1 + _NAME], kept[1 + _NAME : 1 + _NAME + _NONCE], kept[17:]
        cipher = self._opened().get(name)
        if kept[:1] != SEALED or cipher is None:
            raise SignerUnavailable(f"personal data in {place} is sealed with a key that is not here")
        try:
            return cipher.decrypt(nonce, sealed, place.encode())
        except (InvalidTag, ValueError) as exc:
            raise MalformedInput(place, "the sealed value was changed or moved") from exc

    @property
    def mark(self) -> bytes:
        """How everything begins that is sealed with the current key."""
        self._opened()
        return SEALED + self._current

    def _opened(self) -> dict[bytes, AESGCM]:
        if not self._ciphers:
            with self._lock:
                keys = list(self._open_keys())
                if not keys or any(len(key) != KEY_BYTES for key in keys):
                    raise UsageError(f"a vault has at least one key, and each has {KEY_BYTES} bytes")
                self._current = _name(keys[0])
                self._ciphers = {_name(key): AESGCM(key) for key in keys}
        return self._ciphers


def plain(value: bytes) -> bytes:
    """The kept form of a value where there is no vault."""
    return PLAIN + value


def read_key(path: Path) -> bytes:
    """A key from a file: 32 bytes, or 64 hex digits; `SignerUnavailable` for anything else."""
    try:
        found = read_file(path, limit=256)
    except (NotFound, TooLarge) as exc:
        raise SignerUnavailable(f"the key file {path} cannot be read") from exc
    if len(found) == KEY_BYTES:
        return found
    try:
        key = bytes.fromhex(found.decode("ascii").strip())
    except ValueError as exc:
        raise SignerUnavailable(f"{path} holds no key of {KEY_BYTES} bytes") from exc
    if len(key) != KEY_BYTES:
        raise SignerUnavailable(f"{path} holds no key of {KEY_BYTES} bytes")
    return key


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"yinxin vault key name" + key).digest()[:_NAME]

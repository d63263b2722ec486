"""Randomness comes in by the door: salts, serial numbers, codes and nonces.

Private keys and signature nonces are none of this module's business: `cryptography` makes those.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Protocol


class Randomness(Protocol):
    """Gives unpredictable bytes."""

    def bytes(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        ...


class SystemRandomness:
    """The operating system's generator."""

    def bytes(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        return secrets.token_bytes(size)


class UnsafeSeededRandomness:
    """Predictable bytes for tests. Never for anything that leaves the machine."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._counter = 0

    def bytes(self, size: int) -> bytes:
        """`size` bytes that follow from the seed and the number of calls before."""
        self._counter += 1
        return hashlib.shake_256(self._seed + self._counter.to_bytes(8, "big")).digest(size)


def random_text(randomness: Randomness, size_bytes: int = 16) -> str:
    """A URL-safe text of `size_bytes` random bytes (base64url, no padding).

    None begins with a dash: people type such texts at the command line, where that would be an option.
    """
    while True:
        text = urlsafe_b64encode(randomness.bytes(size_bytes)).rstrip(b"=").decode("ascii")
        if not text.startswith("-"):
            return text

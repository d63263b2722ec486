"""A keyed digest to look things up by, where the thing itself must not stand in an index.

A citizen's number has few possible values: whoever holds a plain digest of one can try them all. Without the
key nobody can. The key belongs to the installation and stays the same as long as its register; it lies beside
the other keys, never in the database.
"""

from __future__ import annotations

import hmac
import unicodedata

from yinxin.base.errors import UsageError


class BlindIndex:
    """Digests under one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise UsageError("the key of a blind index has 32 bytes")
        self._key = key

    def of(self, kind: str, value: str) -> bytes:
        """The 32 bytes that stand for a value of this kind; the same value of two kinds gives two of them.

        Letters count without their case, and without spaces around them: a number is typed in many ways.
        """
        plain = unicodedata.normalize("NFKC", value).strip().upper()
        return hmac.digest(self._key, f"{kind}\0{plain}".encode("utf-8", "surrogatepass"), "sha256")

"""SM2 signatures (GB/T 32918.2), which `cryptography` does not offer.

`verify` uses the system's libcrypto where that has SM2, else a slow pure verification; both pass the
published known answer before they are trusted. Signing with SM2 keys waits for its own room: a private
key belongs in a device or in a library, never in Python integers.
"""

from __future__ import annotations

from functools import lru_cache

from signing.sm2 import known_answer, libcrypto, pure
from signing.sm2.pure import DEFAULT_IDENTITY, check_point
from yinxin.base.errors import UnknownAlgorithm

__all__ = ["DEFAULT_IDENTITY", "check_point", "engine", "verify"]


def verify(point: bytes, signature: bytes, message: bytes, *, identity: bytes = DEFAULT_IDENTITY) -> bool:
    """Whether `signature` (DER SEQUENCE of r and s) over `message` is of the key at `point` (04||x||y).

    False for whatever is no signature; `MalformedInput` for a point that is not on the curve.
    """
    chosen = libcrypto.verify if engine() == "libcrypto" else pure.verify
    return chosen(point, signature, message, identity)


@lru_cache(maxsize=1)
def engine() -> str:
    """Which engine verifies here: `libcrypto` or `pure`; `UnknownAlgorithm` when neither is right."""
    if libcrypto.available():
        return "libcrypto"
    if not known_answer.is_given_by(pure.verify):
        raise UnknownAlgorithm("SM2 does not give the published answer here")
    return "pure"

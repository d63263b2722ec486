"""Codes that people copy from paper or a screen, and how the tables know what nobody may read there."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yinxin.base.randomness import Randomness

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that looks like something else
_CHARACTERS = 16  # 80 bits: guessing leads nowhere, limited or not
_LOOK_ALIKES = str.maketrans("OIL", "011", "- \t")


def make_code(randomness: Randomness) -> str:
    """A fresh code as people read it, `XXXX-XXXX-XXXX-XXXX`."""
    bits = int.from_bytes(randomness.bytes(10), "big")
    code = "".join(_ALPHABET[bits >> 5 * place & 31] for place in range(_CHARACTERS))
    return "-".join(code[start : start + 4] for start in range(0, _CHARACTERS, 4))


def read_code(text: str) -> str | None:
    """The one form of a code as it was typed; None for what is none."""
    code = text.strip().upper().translate(_LOOK_ALIKES)
    return code if len(code) == _CHARACTERS and set(code) <= set(_ALPHABET) else None


def digest_of(scope: str, secret: str) -> bytes:
    """What the tables keep of a secret of full entropy."""
    return hashlib.sha256(f"{scope}\0{secret}".encode()).digest()


def identity_digest(issuer: str, subject: str) -> str:
    """What the log calls an identity of the city's platform."""
    return digest_of("identity", f"{issuer}\0{subject}").hex()

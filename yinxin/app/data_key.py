"""The key that documents at rest are encrypted under: random, kept wrapped by the home's passphrase.

A passphrase can change without touching a document: only the wrapping is made anew.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from yinxin.base.errors import SignerUnavailable

KEY_BYTES = 32
_MAGIC = b"yinxin data key 1\n"
_SALT, _NONCE = 16, 12


def wrap_key(key: bytes, passphrase: str) -> bytes:
    """The wrapped form of a key."""
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    wrapped = AESGCM(_derive(passphrase, salt)).encrypt(nonce, key, _MAGIC)
    return _MAGIC + salt + nonce + wrapped


def unwrap_key(wrapped: bytes, passphrase: str) -> bytes:
    """The key; `SignerUnavailable` for another passphrase or a damaged file."""
    body = wrapped.removeprefix(_MAGIC)
    salt, nonce, sealed = body[:_SALT], body[_SALT : _SALT + _NONCE], body[_SALT + _NONCE :]
    try:
        return AESGCM(_derive(passphrase, salt)).decrypt(nonce, sealed, _MAGIC)
    except (InvalidTag, ValueError) as exc:
        raise SignerUnavailable("the document key does not open with this passphrase") from exc


def _derive(passphrase: str, salt: bytes) -> bytes:
    # RFC 7914, 2: n for interactive use, 16 MiB.
    return Scrypt(salt=salt, length=KEY_BYTES, n=1 << 14, r=8, p=1).derive(passphrase.encode("utf-8"))

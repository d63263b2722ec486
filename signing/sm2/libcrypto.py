"""SM2 verification by the system's OpenSSL 3, through ctypes.

The library is looked for where a system keeps it and trusted after the published known answer came out
right. Distributions that build OpenSSL without SM2 (Fedora, Alpine) are found out so. A missing
library, function or curve means "not available", never a crash.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

from signing import der
from signing.sm2 import known_answer
from signing.sm2.pure import DEFAULT_IDENTITY, MAX_IDENTITY_BYTES, check_point, read_signature
from yinxin.base.errors import MalformedInput

_SPKI_HEAD = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.156.10197.1.301"))
# Name, result, arguments: as the headers of OpenSSL 3.0 declare them.
_FUNCTIONS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("d2i_PUBKEY", c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    ("EVP_PKEY_free", None, (c_void_p,)),
    ("EVP_PKEY_CTX_new", c_void_p, (c_void_p, c_void_p)),
    ("EVP_PKEY_CTX_free", None, (c_void_p,)),
    ("EVP_PKEY_CTX_set1_id", c_int, (c_void_p, c_char_p, c_int)),
    ("EVP_MD_CTX_new", c_void_p, ()),
    ("EVP_MD_CTX_free", None, (c_void_p,)),
    ("EVP_MD_CTX_set_pkey_ctx", None, (c_void_p, c_void_p)),
    ("EVP_sm3", c_void_p, ()),
    ("EVP_DigestVerifyInit", c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    ("EVP_DigestVerify", c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    ("ERR_clear_error", None, ()),
)


def available() -> bool:
    """Whether a library with SM2 was found here (looked for once)."""
    return _library() is not None


def verify(point: bytes, signature: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bool:
    """Like `signing.sm2.pure.verify`. May be called from any thread; the interpreter's lock is released."""
    library = _library()
    if library is None:
        raise MalformedInput("sm2", "no libcrypto with SM2 here")
    if len(identity) > MAX_IDENTITY_BYTES:
        raise MalformedInput("sm2", "the identity is too long")
    check_point(point)
    # OpenSSL's own reading of signatures has differed between versions: one strict reading for all.
    if read_signature(signature) is None:
        return False
    return _verify(library, _key(point), signature, message, identity)


class _Key:
    """An EVP_PKEY, freed with its last user."""

    def __init__(self, library: ctypes.CDLL, point: bytes) -> None:
        self._library = library
        encoded = der.sequence(_SPKI_HEAD, der.bit_string(point))
        self.pointer = library.d2i_PUBKEY(None, ctypes.byref(c_char_p(encoded)), len(encoded))
        if not self.pointer:
            library.ERR_clear_error()
            raise MalformedInput("key", "libcrypto refuses the SM2 key")

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._library.EVP_PKEY_free(self.pointer)


@lru_cache(maxsize=256)
def _key(point: bytes) -> _Key:
    library = _library()
    if library is None:
        raise MalformedInput("sm2", "no libcrypto with SM2 here")
    return _Key(library, point)


def _verify(library: ctypes.CDLL, key: _Key, signature: bytes, message: bytes, identity: bytes) -> bool:
    key_context = digest_context = None
    try:
        key_context = library.EVP_PKEY_CTX_new(key.pointer, None)
        digest_context = library.EVP_MD_CTX_new()
        if not key_context or not digest_context:
            raise MemoryError
        # The identity has to be set before the digest begins: ZA comes first (GB/T 32918.2, 7.1).
        if library.EVP_PKEY_CTX_set1_id(key_context, identity, len(identity)) <= 0:
            return False
        library.EVP_MD_CTX_set_pkey_ctx(digest_context, key_context)
        if library.EVP_DigestVerifyInit(digest_context, None, library.EVP_sm3(), None, key.pointer) != 1:
            return False
        answer = library.EVP_DigestVerify(digest_context, signature, len(signature), message, len(message))
        return bool(answer == 1)
    finally:
        library.EVP_MD_CTX_free(digest_context)  # the caller keeps owning the key context it set
        library.EVP_PKEY_CTX_free(key_context)
        library.ERR_clear_error()


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    for name in _places():
        try:
            library = ctypes.CDLL(name)
            _declare(library)
            if _knows_the_answer(library):
                return library
        except (OSError, AttributeError, MalformedInput, MemoryError):
            continue
    return None


def _places() -> list[str]:
    """Where to look, best first: full paths or versioned names, as a bare name may find a planted file."""
    if sys.platform == "darwin":
        # The system's own unversioned libcrypto aborts the process that loads it.
        roots = ("/opt/homebrew/opt", "/usr/local/opt", "/opt/local/libexec")
        found = [f"{root}/openssl@3/lib/libcrypto.3.dylib" for root in roots]
        return [path for path in found if Path(path).exists()]
    if os.name == "nt":
        folders = (Path(sys.base_prefix) / "DLLs", Path(sys.base_prefix))
        names = ("libcrypto-3.dll", "libcrypto-3-x64.dll", "libcrypto-3-arm64.dll")
        return [str(folder / name) for folder in folders for name in names if (folder / name).exists()]
    return ["libcrypto.so.4", "libcrypto.so.3", ctypes.util.find_library("crypto") or "libcrypto.so"]


def _declare(library: ctypes.CDLL) -> None:
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


def _knows_the_answer(library: ctypes.CDLL) -> bool:
    def verify(point: bytes, signature: bytes, message: bytes, identity: bytes) -> bool:
        return _verify(library, _Key(library, point), signature, message, identity)

    return known_answer.is_given_by(verify)

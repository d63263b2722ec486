"""COSE_Mac0 (RFC 9052, 6.2) with HMAC 256/256, checked only.

Device authentication of ISO/IEC 18013-5 may be a code under a key that device and reader agree on, in place
of a signature. The agreement is the caller's; the code is compared here in constant time.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from signing.cbor import decode, encode
from yinxin.base.errors import MalformedInput

HMAC_256 = 5  # RFC 9053, 3.1
_ALG, _CRIT = 1, 2


def is_mac0_of(value: Any, key: bytes, payload: bytes, *, external_aad: bytes = b"") -> bool:
    """Whether this COSE_Mac0 (decoded, without its payload) is the code of `payload` under `key`.

    `MalformedInput` for what is none, or names another algorithm.
    """
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedInput("cose mac", "not an array of four")
    protected, unprotected, content, tag = value
    if not isinstance(protected, bytes) or not isinstance(tag, bytes) or not isinstance(unprotected, dict):
        raise MalformedInput("cose mac", "not the parts of COSE_Mac0")
    if content is not None:
        raise MalformedInput("cose mac", "the content stands inside")
    headers = decode(protected)
    if headers != {_ALG: HMAC_256} or not unprotected.keys().isdisjoint({_ALG, _CRIT}):
        raise MalformedInput("cose mac", "not HMAC 256/256")
    code = HMAC(key, SHA256())
    code.update(encode(["MAC0", protected, external_aad, payload]))
    try:
        code.verify(tag)
    except InvalidSignature:
        return False
    return True

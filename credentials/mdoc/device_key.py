"""The key of a device's code (ISO/IEC 18013-5, 9.1.3.5), from the reader's side."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signing.cbor import Tag, encode
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from signing.keys import PublicKey


def mac_key(reader: ec.EllipticCurvePrivateKey, device: PublicKey, transcript: bytes) -> bytes:
    """EMacKey: agreed on by the reader's key of this session and the device's.

    `MalformedInput` where the two are of different kinds.
    """
    other = device.native
    if not isinstance(other, ec.EllipticCurvePublicKey) or other.curve.name != reader.curve.name:
        raise MalformedInput("mdoc", "9.1.3.5: the device's key is of another kind than the reader's")
    shared = reader.exchange(ec.ECDH(), other)
    salt = hashlib.sha256(encode(Tag(24, transcript))).digest()
    return HKDF(SHA256(), 32, salt, b"EMacKey").derive(shared)

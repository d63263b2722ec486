"""Read a certificate request (PKCS#10, RFC 2986) for the only two things we take from it.

It gives a public key, and proof that whoever sent it holds the private one. The name and the extensions
that it asks for are not even looked at: the registration says who the subject is, the profile what the
certificate may do.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signing import der
from signing.algorithms import algorithm_by_oid
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

MAX_BYTES = 16 * 1024
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_PEM = re.compile(
    rb"\s*-----BEGIN (?P<new>NEW )?CERTIFICATE REQUEST-----"
    rb"(?P<text>[A-Za-z0-9+/=\s]+)-----END (?(new)NEW )CERTIFICATE REQUEST-----\s*"
)


def proven_key(request: bytes) -> PublicKey:
    """The public key of a request in PEM or DER, once its own signature has proved possession.

    `MalformedInput` for anything that does not parse, and for a signature that is not this key's.
    """
    if len(request) > MAX_BYTES:
        raise TooLarge("csr", f"over {MAX_BYTES} bytes")
    parts = _parts(der.read_exactly(_to_der(request), der.SEQUENCE), 3, 3)
    info = _parts(parts[0], 4, 4)
    if der.read_integer(info[0]) != 0 or info[3].tag != 0xA0:
        raise MalformedInput("csr", "not version 1")
    key = PublicKey(info[2].encoded)
    name = der.read_oid(_parts(parts[1], 1, 2)[0])
    if not _verifies(key, name, der.read_bit_string(parts[2]), parts[0].encoded):
        raise MalformedInput("csr", "the signature does not prove possession of the key")
    return key


def _verifies(key: PublicKey, name: str, signature: bytes, message: bytes) -> bool:
    if name in _ECDSA and key.kind.startswith("P-"):
        # Common tools sign with SHA-256 whatever the curve; it is a proof all the same.
        try:
            key.native.verify(signature, message, ec.ECDSA(_ECDSA[name]))
        except InvalidSignature:
            return False
        return True
    try:
        return key.verify(signature, message, algorithm_by_oid(name))
    except UnknownAlgorithm as exc:
        raise MalformedInput("csr", f"signature algorithm {name} is not known here") from exc


def _to_der(request: bytes) -> bytes:
    match = _PEM.fullmatch(request)
    if not match:
        return request
    try:
        return b64decode(b"".join(match["text"].split()), validate=True)
    except binascii.Error as exc:
        raise MalformedInput("csr", "not PEM") from exc


def _parts(element: der.Element, least: int, most: int) -> list[der.Element]:
    if element.tag != der.SEQUENCE:
        raise MalformedInput("csr", "not a PKCS#10 request")
    parts = list(der.children(element))
    if not least <= len(parts) <= most:
        raise MalformedInput("csr", "not a PKCS#10 request")
    return parts

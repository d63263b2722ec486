"""Read a certificate request (PKCS#10, RFC 2986) for the only two things we take from it.

It gives a public key, and proof that whoever sent it holds the private one. The name and the extensions
that it asks for are not even looked at: the registration says who the subject is, the profile what the
certificate may do.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

from signing import der
from signing.algorithms import algorithm_by_identifier
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

MAX_BYTES = 16 * 1024
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
    if not _verifies(key, parts[1].encoded, der.read_bit_string(parts[2]), parts[0].encoded):
        raise MalformedInput("csr", "the signature does not prove possession of the key")
    return key


def _verifies(key: PublicKey, algorithm: bytes, signature: bytes, message: bytes) -> bool:
    try:
        return key.verify(signature, message, algorithm_by_identifier(algorithm, key.kind))
    except UnknownAlgorithm as exc:
        raise MalformedInput("csr", f"signature algorithm {exc.detail} is not known here") from exc


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

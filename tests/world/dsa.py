"""DSA for one published suite: keys that verify, and that inherit parameters from the key above.

The product knows no DSA: FIPS 186-5 withdrew it, and what it signed here is over SHA-1 with short keys.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signing import Certificate, algorithms, der
from signing.algorithms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DSA, _DSA_WITH_SHA1 = der.oid("1.2.840.10040.4.1"), "1.2.840.10040.4.3"
_ROW = Algorithm("DSA-SHA1", "DSA", "sha1", _DSA_WITH_SHA1, b"", in_jose=False)
ISSUER, SUBJECT, KEY = 3, 5, 6
Fields = list[der.Element]


@dataclass(frozen=True)
class UnsafeDsaKey:
    """As `signing.keys.PublicKey`, for DSA."""

    spki: bytes
    native: dsa.DSAPublicKey
    kind: str = "DSA"

    @property
    def size_bits(self) -> int:
        return self.native.key_size

    def verify(self, signature: bytes, message: bytes, algorithm: Algorithm | None = None) -> bool:
        if algorithm is not _ROW:
            return False
        try:
            self.native.verify(signature, message, hashes.SHA1())  # noqa: S303 - what the suite is signed with
        except InvalidSignature:
            return False
        return True


@contextmanager
def dsa_for_a_suite(encoded: Iterable[bytes]) -> Iterator[str]:
    """Let DSA keys verify where a policy names the row that is yielded.

    A key without parameters takes those of the nearest key above that has some (RFC 3279, 2.3.2), among the
    certificates given. No parser reads a certificate with such a key, so it is completed before, and its
    signature is checked over what was signed.
    """
    above = {fields[SUBJECT].encoded: fields for fields in map(fields_of, encoded)}
    init, signed, key = (Certificate.__dict__[name] for name in ("__init__", "is_signed_by", "public_key"))

    def read(self: Certificate, data: bytes) -> None:
        init(self, completed(data, above))
        self.__dict__["signed"] = next(der.children(der.read_exactly(data, der.SEQUENCE))).encoded

    def is_signed_by(self: Certificate, key: Any) -> bool:
        if not isinstance(key, UnsafeDsaKey):
            return bool(signed(self, key))
        stands_for: Any = key
        row = self.signature_algorithm(stands_for)
        return key.verify(self.x509.signature, self.__dict__["signed"], row)

    def public_key(self: Certificate) -> Any:
        return dsa_key(self.spki) if _DSA in self.spki[:20] else key.__get__(self)

    known = (*algorithms.ALGORITHMS, _ROW)
    with (
        patch.object(algorithms, "ALGORITHMS", known),
        patch("signing.policy.policy._KNOWN", frozenset(row.name for row in known)),
        patch.multiple(
            Certificate, __init__=read, is_signed_by=is_signed_by, public_key=property(public_key)
        ),
    ):
        yield _ROW.name


def dsa_key(spki: bytes) -> UnsafeDsaKey:
    native = load_der_public_key(spki)
    assert isinstance(native, dsa.DSAPublicKey)
    return UnsafeDsaKey(spki, native)


def fields_of(certificate: bytes) -> Fields:
    """The fields of what is signed, in version 3: version, serial number, algorithm, issuer, validity, …"""
    return list(der.children(next(der.children(der.read_exactly(certificate, der.SEQUENCE)))))


def completed(certificate: bytes, above: dict[bytes, Fields]) -> bytes:
    """The certificate with the parameters that its key inherits; itself when that needs none."""
    fields = fields_of(certificate)
    identifier, bits = der.children(fields[KEY])
    if identifier.content != _DSA:
        return certificate
    issuer = fields[ISSUER].encoded
    while identifier.content == _DSA:
        identifier = next(der.children(above[issuer][KEY]))
        issuer = above[issuer][ISSUER].encoded
    fields[KEY] = der.read_whole(der.sequence(identifier.encoded, bits.encoded))
    _, *rest = der.children(der.read_exactly(certificate, der.SEQUENCE))
    signed = der.sequence(*(field.encoded for field in fields))
    return der.sequence(signed, *(part.encoded for part in rest))

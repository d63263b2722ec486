"""Certificates (X.509), one value for every kind of key.

`cryptography` parses names, extensions and dates, also of SM2 certificates; the public key and the
signature check go through our own `PublicKey`, so that a national root verifies like any other. Nothing
here decides trust: that is `signing.path`.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from binascii import Error as BinasciiError
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signing import der
from signing.algorithms import Algorithm, algorithm_by_oid
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from datetime import datetime

MAX_CERTIFICATE_BYTES = 64 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")


class Certificate:
    """One certificate: its DER and what is read from it. Equal by bytes."""

    __slots__ = ("__dict__", "der")

    def __init__(self, encoded: bytes) -> None:
        """Take one certificate in DER; `MalformedInput` unless it is one."""
        if len(encoded) > MAX_CERTIFICATE_BYTES:
            raise TooLarge("certificate", f"over {MAX_CERTIFICATE_BYTES} bytes")
        self.der = encoded
        try:
            self._parsed = x509.load_der_x509_certificate(encoded)
            # Touch what later is read without a guard: a hostile certificate fails here, once.
            _ = self._parsed.subject, self._parsed.issuer, self._parsed.extensions, self._parsed.version
            self._spki = _spki_of(self._parsed.tbs_certificate_bytes)
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
            raise MalformedInput("certificate", str(exc)[:200]) from exc

    @classmethod
    def from_pem(cls, text: bytes) -> Certificate:
        """The first certificate of a PEM text."""
        return load_pem_chain(text)[0]

    def to_pem(self) -> bytes:
        """As PEM."""
        return self._parsed.public_bytes(Encoding.PEM)

    @property
    def x509(self) -> x509.Certificate:
        """The `cryptography` object, for names and extensions."""
        return self._parsed

    @property
    def subject(self) -> str:
        """The subject's name (RFC 4514 text)."""
        return self._parsed.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """The issuer's name (RFC 4514 text)."""
        return self._parsed.issuer.rfc4514_string()

    @property
    def common_name(self) -> str:
        """The subject's common name, or else its organisation, or its whole name: what people read."""
        for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
            for attribute in self._parsed.subject.get_attributes_for_oid(wanted):
                return str(attribute.value)
        return self.subject

    @property
    def serial(self) -> int:
        """The serial number."""
        return self._parsed.serial_number

    @property
    def not_before(self) -> datetime:
        """First moment of validity, UTC."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """Last moment of validity, UTC."""
        return self._parsed.not_valid_after_utc

    @cached_property
    def public_key(self) -> PublicKey:
        """The subject's public key."""
        return PublicKey(self._spki)

    @property
    def signature_algorithm(self) -> Algorithm:
        """The issuer's signature algorithm; `UnknownAlgorithm` when it has no row."""
        return algorithm_by_oid(self._parsed.signature_algorithm_oid.dotted_string)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self._parsed.subject == self._parsed.issuer

    def is_valid_at(self, when: datetime) -> bool:
        """Whether the moment lies inside the validity, both ends included (RFC 5280, 4.1.2.5)."""
        return self.not_before <= when <= self.not_after

    def is_issued_by(self, issuer: Certificate) -> bool:
        """Whether names chain and the issuer's key made the signature. Says nothing of permission."""
        if self._parsed.issuer != issuer._parsed.subject:
            return False
        return self.is_signed_by(issuer.public_key)

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether this key made the signature."""
        try:
            row = self.signature_algorithm
        except UnknownAlgorithm:
            return False
        return key.verify(self._parsed.signature, self._parsed.tbs_certificate_bytes, row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Certificate({self.common_name!r}, {self.fingerprint[:16]})"


def load_pem_chain(text: bytes, *, limit: int = 64) -> tuple[Certificate, ...]:
    """All certificates of a PEM text, at least one and at most `limit`."""
    blocks = _PEM.findall(text)
    if not blocks:
        raise MalformedInput("certificate", "no PEM certificate in it")
    if len(blocks) > limit:
        raise TooLarge("certificate", f"more than {limit} certificates")
    try:
        return tuple(Certificate(b64decode(b"".join(block.split()), validate=True)) for block in blocks)
    except BinasciiError as exc:
        raise MalformedInput("certificate", "not PEM") from exc


def load_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Certificates from PEM text or from one DER value, whichever it is."""
    return (Certificate(data),) if data[:1] == b"\x30" else load_pem_chain(data)


def _spki_of(tbs: bytes) -> bytes:
    fields = list(der.children(der.read_exactly(tbs, der.SEQUENCE)))
    # RFC 5280, 4.1: [0] version is absent only in version 1 certificates.
    start = 1 if fields and fields[0].tag == 0xA0 else 0
    if len(fields) < start + 6:
        raise MalformedInput("certificate", "fields are missing")
    return fields[start + 5].encoded

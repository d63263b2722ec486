"""Certificates (X.509), one value for every kind of key.

`cryptography` parses names, extensions and dates, also of SM2 certificates; the public key and the
signature check go through our own `PublicKey`, so that a national root verifies like any other. Nothing
here decides trust: that is `signing.path`.
"""

from __future__ import annotations

import hashlib
import re
import threading
import warnings
from base64 import b64decode
from binascii import Error as BinasciiError
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import NameOID, ObjectIdentifier

from signing import der
from signing.algorithms import Algorithm, algorithm_by_identifier
from signing.keys import PublicKey
from signing.names import name_key
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cryptography.x509 import Extension, Name

# Everything that `cryptography` is known to raise for hostile certificates.
PARSER_ERRORS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_E = TypeVar("_E", bound=x509.ExtensionType)
MAX_CERTIFICATE_BYTES = 64 * 1024
MAX_SERIAL_BYTES = 20
MAX_EXTENSIONS = 64
# One class between the marks, and none of it is in a mark: the time of a search is linear in the text.
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")


class Certificate:
    """One certificate: its DER and what is read from it. Equal by bytes.

    `serial` is the serial number; `not_before` and `not_after` are the first and the last moment of
    validity, in UTC; `subject_der`, `issuer_der` and `spki` are the names and the key as they are encoded;
    `names` are subject and issuer as the parser reads them.
    """

    __slots__ = ("__dict__", "der", "issuer_der", "not_after", "not_before", "serial", "spki", "subject_der")

    def __init__(self, encoded: bytes) -> None:
        """Take one certificate in DER; `MalformedInput` unless it is one."""
        if len(encoded) > MAX_CERTIFICATE_BYTES:
            raise TooLarge("certificate", f"over {MAX_CERTIFICATE_BYTES} bytes")
        self.der = encoded
        self.issuer_der, self.subject_der, self.spki, self._signature_algorithm = _fields_of(encoded)
        try:
            with quietly():
                self._parsed = x509.load_der_x509_certificate(encoded)
                # Touch what later is read without a guard: a hostile certificate fails here, once.
                if len(self._parsed.extensions) > MAX_EXTENSIONS:
                    raise TooLarge("certificate", f"over {MAX_EXTENSIONS} extensions")
                _ = self._parsed.version
                # Subject and issuer; odd attributes make the parser warn whenever it reads them.
                self.names = self._name(self.subject_der, "subject"), self._name(self.issuer_der, "issuer")
                self.not_before, self.not_after = (
                    self._parsed.not_valid_before_utc,
                    self._parsed.not_valid_after_utc,
                )
                self.serial = self._parsed.serial_number
        except PARSER_ERRORS as exc:
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

    @cached_property
    def subject(self) -> str:
        """The subject's name (RFC 4514 text)."""
        return self.names[0].rfc4514_string()

    @cached_property
    def issuer(self) -> str:
        """The issuer's name (RFC 4514 text)."""
        return self.names[1].rfc4514_string()

    @cached_property
    def common_name(self) -> str:
        """The subject's common name, or else its organisation, or its whole name: what people read."""
        for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
            for attribute in self.names[0].get_attributes_for_oid(wanted):
                return str(attribute.value)
        return self.subject

    @cached_property
    def public_key(self) -> PublicKey:
        """The subject's public key."""
        return PublicKey(self.spki)

    def signature_algorithm(self, key: PublicKey) -> Algorithm:
        """How the issuer's key signed it; `UnknownAlgorithm` when there is no row for that kind of key."""
        return algorithm_by_identifier(self._signature_algorithm, key.kind)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def subject_key_id(self) -> bytes | None:
        """The subject key identifier that the certificate carries (RFC 5280, 4.2.1.2), or None."""
        extension = self.extension(x509.SubjectKeyIdentifier)
        return extension.value.digest if extension else None

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """The key identifier of its issuer as the certificate names it (RFC 5280, 4.2.1.1), or None."""
        extension = self.extension(x509.AuthorityKeyIdentifier)
        return extension.value.key_identifier if extension else None

    def extension(self, kind: type[_E]) -> Extension[_E] | None:
        """The extension of this kind, or None."""
        found = self.extensions.get(kind.oid)
        return found if found is not None and isinstance(found.value, kind) else None

    @cached_property
    def extensions(self) -> Mapping[ObjectIdentifier, Extension[Any]]:
        """Every extension, by its identifier."""
        return {item.oid: item for item in self._parsed.extensions}

    def _name(self, encoded: bytes, which: str) -> Name:
        """A name as the parser reads it: once for all certificates that carry it."""
        read = _names_read_as(encoded)
        if not read:
            read.append(getattr(self._parsed, which))
        return read[0]

    @cached_property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return name_key(self.subject_der) == name_key(self.issuer_der)

    def is_valid_at(self, when: datetime) -> bool:
        """Whether the moment lies inside the validity, its last second included (RFC 5280, 4.1.2.5)."""
        return self.not_before <= when.replace(microsecond=0) <= self.not_after

    def is_issued_by(self, issuer: Certificate) -> bool:
        """Whether names chain and the issuer's key made the signature. Says nothing of permission."""
        if name_key(self.issuer_der) != name_key(issuer.subject_der):
            return False
        try:
            return self.is_signed_by(issuer.public_key)
        except MalformedInput:  # the issuer's key is of a kind that we do not know
            return False

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether this key made the signature."""
        try:
            row = self.signature_algorithm(key)
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


def load_public_key(pem: bytes, name: str) -> PublicKey:
    """The key of a PEM text, which holds a public key or a certificate; `MalformedInput` names the file."""
    if b"PRIVATE KEY" in pem:  # it would have travelled to us: no longer its owner's alone
        raise MalformedInput("key", f"{name} holds a private key; hand over the public one, of a new pair")
    if b"BEGIN CERTIFICATE" in pem:
        return load_pem_chain(pem)[0].public_key
    try:
        found = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise MalformedInput("key", f"{name} holds no public key in PEM") from exc
    return PublicKey(found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@lru_cache(maxsize=1024)
def _names_read_as(_encoded: bytes) -> list[Name]:
    """The name of this encoding, once a certificate's parser has read it."""
    return []


def _fields_of(encoded: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Issuer, subject, SubjectPublicKeyInfo and signature algorithm in DER, once both algorithms agree."""
    outer = list(der.children(der.read_exactly(encoded, der.SEQUENCE)))
    fields = list(der.children(outer[0])) if len(outer) == 3 else []
    # RFC 5280, 4.1: [0] version is absent only in version 1 certificates.
    start = 1 if fields and fields[0].tag == 0xA0 else 0
    if len(fields) < start + 6:
        raise MalformedInput("certificate", "fields are missing")
    serial = fields[start].content.removeprefix(b"\0")  # of a positive number its sign
    if fields[start].tag != der.INTEGER or len(serial) > MAX_SERIAL_BYTES:
        # RFC 5280, 4.1.2.2. Zero and negative numbers are no worse than others, and "handled gracefully".
        raise MalformedInput("certificate", f"a serial number of over {MAX_SERIAL_BYTES} octets")
    if fields[start + 1].encoded != outer[1].encoded:  # RFC 5280, 4.1.1.2
        raise MalformedInput("certificate", "two different signature algorithms")
    _ = der.read_bit_string(outer[2])  # unused bits would give one signature two encodings
    issuer, subject = fields[start + 2].encoded, fields[start + 4].encoded
    _ = name_key(issuer), name_key(subject)
    return issuer, subject, fields[start + 5].encoded, outer[1].encoded


_FILTERS = threading.RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the parser's warnings (odd serial numbers, overlong names) from the caller's warning filters."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

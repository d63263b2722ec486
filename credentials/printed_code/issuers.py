"""The certificates that agencies sign printed codes with: a code names one by eight bytes and brings none.

A set is data, gathered by whoever verifies: from its own keys, from a folder, from what another city's
service publishes (`/v1/credential-issuers`). It says which agency each certificate signs for; whether a
certificate is to be trusted is still judged from the trust anchors, with revocation, each time.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import der
from signing.certificates import Certificate
from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

KID_BYTES = 8
MAX_LIST_BYTES, MAX_ISSUERS, MAX_CHAIN = 8 << 20, 20_000, 8
_CREDIT_CODE = "NTRCN-"
_IDENTITY = x509.ObjectIdentifier("1.2.156.10260.4.1.4")


@dataclass(frozen=True, slots=True)
class IssuerCertificate:
    """A chain (leaf first, the anchor may be left out) and the credit code of the agency that it signs for.

    A certificate that names an agency itself (EN 319 412-1, 5.1.4) signs for no other.
    """

    agency: str
    chain: tuple[Certificate, ...]

    def __post_init__(self) -> None:
        if not self.chain:
            raise UsageError("an issuer has a certificate")
        if (named := credit_code_of(self.chain[0])) and named != self.agency:
            raise MalformedInput("issuer", f"the certificate is one of {named}, not of {self.agency}")

    @classmethod
    def of(cls, chain: tuple[Certificate, ...], *, agency: str | None = None) -> IssuerCertificate:
        """The agency comes from the certificate, or else from who keeps the list."""
        named = (credit_code_of(chain[0]) if chain else None) or agency
        if named is None:
            raise MalformedInput("issuer", "the certificate names no agency, and nobody else does")
        return cls(named, chain)

    @property
    def kid(self) -> bytes:
        """What a code calls it."""
        return kid_of(self.chain[0])


class IssuerCertificates:
    """A set of them, immutable. Two certificates may have one kid: a kid is a hint, and each is tried."""

    def __init__(self, entries: Iterable[IssuerCertificate] = ()) -> None:
        found = {entry.chain[0]: entry for entry in entries}
        if len(found) > MAX_ISSUERS:
            raise TooLarge("issuers", f"over {MAX_ISSUERS} certificates")
        ordered = sorted(found.values(), key=lambda entry: entry.chain[0].fingerprint)
        self.entries: tuple[IssuerCertificate, ...] = tuple(ordered)

    def named(self, kid: bytes) -> tuple[IssuerCertificate, ...]:
        """Those that a code may mean."""
        return self._by_kid.get(kid, ())

    @cached_property
    def snapshot_id(self) -> str:
        """SHA-256 over certificates and agencies, in hex."""
        rows = [[entry.agency, [one.fingerprint for one in entry.chain]] for entry in self.entries]
        return hashlib.sha256(json.dumps(["yinxin issuers 1", rows]).encode()).hexdigest()

    @cached_property
    def _by_kid(self) -> dict[bytes, tuple[IssuerCertificate, ...]]:
        answer: dict[bytes, tuple[IssuerCertificate, ...]] = {}
        for entry in self.entries:
            answer[entry.kid] = (*answer.get(entry.kid, ()), entry)
        return answer

    @classmethod
    def from_json(cls, data: bytes | str) -> IssuerCertificates:
        """From what a verification service publishes; its keys are read from the certificates alone."""
        if len(data) > MAX_LIST_BYTES:
            raise TooLarge("issuers", f"over {MAX_LIST_BYTES} bytes")
        rows = load_json_object(data).get("issuers")
        if not isinstance(rows, list) or len(rows) > MAX_ISSUERS:
            raise MalformedInput("issuers", "no list of issuers")
        return cls(_entry(row) for row in rows)

    def merged_with(self, other: IssuerCertificates) -> IssuerCertificates:
        """These and those; these say whose a certificate is where both have it."""
        return IssuerCertificates((*other.entries, *self.entries))

    def __len__(self) -> int:
        return len(self.entries)


def addresses_from_json(data: bytes | str) -> frozenset[str]:
    """The pages that codes may lead to, as the same published list names them."""
    found = load_json_object(data).get("addresses")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise MalformedInput("issuers", "no list of addresses")
    return frozenset(found)


def kid_of(certificate: Certificate) -> bytes:
    """The first eight bytes of a certificate's SHA-256: its name in a code."""
    return bytes.fromhex(certificate.fingerprint)[:KID_BYTES]


def credit_code_of(certificate: Certificate) -> str | None:
    """The credit code that a certificate names, or None.

    Read from its subject (EN 319 412-1, 5.1.4: NTRCN-…), or else from the identity extension of GM/T 0015.
    """
    for attribute in certificate.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER):
        value = str(attribute.value)
        if value.startswith(_CREDIT_CODE):
            return value.removeprefix(_CREDIT_CODE)
    for extension in certificate.x509.extensions:
        if extension.oid == _IDENTITY and isinstance(extension.value, x509.UnrecognizedExtension):
            return _text_of(extension.value.value)
    return None


def x5c_of(chain: tuple[Certificate, ...]) -> list[str]:
    """A chain as JSON has it (RFC 7515, 4.1.6)."""
    return [b64encode(certificate.der).decode("ascii") for certificate in chain]


def _text_of(encoded: bytes) -> str | None:
    try:
        found = der.read_exactly(encoded, der.PRINTABLE_STRING)
    except MalformedInput:
        return None
    return found.content.decode("ascii", "replace")


def _entry(row: Any) -> IssuerCertificate:
    agency, x5c = (row.get("agency"), row.get("x5c")) if isinstance(row, dict) else (None, None)
    if not isinstance(agency, str) or not isinstance(x5c, list) or not 1 <= len(x5c) <= MAX_CHAIN:
        raise MalformedInput("issuers", "an entry has an agency and an x5c")
    try:
        return IssuerCertificate(agency, tuple(Certificate(b64decode(one, validate=True)) for one in x5c))
    except (TypeError, ValueError) as exc:
        raise MalformedInput("issuers", "an x5c is not base64") from exc

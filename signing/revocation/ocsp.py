"""OCSP answers (RFC 6960): parsed once, then asked about a certificate.

An answer counts when the issuer signed it, or a responder that the same issuer certified for it
(4.2.2.2). Asking a responder over the network is the work of others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import der
from signing.algorithms import algorithm_by_identifier
from signing.certificates import PARSER_ERRORS, Certificate, quietly
from signing.names import name_key
from signing.revocation.crl import INVALIDITY_DATE, read_extensions
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from datetime import datetime

    from signing.names import NameKey

MAX_OCSP_BYTES = 256 * 1024
MAX_SINGLES = 256
MAX_RESPONDER_CERTIFICATES = 8
_DIGESTS = {"sha1", "sha256", "sha384", "sha512"}
_KNOWN_EXTENSIONS = {"1.3.6.1.5.5.7.48.1.2", "1.3.6.1.5.5.7.48.1.9"}  # nonce, extended revoke
_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"  # RFC 6960, 4.4.4


@dataclass(frozen=True, slots=True)
class SingleAnswer:
    """What an answer says of one certificate. `status` is good, revoked or unknown."""

    digest: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    status: str
    revoked_at: datetime | None
    reason: str
    this_update: datetime
    next_update: datetime | None
    invalid_since: datetime | None = None  # since when the key is not to be trusted (RFC 6960, 4.4.5)
    expired_kept_since: datetime | None = None  # it also speaks of what ended since then (RFC 6960, 4.4.4)

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether the CertID names this certificate of this issuer."""
        if self.serial != certificate.serial:
            return False
        name = hashlib.new(self.digest, certificate.issuer_der, usedforsecurity=False).digest()
        key = hashlib.new(self.digest, issuer.public_key.bits, usedforsecurity=False).digest()
        return (name, key) == (self.issuer_name_hash, self.issuer_key_hash)


class OcspAnswer:
    """An OCSP response. One without success (try later, unauthorised) parses and says nothing."""

    def __init__(self, encoded: bytes) -> None:
        """Read a response in DER; `MalformedInput` unless it is one."""
        if len(encoded) > MAX_OCSP_BYTES:
            raise TooLarge("ocsp", f"over {MAX_OCSP_BYTES} bytes")
        self.der = encoded
        self.singles: tuple[SingleAnswer, ...] = ()
        self.certificates: tuple[Certificate, ...] = ()
        try:
            with quietly():
                self._parsed = ocsp.load_der_ocsp_response(encoded)
                if self._parsed.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
                    self._read(self._parsed)
        except PARSER_ERRORS as exc:
            raise MalformedInput("ocsp", str(exc)[:200]) from exc

    @classmethod
    def from_der(cls, encoded: bytes) -> OcspAnswer:
        """Read a response in DER; `MalformedInput` unless it is one."""
        return cls(encoded)

    @property
    def signature_identifier(self) -> bytes:
        """The AlgorithmIdentifier of its signature, in DER; empty for an answer without success."""
        return self._algorithm if self.singles else b""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    def about(self, certificate: Certificate, issuer: Certificate) -> SingleAnswer | None:
        """The newest thing it says of this certificate of this issuer, or None. No signature is checked."""
        found = [single for single in self.singles if single.is_about(certificate, issuer)]
        return max(found, key=lambda single: single.this_update, default=None)

    def is_signed_for(self, issuer: Certificate) -> bool:
        """Whether the issuer, or a responder that it certified and that was valid then, signed it."""
        return self.responder_for(issuer) is not None

    def responder_for(self, issuer: Certificate) -> Certificate | None:
        """The certificate whose key signed this with authority over the issuer's certificates, or None."""
        if not self.singles:
            return None
        for candidate in (issuer, *self.certificates):
            try:
                is_signer = self._names(candidate) and self._is_signed_by(candidate)
            except (UnknownAlgorithm, MalformedInput):  # a key or signature of a kind that we do not know
                continue
            if is_signer and (candidate == issuer or self._is_delegate(candidate, issuer)):
                return candidate
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OcspAnswer) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"OcspAnswer({len(self.singles)} answers, {self.fingerprint[:16]})"

    def _read(self, parsed: ocsp.OCSPResponse) -> None:
        self._tbs, self._signature = parsed.tbs_response_bytes, parsed.signature
        self._algorithm = _signature_algorithm(self.der)
        self._key_hash, self._name = parsed.responder_key_hash, _key_of(parsed.responder_name)
        self.produced_at = parsed.produced_at_utc
        if any(
            item.critical and item.oid.dotted_string not in _KNOWN_EXTENSIONS for item in parsed.extensions
        ):
            raise MalformedInput("ocsp", "a critical extension is not understood")
        said = _read_singles(self._tbs)
        self.singles = tuple(_single(item, times) for item, times in zip(parsed.responses, said, strict=True))
        carried = parsed.certificates[:MAX_RESPONDER_CERTIFICATES]
        self.certificates = tuple(Certificate(item.public_bytes(Encoding.DER)) for item in carried)

    def _names(self, candidate: Certificate) -> bool:
        if self._name is not None:
            return self._name == name_key(candidate.subject_der)
        return self._key_hash == candidate.public_key.identifier

    def _is_signed_by(self, candidate: Certificate) -> bool:
        key = candidate.public_key
        return key.verify(self._signature, self._tbs, algorithm_by_identifier(self._algorithm, key.kind))

    def _is_delegate(self, candidate: Certificate, issuer: Certificate) -> bool:
        extended = candidate.extension(x509.ExtendedKeyUsage)
        bits = candidate.extension(x509.KeyUsage)
        if extended is None or ExtendedKeyUsageOID.OCSP_SIGNING not in extended.value:
            return False
        if bits is not None and not bits.value.digital_signature:
            return False
        return candidate.is_valid_at(self.produced_at) and candidate.is_issued_by(issuer)


def _signature_algorithm(encoded: bytes) -> bytes:
    """The AlgorithmIdentifier of a BasicOCSPResponse (RFC 6960, 4.2.1); the parser gives a part of it."""
    _, carried = der.children(der.read_exactly(encoded, der.SEQUENCE))
    kind_and_response = der.read_exactly(carried.content, der.SEQUENCE)
    _, response = der.children(kind_and_response)
    basic = der.children(der.read_exactly(response.content, der.SEQUENCE))
    return list(basic)[1].encoded


def _single(item: ocsp.OCSPSingleResponse, times: dict[str, datetime]) -> SingleAnswer:
    digest = item.hash_algorithm.name
    if digest not in _DIGESTS:
        raise MalformedInput("ocsp", f"certificates named by {digest}")
    reason = item.revocation_reason
    return SingleAnswer(
        digest=digest,
        issuer_name_hash=item.issuer_name_hash,
        issuer_key_hash=item.issuer_key_hash,
        serial=item.serial_number,
        status=item.certificate_status.name.lower(),
        revoked_at=item.revocation_time_utc,
        reason=reason.name if reason else "unspecified",
        this_update=item.this_update_utc,
        next_update=item.next_update_utc,
        invalid_since=times.get(INVALIDITY_DATE),
        expired_kept_since=times.get(_ARCHIVE_CUTOFF),
    )


def _read_singles(tbs: bytes) -> list[dict[str, datetime]]:
    """The times in the extensions of each answer; bounds their number, refuses critical extensions."""
    fields = [
        field for field in der.children(der.read_exactly(tbs, der.SEQUENCE)) if field.tag == der.SEQUENCE
    ]
    singles = list(der.children(fields[0])) if fields else []
    if len(singles) > MAX_SINGLES:
        raise TooLarge("ocsp", f"over {MAX_SINGLES} answers")
    return [_times_of(single) for single in singles]


def _times_of(single: der.Element) -> dict[str, datetime]:
    _certificate, _status, _this_update, *rest = der.children(single)
    extensions = [
        extension
        for field in rest
        if field.tag == 0xA1
        for extension in read_extensions(der.read_exactly(field.content, der.SEQUENCE))
    ]
    if any(item.critical for item in extensions):
        raise MalformedInput("ocsp", "a critical extension is not understood")
    return {
        item.oid: der.read_time(der.read_exactly(item.value, der.GENERALIZED_TIME))
        for item in extensions
        if item.oid in {INVALIDITY_DATE, _ARCHIVE_CUTOFF}
    }


def _key_of(name: x509.Name | None) -> NameKey | None:
    return name_key(name.public_bytes()) if name is not None else None

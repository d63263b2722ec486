"""Certificates in DER, straight from a profile.

Every extension is written from the profile and the two keys; nothing is copied from a request. Hand-made
DER is several times faster than a builder and serves SM2 keys too; the tests hold it byte for byte
against `cryptography`'s builder. What comes out is checked by `ca.lint` before a real key signs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from signing import der
from signing.usages import KEY_USAGE_BITS, usage

if TYPE_CHECKING:
    from datetime import datetime

    from ca.names import SubjectName
    from ca.profiles import Profile
    from signing.algorithms import Algorithm
    from signing.keys import PublicKey
    from signing.signer import Signer

SUBJECT_KEY, KEY_USAGE, BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.19"
ALTERNATIVE_NAMES = "2.5.29.17"
CRL_POINTS, AUTHORITY_KEY, EXTENDED_USAGE = "2.5.29.31", "2.5.29.35", "2.5.29.37"
AUTHORITY_ACCESS, OCSP_NO_CHECK = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.48.1.5"
ACCESS_OCSP, ACCESS_ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"
AUTHORITY_KEY_USAGE = ("key_cert_sign", "crl_sign")


@dataclass(frozen=True, slots=True)
class Pointers:
    """Where the issuer's CRL, OCSP responder and certificate are found."""

    crl: str
    ocsp: str
    issuer: str

    @classmethod
    def below(cls, base_url: str, authority: str) -> Pointers:
        """The addresses that `ca.http` answers, under a base URL."""
        base = base_url.rstrip("/")
        return cls(f"{base}/crl/{authority}.crl", f"{base}/ocsp/{authority}", f"{base}/ca/{authority}.cer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All that a certificate says, before it is encoded."""

    profile: Profile
    serial: int
    algorithm: Algorithm
    issuer: bytes  # Name in DER
    subject: SubjectName
    public_key: PublicKey
    issuer_key_identifier: bytes
    not_before: datetime
    not_after: datetime
    pointers: Pointers | None
    dns_names: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The TBSCertificate in DER."""
        return der.sequence(
            _VERSION_3,
            der.integer(self.serial),
            self.algorithm.identifier,
            self.issuer,
            der.sequence(der.time(self.not_before), der.time(self.not_after)),
            self.encoded_subject,
            self.public_key.spki,
            der.explicit(3, der.sequence(*self._extensions())),
        )

    @property
    def encoded_subject(self) -> bytes:
        """The subject's Name in DER."""
        return self.subject.encode(organisation_identifier=self.profile.organisation_identifier)

    def _extensions(self) -> list[bytes]:
        profile = self.profile
        answer = [
            extension(SUBJECT_KEY, der.octet_string(self.public_key.identifier)),
            _authority_key(self.issuer_key_identifier),
            *_fixed_extensions(profile),
        ]
        if profile.identity and self.subject.credit_code:
            code = der.tlv(der.PRINTABLE_STRING, str(self.subject.credit_code).encode())
            answer.append(extension(profile.identity, code))
        if self.dns_names:
            names = (der.tlv(0x82, name.encode("ascii")) for name in self.dns_names)
            answer.append(extension(ALTERNATIVE_NAMES, der.sequence(*names)))
        if profile.no_check:
            answer.append(extension(OCSP_NO_CHECK, der.null()))
        elif self.pointers:
            answer += _pointer_extensions(self.pointers)
        return answer


def signed(tbs: bytes, algorithm: Algorithm, signature: bytes) -> bytes:
    """A certificate or a list around its signature (RFC 5280, 4.1 and 5.1)."""
    return der.sequence(tbs, algorithm.identifier, der.bit_string(signature))


def signed_parts(tbs: bytes, signer: Signer) -> tuple[bytes, bytes, bytes]:
    """What is signed, the algorithm and the signature: the beginning of everything that a PKI signs."""
    return tbs, signer.algorithm.identifier, der.bit_string(signer.sign(tbs))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension; DER leaves a false `critical` out."""
    flag = [der.boolean(value=True)] if critical else []
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))


def key_usage_of(profile: Profile) -> tuple[str, ...]:
    """The key usage bits of a profile."""
    return AUTHORITY_KEY_USAGE if profile.usage is None else (profile.usage.key_usage,)


_VERSION_3 = der.explicit(0, der.integer(2))
# RFC 3161, 2.3 and ISO/IEC 18013-5, B.1.4: for these the extended key usage is critical.
CRITICAL_USAGES = frozenset(usage(name).extended for name in ("timestamp", "mdoc"))


@lru_cache(maxsize=256)
def _authority_key(identifier: bytes) -> bytes:
    return extension(AUTHORITY_KEY, der.sequence(der.tlv(0x80, identifier)))


@lru_cache(maxsize=256)
def _fixed_extensions(profile: Profile) -> tuple[bytes, ...]:
    """What depends on the profile alone: basic constraints, key usage, extended key usage."""
    parts = [der.boolean(value=True)] if profile.authority else []
    if profile.path_length is not None:
        parts.append(der.integer(profile.path_length))
    answer = [
        extension(BASIC_CONSTRAINTS, der.sequence(*parts), critical=True),
        extension(KEY_USAGE, _key_usage(key_usage_of(profile)), critical=True),
    ]
    if profile.usage is not None:
        critical = profile.usage.extended in CRITICAL_USAGES
        answer.append(
            extension(EXTENDED_USAGE, der.sequence(der.oid(profile.usage.extended)), critical=critical)
        )
    return tuple(answer)


def _key_usage(bits: tuple[str, ...]) -> bytes:
    numbers = [KEY_USAGE_BITS.index(bit) for bit in bits]
    octet = sum(0x80 >> number for number in numbers)
    # A named bit list ends with its last bit set (X.690, 11.2.2); the first content octet counts the rest.
    return der.tlv(der.BIT_STRING, bytes((7 - max(numbers), octet)))


@lru_cache(maxsize=64)
def _pointer_extensions(pointers: Pointers) -> tuple[bytes, bytes]:
    point = der.explicit(0, der.explicit(0, _uri(pointers.crl)))
    access = [
        der.sequence(der.oid(ACCESS_OCSP), _uri(pointers.ocsp)),
        der.sequence(der.oid(ACCESS_ISSUERS), _uri(pointers.issuer)),
    ]
    return (
        extension(CRL_POINTS, der.sequence(der.sequence(point))),
        extension(AUTHORITY_ACCESS, der.sequence(*access)),
    )


def _uri(text: str) -> bytes:
    return der.tlv(0x86, text.encode("ascii"))

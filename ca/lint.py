"""Look at a draft certificate before the authority's key signs it.

The draft is a whole certificate under a throw-away key. It is parsed afresh, by `cryptography`, and held
against its profile, its issuer and what was asked for: what the encoder got wrong is found here and not
by a relying party. `lint` answers with sentences; an empty answer means that it may be signed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from ca import template
from signing import der
from signing.usages import KEY_USAGE_BITS
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric import rsa

    from ca.names import SubjectName
    from ca.profiles import Profile
    from ca.template import Pointers
    from signing.certificates import Certificate
    from signing.keys import PublicKey

MIN_SERIAL_OCTETS, MAX_SERIAL_OCTETS = 16, 20  # RFC 5280, 4.1.2.2 sets the upper bound
MIN_RSA_BITS = 2048
MIN_AUTHORITY_RSA_BITS = 3072
_SMALL_PRIMES = math.prod(n for n in range(3, 752, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a certificate was meant to be. `issuer` is None for a root, which names itself."""

    profile: Profile
    subject: SubjectName
    public_key: PublicKey
    issuer: Certificate | None
    issuer_key: PublicKey
    pointers: Pointers | None
    dns_names: tuple[str, ...] = ()


def lint(certificate: Certificate, expected: Expected) -> tuple[str, ...]:
    """Everything that is wrong with a certificate; empty when it may be signed."""
    rules = (_form, _names, _validity, _key, _authority, _extensions)
    try:
        return tuple(fault for rule in rules for fault in rule(certificate, expected))
    except (ValueError, MalformedInput) as exc:
        return (f"does not parse: {exc}",)


def _form(certificate: Certificate, expected: Expected) -> Iterator[str]:
    parsed = certificate.x509
    if parsed.version is not x509.Version.v3:
        yield "is not version 3"
    octets = certificate.serial.bit_length() // 8 + 1
    if certificate.serial <= 0 or not MIN_SERIAL_OCTETS <= octets <= MAX_SERIAL_OCTETS:
        yield "serial number is not positive, too short or too long"
    try:
        _ = certificate.signature_algorithm(expected.issuer_key)
    except UnknownAlgorithm:
        yield "signature algorithm is not one of the issuer's key"


def _names(certificate: Certificate, expected: Expected) -> Iterator[str]:
    subject = expected.subject.encode(organisation_identifier=expected.profile.organisation_identifier)
    if certificate.subject_der != subject:
        yield "subject is not the one asked for"
    issuer = expected.issuer.subject_der if expected.issuer else subject
    if certificate.issuer_der != issuer:
        yield "issuer's name is not that of the issuer"
    if certificate.spki != expected.public_key.spki:
        yield "public key is not the one asked for"
    yield from expected.profile.subject_faults(expected.subject.present)
    if expected.dns_names and not expected.profile.dns_names:
        yield "the profile names no hosts"


def _validity(certificate: Certificate, expected: Expected) -> Iterator[str]:
    # RFC 5280, 4.1.2.5: both ends belong to it.
    if not timedelta(0) < certificate.not_after - certificate.not_before <= expected.profile.valid_for:
        yield "validity is empty or longer than the profile allows"
    above = expected.issuer
    if above and not above.not_before <= certificate.not_before < certificate.not_after <= above.not_after:
        yield "validity is not inside the issuer's"


def _key(certificate: Certificate, expected: Expected) -> Iterator[str]:
    key = certificate.public_key
    if key.kind not in expected.profile.keys:
        yield f"a {key.kind} key is not for this profile"
    if not key.is_in_usual_form:  # one key, one fingerprint: that is how its one owner is known
        yield "the public key is not in its usual form"
    if key.kind == "RSA":
        yield from _rsa_faults(
            key.native, MIN_AUTHORITY_RSA_BITS if expected.profile.authority else MIN_RSA_BITS
        )


def _rsa_faults(key: rsa.RSAPublicKey, least: int) -> Iterator[str]:
    numbers = key.public_numbers()
    if key.key_size < least:
        yield f"an RSA key of {key.key_size} bits is too short"
    if numbers.e < 65537 or numbers.e % 2 == 0:
        yield "the RSA exponent is too small or even"
    if (
        numbers.n % 2 == 0
        or math.gcd(numbers.n, _SMALL_PRIMES) != 1
        or math.isqrt(numbers.n) ** 2 == numbers.n
    ):
        yield "the RSA modulus is weak"


def _authority(certificate: Certificate, expected: Expected) -> Iterator[str]:
    if expected.issuer is None or not expected.profile.authority:
        return
    constraints = expected.issuer.x509.extensions.get_extension_for_class(x509.BasicConstraints).value
    length = constraints.path_length
    if length == 0:
        yield "the issuer may not issue to authorities"
    own = expected.profile.path_length
    if length is not None and (own is None or own >= length):
        yield "path length is not below the issuer's"
    if certificate.x509.subject == expected.issuer.x509.subject:
        yield "an authority below another needs its own name"


def _extensions(certificate: Certificate, expected: Expected) -> Iterator[str]:
    found = {each.oid.dotted_string: (each.critical, each.value) for each in certificate.x509.extensions}
    wanted, octets = _wanted_extensions(expected), _octets_of(certificate)
    for oid in sorted(found.keys() - wanted.keys()):
        yield f"extension {oid} is not in the profile"
    for oid, (critical, value) in wanted.items():
        if oid not in found:
            yield f"extension {oid} is missing"
        elif found[oid] != (critical, value):
            yield f"extension {oid} is not as the profile says"
        elif octets[der.oid(oid)] != value.public_bytes():  # the parser forgives more than DER allows
            yield f"extension {oid} is not encoded in DER"


def _octets_of(certificate: Certificate) -> dict[bytes, bytes]:
    """What each extension holds, byte for byte, by its encoded object identifier."""
    tbs = der.read_exactly(certificate.x509.tbs_certificate_bytes, der.SEQUENCE)
    *_, last = der.children(tbs)
    if last.tag != 0xA3:  # RFC 5280, 4.1: extensions stand last, under [3]
        return {}
    found = (tuple(der.children(each)) for each in der.children(*der.children(last)))
    return {parts[0].encoded: parts[-1].content for parts in found}


def _wanted_extensions(expected: Expected) -> dict[str, tuple[bool, Any]]:
    profile, code = expected.profile, expected.subject.credit_code
    above = expected.issuer_key.identifier
    wanted: dict[str, tuple[bool, Any]] = {
        "2.5.29.14": (False, x509.SubjectKeyIdentifier(expected.public_key.identifier)),
        "2.5.29.35": (False, x509.AuthorityKeyIdentifier(above, None, None)),
        "2.5.29.19": (True, x509.BasicConstraints(profile.authority, profile.path_length)),
        "2.5.29.15": (True, _key_usage(profile)),
    }
    if profile.usage:
        extended = profile.usage.extended
        purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier(extended)])
        wanted["2.5.29.37"] = (extended in template.CRITICAL_USAGES, purposes)
    if profile.identity and code:
        value = der.tlv(der.PRINTABLE_STRING, str(code).encode())
        oid = x509.ObjectIdentifier(profile.identity)
        wanted[profile.identity] = (False, x509.UnrecognizedExtension(oid, value))
    if expected.dns_names and profile.dns_names:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in expected.dns_names])
        wanted["2.5.29.17"] = (False, names)
    if profile.no_check:
        wanted[ExtensionOID.OCSP_NO_CHECK.dotted_string] = (False, x509.OCSPNoCheck())
    elif expected.pointers:
        wanted |= _wanted_pointers(expected.pointers)
    return wanted


def _wanted_pointers(pointers: Pointers) -> dict[str, tuple[bool, Any]]:
    crl, ocsp, issuer = map(x509.UniformResourceIdentifier, (pointers.crl, pointers.ocsp, pointers.issuer))
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, issuer),
    ]
    return {
        "2.5.29.31": (False, x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)])),
        "1.3.6.1.5.5.7.1.1": (False, x509.AuthorityInformationAccess(access)),
    }


def _key_usage(profile: Profile) -> x509.KeyUsage:
    wanted = template.key_usage_of(profile)
    bits = {bit: bit in wanted for bit in KEY_USAGE_BITS}
    return x509.KeyUsage(**bits, encipher_only=False, decipher_only=False)

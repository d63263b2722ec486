"""What path validation needs to know of a certificate, read from its extensions once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from signing import der
from signing.names import name_key
from signing.usages import KEY_USAGE_BITS
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.certificates import Certificate

# What is processed here or bears on no verdict; any other critical extension ends the path (RFC 5280, 4.2).
_PROCESSED = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.INHIBIT_ANY_POLICY,
    ExtensionOID.POLICY_MAPPINGS,
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
}
_NO_REVOCATION_AVAILABLE = ObjectIdentifier("2.5.29.56")  # RFC 9608


@dataclass(frozen=True, slots=True)
class Facts:
    """A certificate's constraints. None stands for an extension that is not there."""

    is_authority: bool
    path_length: int | None
    key_usage: frozenset[str] | None
    extended: frozenset[str] | None
    is_extended_critical: bool
    unknown_critical: tuple[str, ...]
    has_subject: bool
    constrains_names: bool
    policies: frozenset[str] | None
    policy_mappings: tuple[tuple[str, str], ...]
    demands_policy: int | None
    inhibits_mapping: int | None
    inhibits_any: int | None
    is_never_revoked: bool
    is_ocsp_no_check: bool


# Larger certificates are read again each time, so that nobody fills our memory with them.
MAX_REMEMBERED_BYTES = 8192


def facts_of(certificate: Certificate) -> Facts:
    """The facts of a certificate."""
    read = _remembered if len(certificate.der) <= MAX_REMEMBERED_BYTES else _facts_of
    return read(certificate)


def _facts_of(certificate: Certificate) -> Facts:
    basic = certificate.extension(x509.BasicConstraints)
    bits = certificate.extension(x509.KeyUsage)
    extended = certificate.extension(x509.ExtendedKeyUsage)
    policies = certificate.extension(x509.CertificatePolicies)
    policy = certificate.extension(x509.PolicyConstraints)
    inhibits_any = certificate.extension(x509.InhibitAnyPolicy)
    extensions = certificate.extensions
    mappings = _mappings_of(extensions)
    unknown = [
        item.oid.dotted_string for item in extensions.values() if item.critical and item.oid not in _PROCESSED
    ]
    if mappings is None:
        unknown.append(ExtensionOID.POLICY_MAPPINGS.dotted_string)
    return Facts(
        is_authority=bool(basic and basic.value.ca),
        path_length=basic.value.path_length if basic else None,
        key_usage=frozenset(bit for bit in KEY_USAGE_BITS if getattr(bits.value, bit)) if bits else None,
        extended=frozenset(item.dotted_string for item in extended.value) if extended else None,
        is_extended_critical=bool(extended and extended.critical),
        unknown_critical=tuple(unknown),
        has_subject=bool(name_key(certificate.subject_der)),
        constrains_names=certificate.extension(x509.NameConstraints) is not None,
        policies=frozenset(item.policy_identifier.dotted_string for item in policies.value)
        if policies
        else None,
        policy_mappings=mappings or (),
        demands_policy=policy.value.require_explicit_policy if policy else None,
        inhibits_mapping=policy.value.inhibit_policy_mapping if policy else None,
        inhibits_any=inhibits_any.value.skip_certs if inhibits_any else None,
        is_never_revoked=_NO_REVOCATION_AVAILABLE in extensions,
        is_ocsp_no_check=certificate.extension(x509.OCSPNoCheck) is not None,
    )


def _mappings_of(
    extensions: Mapping[ObjectIdentifier, x509.Extension[Any]],
) -> tuple[tuple[str, str], ...] | None:
    """Pairs of the issuer's and the subject's policy (RFC 5280, 4.2.1.5); None when they cannot be read.

    The parser leaves this extension in DER.
    """
    found = extensions.get(ExtensionOID.POLICY_MAPPINGS)
    if found is None:
        return ()
    try:
        pairs = der.children(der.read_exactly(found.value.public_bytes(), der.SEQUENCE))
        return tuple((ours, theirs) for ours, theirs in map(_mapping, pairs))
    except (MalformedInput, ValueError):
        return None


def _mapping(pair: der.Element) -> list[str]:
    if pair.tag != der.SEQUENCE:
        raise MalformedInput("certificate", "a policy mapping is no pair")
    return [der.read_oid(part) for part in der.children(pair)]


_remembered = lru_cache(maxsize=2048)(_facts_of)

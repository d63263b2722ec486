"""Distribution points: which lists speak of a certificate, and about which reasons (RFC 5280, 4.2.1.13).

A certificate may name places, other issuers of lists (indirect lists), and reasons that a list is about. A
list may say the same of itself (5.2.5). Whether the two meet is decided here; whose signature a list bears
is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509

from signing.names import NameKey, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.certificates import Certificate

# The bits of ReasonFlags but the first, which is not used (RFC 5280, 4.2.1.13).
EVERY_REASON = frozenset(range(1, 9))
_BITS = {
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
    x509.ReasonFlags.privilege_withdrawn: 7,
    x509.ReasonFlags.aa_compromise: 8,
}
# Larger certificates are read again each time, so that nobody fills our memory with them.
MAX_REMEMBERED_BYTES = 8192
PointName = str | NameKey


@dataclass(frozen=True, slots=True)
class Point:
    """A distribution point of a certificate: where its lists are, who issues them, about which reasons."""

    names: frozenset[PointName]
    issuers: frozenset[NameKey]
    is_other_issuer: bool
    reasons: frozenset[int] = EVERY_REASON


@dataclass(frozen=True, slots=True)
class ListScope:
    """Which certificates and reasons a list speaks of (issuing distribution point, RFC 5280, 5.2.5)."""

    points: frozenset[PointName] = frozenset()
    user_only: bool = False
    authority_only: bool = False
    reasons: frozenset[int] = EVERY_REASON
    is_indirect: bool = False

    def reasons_for(self, certificate: Certificate, list_issuer: NameKey) -> frozenset[int]:
        """The reasons that a list of this issuer and scope answers for (6.3.3 (b), (d)); empty: none."""
        if self.user_only or self.authority_only:
            constraints = certificate.extension(x509.BasicConstraints)
            is_authority = bool(constraints and constraints.value.ca)
            if (self.user_only and is_authority) or (self.authority_only and not is_authority):
                return frozenset()
        met = [point.reasons for point in points_of(certificate) if self._meets(point, list_issuer)]
        return self.reasons & frozenset().union(*met)

    def _meets(self, point: Point, list_issuer: NameKey) -> bool:
        if list_issuer not in point.issuers or (point.is_other_issuer and not self.is_indirect):
            return False
        return not self.points or not self.points.isdisjoint(point.names or point.issuers)


def points_of(certificate: Certificate) -> tuple[Point, ...]:
    """The certificate's distribution points; one that its issuer's name stands for when it has none."""
    read = _remembered if len(certificate.der) <= MAX_REMEMBERED_BYTES else _points_of
    return read(certificate)


def _points_of(certificate: Certificate) -> tuple[Point, ...]:
    issuer = name_key(certificate.issuer_der)
    extension = certificate.extension(x509.CRLDistributionPoints)
    if extension is None:
        return (Point(frozenset({issuer}), frozenset({issuer}), is_other_issuer=False),)
    return tuple(_point(item, issuer) for item in extension.value)


def list_issuers_of(certificate: Certificate) -> frozenset[NameKey]:
    """The names of all who may issue lists about this certificate."""
    return frozenset(issuer for point in points_of(certificate) for issuer in point.issuers)


_remembered = lru_cache(maxsize=2048)(_points_of)


def _point(item: x509.DistributionPoint, issuer: NameKey) -> Point:
    named = frozenset(_directory_names(item.crl_issuer or ()))
    issuers = named or frozenset({issuer})
    names: set[PointName] = set(_directory_names(item.full_name or ()))
    names |= {name.value for name in item.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
    if item.relative_name:
        below = name_key(x509.Name([item.relative_name]).public_bytes())
        names |= {(*above, *below) for above in issuers}
    reasons = EVERY_REASON if item.reasons is None else frozenset(_BITS[flag] for flag in item.reasons)
    return Point(frozenset(names), issuers, bool(item.crl_issuer), reasons)


def _directory_names(names: Iterable[x509.GeneralName]) -> Iterable[NameKey]:
    return (name_key(name.value.public_bytes()) for name in names if isinstance(name, x509.DirectoryName))

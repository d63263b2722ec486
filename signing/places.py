"""Where certificates and lists say that more is to be had: issuers' certificates, lists, answers.

Pure facts of what they carry (RFC 5280, 4.2.1.13, 4.2.1.15, 4.2.2.1, 5.2.6, 5.2.7). Whether anybody may be
believed who wrote an address there, and the asking itself, are for others. Only http and https count: what
else may stand there (ldap) is not spoken here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from signing import der
from signing.certificates import PARSER_ERRORS, Certificate, quietly
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.revocation import Crl

MAX_PLACES = 16  # of one kind in one certificate
MAX_PLACE_CHARACTERS = 2048
MAX_BAG_CERTIFICATES = 32
_CERTIFICATES_ONLY = "1.2.840.113549.1.7.2"  # SignedData
_SPOKEN = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Places:
    """What a certificate or a list names.

    `lists` and `deltas` have one item for each distribution point: its addresses all lead to the same list.
    `unspoken` says that it names places, and none that can be asked.
    """

    issuers: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    lists: tuple[tuple[str, ...], ...] = ()
    deltas: tuple[tuple[str, ...], ...] = ()
    unspoken: bool = False


def places_of(certificate: Certificate) -> Places:
    """The places that a certificate names."""
    points = certificate.extension(x509.CRLDistributionPoints)
    fresh = certificate.extension(x509.FreshestCRL)
    access = certificate.extension(x509.AuthorityInformationAccess)
    named = _points(points.value) if points else ()
    return Places(
        issuers=_accesses(access.value, AuthorityInformationAccessOID.CA_ISSUERS) if access else (),
        answers=_accesses(access.value, AuthorityInformationAccessOID.OCSP) if access else (),
        lists=tuple(point for point in named if point),
        deltas=tuple(point for point in _points(fresh.value) if point) if fresh else (),
        unspoken=bool(named) and not any(named),
    )


def places_of_list(crl: Crl) -> Places:
    """Where a list says that its delta lists and its signer's certificate are."""
    try:
        with quietly():
            extensions = x509.load_der_x509_crl(crl.der).extensions
            found = {type(extension.value): extension.value for extension in extensions}
            fresh, access = found.get(x509.FreshestCRL), found.get(x509.AuthorityInformationAccess)
            return Places(
                issuers=_accesses(access, AuthorityInformationAccessOID.CA_ISSUERS)
                if isinstance(access, x509.AuthorityInformationAccess)
                else (),
                deltas=tuple(point for point in _points(fresh) if point)
                if isinstance(fresh, x509.FreshestCRL)
                else (),
            )
    except PARSER_ERRORS:
        return Places()


def read_bag(data: bytes) -> tuple[Certificate, ...]:
    """The certificates behind a caIssuers address: one in DER, or a "certs-only" message (RFC 5280, 4.2.2.1).

    `MalformedInput` for anything else. Those that do not parse are left out.
    """
    outer = list(der.children(der.read_exactly(data, der.SEQUENCE)))
    if not outer or outer[0].tag != der.OID:
        return (Certificate(data),)
    if len(outer) != 2 or der.read_oid(outer[0]) != _CERTIFICATES_ONLY:
        raise MalformedInput("certificate", "neither a certificate nor a bag of them")
    fields = der.children(der.read_exactly(outer[1].content, der.SEQUENCE))
    carried = next((field for field in fields if field.tag == 0xA0), None)
    found = []
    for number, item in enumerate(der.children(carried) if carried else ()):
        if number == MAX_BAG_CERTIFICATES:
            break
        try:
            found.append(Certificate(item.encoded))
        except MalformedInput:
            continue
    return tuple(found)


def _points(points: Iterable[x509.DistributionPoint]) -> tuple[tuple[str, ...], ...]:
    found = []
    for point in list(points)[:MAX_PLACES]:
        names = [name for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)]
        if point.full_name:
            found.append(_spoken(name.value for name in names))
    return tuple(found)


def _accesses(access: x509.AuthorityInformationAccess, method: x509.ObjectIdentifier) -> tuple[str, ...]:
    return _spoken(
        one.access_location.value
        for one in access
        if one.access_method == method and isinstance(one.access_location, x509.UniformResourceIdentifier)
    )


def _spoken(texts: Iterable[str]) -> tuple[str, ...]:
    plain = [text for text in texts if text.lower().startswith(_SPOKEN) and len(text) <= MAX_PLACE_CHARACTERS]
    return tuple(dict.fromkeys(plain))[:MAX_PLACES]

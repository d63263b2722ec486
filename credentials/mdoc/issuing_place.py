"""Where a mobile driving licence says that it was issued, held against its signer's certificate.

ISO/IEC 18013-5 has a reader compare what it got of these two elements with the subject of the certificate
that signed: a signer of one country speaks for that country alone. The standard's text was not at hand; the
rule is read through others, who quote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.x509 import NameOID, ObjectIdentifier

from signing.reasons import Reason
from signing.report import Check, good

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.mdoc.items import Item
    from signing.certificates import Certificate

MDL_NAMESPACE = "org.iso.18013.5.1"
_COUNTRY, _JURISDICTION = "issuing_country", "issuing_jurisdiction"
_PLACES = {_COUNTRY: NameOID.COUNTRY_NAME, _JURISDICTION: NameOID.STATE_OR_PROVINCE_NAME}


def place_checks(namespaces: Mapping[str, tuple[Item, ...]], signer: Certificate) -> tuple[Check, ...]:
    """The check of the two elements; none where neither is shown.

    A certificate always names its country; a jurisdiction counts where the certificate names one.
    """
    shown = [item for item in namespaces.get(MDL_NAMESPACE, ()) if item.identifier in _PLACES]
    for item in shown:
        named = _named(signer, _PLACES[item.identifier])
        if item.value not in named and (named or item.identifier == _COUNTRY):
            detail = f"{item.identifier} is not that of the certificate"
            return (Check("issuer_name", Reason.ISSUER_MISMATCH, detail=detail),)
    return (good("issuer_name"),) if shown else ()


def _named(signer: Certificate, oid: ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in signer.x509.subject.get_attributes_for_oid(oid)]

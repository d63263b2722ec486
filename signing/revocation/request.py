"""An OCSP request about one certificate (RFC 6960, 4.1.1), in the plain form that every responder answers.

One certificate, named by SHA-1 and without a nonce, as RFC 5019 (2.1) has it: so that answers made
beforehand serve. An answer's age is judged by its dates.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from signing import der

if TYPE_CHECKING:
    from signing.certificates import Certificate

_SHA1 = "1.3.14.3.2.26"


def ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """The request in DER; the hashes name the issuer, they protect nothing."""
    name = hashlib.sha1(certificate.issuer_der, usedforsecurity=False).digest()
    key = hashlib.sha1(issuer.public_key.bits, usedforsecurity=False).digest()
    identifier = der.sequence(
        der.sequence(der.oid(_SHA1), der.null()),
        der.octet_string(name),
        der.octet_string(key),
        der.integer(certificate.serial),
    )
    return der.sequence(der.sequence(der.sequence(der.sequence(identifier))))

"""Client identifiers with a prefix: who a verifier says it is, and the certificate that shows it (5.9).

Of the prefixes of OpenID4VP the two that rest on a certificate are known here. Any other one is refused,
`origin:` first of all, which only a browser may give. The whole text, prefix included, is the audience of
presentations (14.10).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from credentials.oid4vp.vocabulary import MAX_URL_CHARACTERS
from signing.base64url import encode_base64url
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from signing.certificates import Certificate


class Prefix(StrEnum):
    """How a client identifier is to be understood."""

    SAN_DNS = "x509_san_dns"
    HASH = "x509_hash"


@dataclass(frozen=True, slots=True)
class ClientId:
    """A client identifier. `str()` is the whole text."""

    prefix: Prefix
    name: str

    @classmethod
    def parse(cls, text: object) -> ClientId:
        """Read one; `MalformedInput` for a prefix that is not known, or none."""
        if not isinstance(text, str) or len(text) > MAX_URL_CHARACTERS:
            raise MalformedInput("client_id", "not a text")
        prefix, colon, name = text.partition(":")
        if not colon or prefix not in set(Prefix) or not name:
            raise MalformedInput("client_id", f"OpenID4VP, 5.9.3: the prefix is not {' or '.join(Prefix)}")
        return cls(Prefix(prefix), name)

    @classmethod
    def of(cls, certificate: Certificate) -> ClientId:
        """`x509_hash`: the certificate itself is the name (5.9.3, and HAIP, 5)."""
        return cls(Prefix.HASH, encode_base64url(hashlib.sha256(certificate.der).digest()))

    def objection_to(self, certificate: Certificate, response_uri: str) -> str | None:
        """Why the signer's certificate does not make it this client; None when it does."""
        if self.prefix is Prefix.HASH:
            good = hmac.compare_digest(str(self.of(certificate)), str(self))
            return None if good else "x509_hash is not the hash of the signing certificate"
        if self.name not in dns_names(certificate):
            return "x509_san_dns is no dNSName of the signing certificate"
        if urlsplit(response_uri).hostname != self.name.lower():
            return "the host of response_uri is another one than x509_san_dns names"
        return None

    def __str__(self) -> str:
        return f"{self.prefix}:{self.name}"


def dns_names(certificate: Certificate) -> tuple[str, ...]:
    """The DNS names among a certificate's alternative names; a wildcard is none."""
    found = certificate.extension(x509.SubjectAlternativeName)
    names = found.value.get_values_for_type(x509.DNSName) if found else []
    return tuple(name for name in names if "*" not in name)

"""One key, one use: a service refuses a signer whose certificate is made for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from signing.usages import usage
from yinxin.base.errors import SignerUnavailable

if TYPE_CHECKING:
    from signing.certificates import Certificate


def require_usage(certificate: Certificate, name: str) -> None:
    """`SignerUnavailable` unless the certificate is made for this use alone."""
    row = usage(name)
    extensions = certificate.x509.extensions
    try:
        bits = extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as exc:
        raise SignerUnavailable(f"the certificate does not say that it {row.means}") from exc
    if not getattr(bits, row.key_usage) or [each.dotted_string for each in purposes] != [row.extended]:
        raise SignerUnavailable(f"the certificate is not one that {row.means}")

"""pyHanko as another maker of seals, with the keys of this world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

if TYPE_CHECKING:
    from signing.signers.file import FileSigner


def other_maker(signer: FileSigner) -> SimpleSigner:
    pkcs8 = signer._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store = SimpleCertificateStore()
    store.register_multiple([asn1_x509.Certificate.load(item.der) for item in signer.chain[1:]])
    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(signer.certificate.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(pkcs8),
        cert_registry=store,
    )

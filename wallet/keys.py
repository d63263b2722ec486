"""The holder's keys: a fresh P-256 key for every credential copy, so that copies cannot be linked.

A key leaves this module only as bytes for `wallet.store`, which encrypts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from signing.keys import PublicKey
from signing.signer import Signer
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from signing.certificates import Certificate

_DIGEST = ec.ECDSA(hashes.SHA256())


class HolderKey(Signer):
    """A private key of the holder's; it never has a certificate."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public_key = PublicKey(spki)
        super().__init__(public_key, public_key.default_algorithm, ())
        self._private_key = private_key

    @classmethod
    def generate(cls) -> HolderKey:
        """A fresh key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_secret(cls, secret: bytes) -> HolderKey:
        """The key that `to_secret` gave."""
        try:
            key = load_der_private_key(secret, password=None)
        except (ValueError, TypeError) as exc:
            raise MalformedInput("wallet", "a key in it does not parse") from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise MalformedInput("wallet", "a key in it is of another kind")
        return cls(key)

    def to_secret(self) -> bytes:
        """The private key in PKCS#8, not encrypted: for the encrypted store and nothing else."""
        return self._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """The signature in X.509 form."""
        return self._private_key.sign(message, _DIGEST)

    def with_chain(self, chain: tuple[Certificate, ...]) -> HolderKey:
        """Refused with `UsageError`: a holder's key is known by the credential that names it."""
        raise UsageError("a holder's key has no certificate" + (" chain" if chain else ""))

    def __repr__(self) -> str:
        return f"HolderKey({self.public_key.thumbprint})"

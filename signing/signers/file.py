"""Private keys in encrypted PKCS#8 files.

For development, small offices and tests; a seal with legal effect in China lives in a certified device.
Files are written with mode 0600 and never without a passphrase.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from signing.certificates import Certificate, load_certificates
from signing.keys import PublicKey
from signing.signer import Signer
from yinxin.base.errors import SignerUnavailable, UsageError
from yinxin.base.files import PRIVATE, write_new_file

KeyKind = Literal["P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519"]
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ECDSA = {name: ec.ECDSA(digest) for name, digest in _HASHES.items()}


class FileSigner(Signer):
    """A private key that was read from a file and is held in this process."""

    def __init__(self, private_key: Any, chain: tuple[Certificate, ...] = ()) -> None:
        """Take a `cryptography` private key."""
        spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public_key = PublicKey(spki)
        super().__init__(public_key, public_key.default_algorithm, chain)
        self._private_key = private_key

    @classmethod
    def generate(cls, kind: KeyKind = "P-256") -> FileSigner:
        """A fresh key, in memory only."""
        if kind == "P-256":
            return cls(ec.generate_private_key(ec.SECP256R1()))
        if kind == "P-384":
            return cls(ec.generate_private_key(ec.SECP384R1()))
        if kind == "P-521":
            return cls(ec.generate_private_key(ec.SECP521R1()))
        if kind == "Ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        if kind.startswith("RSA-") and kind[4:] in {"2048", "3072", "4096"}:
            return cls(rsa.generate_private_key(65537, int(kind[4:])))
        raise UsageError(f"no keys of the kind {kind!r} in files")

    @classmethod
    def open(cls, path: str | Path, *, passphrase: str | None, chain: str | Path | None = None) -> FileSigner:
        """Read an encrypted PKCS#8 file and, where given, a PEM chain (leaf first)."""
        try:
            pem = Path(path).read_bytes()
            certificates = load_certificates(Path(chain).read_bytes()) if chain else ()
        except OSError as exc:
            raise SignerUnavailable(f"cannot read {exc.filename}: {exc.strerror}") from exc
        if not passphrase:
            raise SignerUnavailable(f"the key {path} needs its passphrase")
        try:
            return cls(load_pem_private_key(pem, passphrase.encode()), certificates)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise SignerUnavailable(f"the key {path} does not open with this passphrase") from exc

    def save(self, path: str | Path, *, passphrase: str) -> None:
        """Write the key to a new file, encrypted; an existing file is a `Conflict`."""
        if not passphrase:
            raise UsageError("a key file needs a passphrase")
        pem = self._private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
        )
        write_new_file(Path(path), pem, mode=PRIVATE)

    def sign(self, message: bytes) -> bytes:
        """The signature in X.509 form."""
        key, digest = self._private_key, self.algorithm.digest
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, _ECDSA[digest or ""])
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(message, padding.PKCS1v15(), _HASHES[digest or ""])
        signature: bytes = key.sign(message)
        return signature

    def with_chain(self, chain: tuple[Certificate, ...]) -> FileSigner:
        """The same key with another chain."""
        return FileSigner(self._private_key, chain)

"""The object that reaches a private key, wherever that is.

A `Signer` signs bytes, and carries its certificate chain as data. Where the key lives is one file in
`signing/signers/` and one line in the table here: `open_signer("file:keys/seal.pem", secret=…)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from yinxin.base.errors import SignerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.algorithms import Algorithm
    from signing.certificates import Certificate
    from signing.keys import PublicKey


class Signer(ABC):
    """Reaches one private key. One key has one use: its certificate's profile says which."""

    def __init__(self, public_key: PublicKey, algorithm: Algorithm, chain: tuple[Certificate, ...]) -> None:
        """Keep the key's public half, its algorithm and its chain (leaf first; empty for a bare key)."""
        if chain and chain[0].public_key != public_key:
            raise SignerUnavailable("the certificate is not the one of this key")
        self.public_key = public_key
        self.algorithm = algorithm
        self.chain = chain

    @property
    def certificate(self) -> Certificate:
        """The leaf of the chain; `SignerUnavailable` for a bare key."""
        if not self.chain:
            raise SignerUnavailable("this key has no certificate")
        return self.chain[0]

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """The signature in X.509 form (DER of r and s for elliptic curves); may be called from any thread.

        Raises `SignerUnavailable` when the key cannot be used.
        """

    @abstractmethod
    def with_chain(self, chain: tuple[Certificate, ...]) -> Signer:
        """The same key with another chain: after the CA has answered, or after a renewal."""


def open_signer(uri: str, *, secret: Callable[[], str] | str | None = None) -> Signer:
    """Open the signer that a URI names.

    `file:path/key.pem?chain=path/chain.pem` is an encrypted PKCS#8 file,
    `pkcs11:token=LABEL;object=LABEL?module-path=/path/driver.so&chain=path/chain.pem` a key in a token
    (RFC 7512). `secret` is the passphrase or PIN, or a function that asks for it. Raises `UsageError` for an
    unknown kind and `SignerUnavailable` when the key cannot be reached or opened.
    """
    scheme = uri.partition(":")[0].lower() if ":" in uri else ""
    if scheme not in _KINDS:
        raise UsageError(f"no signer of the kind {scheme!r}; known: {', '.join(sorted(_KINDS))}")
    return _KINDS[scheme](uri, secret() if callable(secret) else secret)


def _open_file(uri: str, passphrase: str | None) -> Signer:
    from signing.signers.file import FileSigner  # noqa: PLC0415 - a kind's import is paid by who uses it

    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return FileSigner.open(parts.netloc + parts.path, passphrase=passphrase, chain=options.get("chain"))


def _open_token(uri: str, pin: str | None) -> Signer:
    from signing.signers.pkcs11 import TokenSigner  # noqa: PLC0415 - see above

    return TokenSigner.open(uri, pin=pin)


_KINDS: dict[str, Callable[[str, str | None], Signer]] = {"file": _open_file, "pkcs11": _open_token}

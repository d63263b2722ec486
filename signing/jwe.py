"""Compact JWE (RFC 7516) in the one form that presentations use: ECDH-ES on P-256 with AES-GCM.

joserfc encrypts and decrypts; what it is handed was read strictly here before: one algorithm, an allowed
content encryption, no compression, a point that lies on the curve, parts of the right length. Bytes that
cannot be decrypted are `MalformedInput`, always with the same words, so that nobody learns from the answer
what was wrong with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from signing.base64url import decode_base64url
from signing.jose import load_json_object
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ALGORITHM = "ECDH-ES"
ENCRYPTIONS = ("A256GCM", "A128GCM")
MAX_CHARACTERS = 3 << 20
MAX_HEADER_CHARACTERS = 8 * 1024
_IV_BYTES, _TAG_BYTES = 12, 16
# Compression hides a bomb and leaks lengths; a password (PBES2) burns our time; `crit` we do not know.
_REFUSED = ("zip", "crit", "p2c", "p2s")
_CANNOT = "it cannot be decrypted"


class DecryptionKey:
    """A private P-256 key that one request is answered to."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey, *, kid: str | None = None) -> None:
        """Take a private key; its name is its RFC 7638 thumbprint unless another was published."""
        if private_key.curve.name != "secp256r1":
            raise UsageError("responses are encrypted to P-256 keys")
        self._private_key = private_key
        spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = PublicKey(spki)
        self.kid = kid or self.public_key.thumbprint

    @classmethod
    def generate(cls) -> DecryptionKey:
        """A fresh key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_secret(cls, secret: bytes) -> DecryptionKey:
        """The key that `to_secret` gave."""
        try:
            key = load_der_private_key(secret, password=None)
        except (ValueError, TypeError) as exc:
            raise MalformedInput("key", "not a private key") from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise MalformedInput("key", "of another kind")
        return cls(key)

    def to_secret(self) -> bytes:
        """The private key in PKCS#8, not encrypted: for a sealed record and nothing else."""
        return self._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def to_jwk(self) -> dict[str, str]:
        """The public key as a request's metadata says it."""
        return {**self.public_key.to_jwk(), "kid": self.kid, "use": "enc", "alg": ALGORITHM}

    def decrypt(self, text: object, *, encryptions: Collection[str] = ENCRYPTIONS) -> bytes:
        """The plain bytes; `MalformedInput` for anything that is not for this key in an allowed form."""
        header = _read(text, encryptions)
        if header.get("kid", self.kid) != self.kid:
            raise MalformedInput("jwe", "made for another key")
        key = ECKey.import_key(self._private_key)
        try:
            found = jwe.decrypt_compact(str(text), key, algorithms=[ALGORITHM, *encryptions])
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise MalformedInput("jwe", _CANNOT) from exc
        if found.plaintext is None:
            raise MalformedInput("jwe", _CANNOT)
        return found.plaintext

    def __repr__(self) -> str:
        return f"DecryptionKey({self.kid})"


def is_usable(jwk: object) -> bool:
    """Whether a published key is one that `encrypt` takes: P-256, for ECDH-ES, named, for encryption."""
    try:
        _recipient(jwk)
    except MalformedInput:
        return False
    return True


def encrypt(payload: bytes, jwk: Mapping[str, Any], *, encryption: str) -> str:
    """Encrypt to a published key; the header names its `kid`. `MalformedInput` for a key of another kind."""
    if encryption not in ENCRYPTIONS:
        raise UsageError(f"content is encrypted with {' or '.join(ENCRYPTIONS)}")
    key = _recipient(jwk)
    header = {"alg": ALGORITHM, "enc": encryption, "kid": jwk["kid"]}
    native = ECKey.import_key(key.native)
    return jwe.encrypt_compact(header, payload, native, algorithms=[ALGORITHM, encryption])


def _recipient(jwk: object) -> PublicKey:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        raise MalformedInput("jwk", "OpenID4VP, 5.1: a key for encryption has a kid")
    if jwk.get("alg") != ALGORITHM or jwk.get("use", "enc") != "enc":
        raise MalformedInput("jwk", f"not for {ALGORITHM}")
    return _point(jwk)


def _point(jwk: object) -> PublicKey:
    key = PublicKey.from_jwk(jwk)  # which refuses private keys and points beside the curve
    if key.kind != "P-256":
        raise MalformedInput("jwk", "not a P-256 key")
    return key


def _read(text: object, encryptions: Collection[str]) -> dict[str, Any]:
    """The protected header of a JWE whose every part has the only shape that it may have."""
    if not isinstance(text, str):
        raise MalformedInput("jwe", "not a text")
    if len(text) > MAX_CHARACTERS:
        raise TooLarge("jwe", f"over {MAX_CHARACTERS} characters")
    parts = text.split(".")
    if len(parts) != 5 or len(parts[0]) > MAX_HEADER_CHARACTERS:
        raise MalformedInput("jwe", "not the five parts of a compact JWE")
    header = load_json_object(decode_base64url(parts[0]))
    if header.get("alg") != ALGORITHM or header.get("enc") not in {*ENCRYPTIONS}.intersection(encryptions):
        raise MalformedInput("jwe", "another algorithm than was asked for")
    if any(name in header for name in _REFUSED):
        raise MalformedInput("jwe", f"a header is not allowed: {', '.join(_REFUSED)}")
    _point(header.get("epk"))
    for name in ("apu", "apv"):
        if name in header:
            decode_base64url(header[name])
    key, iv, content, tag = (decode_base64url(part) for part in parts[1:])
    # RFC 7518, 4.6: agreement is direct, so no key travels; 5.3: the lengths of GCM.
    if key or not content or len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise MalformedInput("jwe", "a part has the wrong length")
    return header

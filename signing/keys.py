"""Public keys: one value for curves of NIST and of Brainpool, RSA, Ed25519, Ed448, ML-DSA and SM2.

A `PublicKey` is its SubjectPublicKeyInfo in DER and the kind read from it. `cryptography` verifies for
the kinds that it knows; SM2, whose keys it refuses, goes to `signing.sm2`. Callers see no difference.
"""

from __future__ import annotations

import base64
import hashlib
import textwrap
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from signing import der, sm2
from signing.algorithms import BRAINPOOL, RSA_PSS, Algorithm, default_algorithm, pss_parameters
from signing.base64url import decode_base64url, encode_base64url
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

EC_PUBLIC_KEY, RSA_ENCRYPTION, ED25519 = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1", "1.3.101.112"
ED448, _SM2 = "1.3.101.113", "1.2.156.10197.1.301"
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    _SM2: "SM2",
    "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
_ECDSA = {name: ec.ECDSA(digest) for name, digest in _HASHES.items()}
_ON_CURVES = frozenset({"P-256", "P-384", "P-521", *BRAINPOOL})
_SIZES = {"P-256": 256, "P-384": 384, "P-521": 521, "SM2": 256, "Ed25519": 256, "Ed448": 456}
_SIZES |= {name: int(name.removeprefix("brainpoolP").removesuffix("r1")) for name in BRAINPOOL}
_ML_DSA = {
    f"2.16.840.1.101.3.4.3.{number}": kind
    for number, kind in ((17, "ML-DSA-44"), (18, "ML-DSA-65"), (19, "ML-DSA-87"))
}  # RFC 9881, 2
_JWK_MEMBERS = {
    ("EC", "P-256"): ("x", "y"),
    ("EC", "P-384"): ("x", "y"),
    ("EC", "P-521"): ("x", "y"),
    ("OKP", "Ed25519"): ("x",),
}
_COORDINATES = {"P-256": (32, 32), "P-384": (48, 48), "P-521": (66, 66), "Ed25519": (32,)}
_NATIVE_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_SPKI_BEFORE = {
    "P-256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    "P-384": bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200"),
    "P-521": bytes.fromhex("30819b301006072a8648ce3d020106052b8104002303818600"),
    "Ed25519": bytes.fromhex("302a300506032b6570032100"),
}  # RFC 5480, 2; RFC 8410, 4
_P256_POINT = _SPKI_BEFORE["P-256"] + b"\x04"  # 27 bytes, and the rest is x and y
RSA_BITS = range(2048, 8193)  # below is weak, above is a way to burn our time


class PublicKey:
    """A public key that verifies signatures."""

    __slots__ = ("__dict__", "kind", "spki")

    def __init__(self, spki: bytes) -> None:
        """Take a SubjectPublicKeyInfo in DER; `MalformedInput` unless it is one of a kind we know."""
        self.spki = spki
        self.kind = _kind_of(spki)
        if self.kind == "SM2":
            sm2.check_point(self.point)
        else:
            _ = self._native
        if self.kind == "RSA":
            _ = self._only_pss

    @classmethod
    def from_jwk(cls, jwk: object) -> PublicKey:
        """Take a public JWK (RFC 7517); a private member or an unknown kind is `MalformedInput`."""
        if not isinstance(jwk, dict):
            raise MalformedInput("jwk", "not an object")
        if "d" in jwk or "k" in jwk:
            raise MalformedInput("jwk", "holds a private or secret key")
        try:
            if jwk["kty"] == "RSA":
                return cls(_rsa_from_jwk(jwk).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
            kind = jwk["crv"]
            names = _JWK_MEMBERS.get((jwk["kty"], kind))
            if names is None:
                raise MalformedInput("jwk", "unknown kind of key")
            return cls.from_coordinates(kind, *map(decode_base64url, map(jwk.__getitem__, names)))
        except (KeyError, TypeError, ValueError) as exc:
            raise MalformedInput("jwk", "members are missing or wrong") from exc

    @classmethod
    def from_coordinates(cls, kind: str, *coordinates: bytes) -> PublicKey:
        """Take x and y of a point on a NIST curve, or the bytes of an Ed25519 key, as wallets send them.

        `MalformedInput` for another length, and for a point that is not on its curve.
        """
        if tuple(map(len, coordinates)) != _COORDINATES[kind]:
            raise MalformedInput("key", "coordinate has the wrong length")
        bits = coordinates[0] if kind == "Ed25519" else b"\x04" + b"".join(coordinates)
        key = cls.__new__(cls)
        try:
            key.__dict__["_native"] = _native_from_point(kind, bits)
        except ValueError as exc:
            raise MalformedInput("key", "no point of this curve") from exc
        # What stands before the bits is the same for each key of a kind.
        key.spki, key.kind = _SPKI_BEFORE[kind] + bits, kind
        return key

    @classmethod
    def from_half_point(cls, kind: str, x: bytes, *, is_odd: bool) -> PublicKey:
        """Take x of a point on a NIST curve, and whether its y is odd (SEC 1, 2.3.4).

        The key is the same one as that of the whole point; `MalformedInput` as there.
        """
        if len(x) != _COORDINATES[kind][0]:
            raise MalformedInput("key", "coordinate has the wrong length")
        try:
            native = _native_from_point(kind, bytes((2 + is_odd,)) + x)
        except ValueError as exc:
            raise MalformedInput("key", "no point of this curve") from exc
        point: bytes = native.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        middle = 1 + len(x)
        return cls.from_coordinates(kind, point[1:middle], point[middle:])

    def to_jwk(self) -> dict[str, str]:
        """As a public JWK; `MalformedInput` for keys that have none, or are for RSASSA-PSS alone."""
        if self.spki.startswith(_P256_POINT):  # nearly every holder's key
            x, y = encode_base64url(self.spki[27:59]), encode_base64url(self.spki[59:])
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        key = self._native
        if isinstance(key, ec.EllipticCurvePublicKey) and ("EC", self.kind) in _JWK_MEMBERS:
            point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            middle = (len(point) + 1) // 2
            x, y = encode_base64url(point[1:middle]), encode_base64url(point[middle:])
            return {"kty": "EC", "crv": self.kind, "x": x, "y": y}
        if isinstance(key, ed25519.Ed25519PublicKey):
            return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(key.public_bytes_raw())}
        if isinstance(key, rsa.RSAPublicKey) and self._only_pss is None:
            rsa_numbers = key.public_numbers()
            return {
                "kty": "RSA",
                "n": encode_base64url(_unsigned(rsa_numbers.n)),
                "e": encode_base64url(_unsigned(rsa_numbers.e)),
            }
        raise MalformedInput("jwk", f"{self.kind} has no registered JWK form")

    def to_pem(self) -> bytes:
        """As a PEM text (RFC 7468, 13), as other programs read it."""
        lines = textwrap.wrap(base64.b64encode(self.spki).decode(), 64)
        return "\n".join(("-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", "")).encode()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hex: the key's stable name in our tables and logs."""
        return hashlib.sha256(self.spki).hexdigest()

    @cached_property
    def thumbprint(self) -> str:
        """RFC 7638 thumbprint (SHA-256, base64url); the name of a key that speaks JOSE."""
        members = sorted(self.to_jwk().items())
        text = "{" + ",".join(f'"{name}":"{value}"' for name, value in members) + "}"
        return encode_base64url(hashlib.sha256(text.encode()).digest())

    @cached_property
    def identifier(self) -> bytes:
        """SHA-1 of the key bits: the key identifier of RFC 5280, 4.2.1.2 (a name, not protection)."""
        return hashlib.sha1(self._bits, usedforsecurity=False).digest()

    @property
    def default_algorithm(self) -> Algorithm:
        """What this key's owner signs with unless told otherwise."""
        return default_algorithm(self.kind)

    @property
    def point(self) -> bytes:
        """The uncompressed point of an elliptic-curve key (`04 || x || y`), whichever way the key has it."""
        if self.kind in _ON_CURVES and self._bits[0] != 4:
            point: bytes = self._native.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return point
        return self._bits

    @property
    def is_in_usual_form(self) -> bool:
        """Whether the key is written as nearly all write it: a whole point; RSA for any padding, with NULL.

        In another form (RFC 5480, 2.2; RFC 4055, 1.2) the same key has another `spki` and fingerprint.
        """
        if self.kind == "SM2":
            parameters = der.oid(EC_PUBLIC_KEY), der.oid(_SM2)
            return self.spki == der.sequence(der.sequence(*parameters), der.bit_string(self._bits))
        usual: bytes = self._native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return self.spki == usual

    @property
    def bits(self) -> bytes:
        """The content of `subjectPublicKey`: what key identifiers are digests of."""
        return self._bits

    @cached_property
    def size_bits(self) -> int:
        """The key's size as people say it: 256 for P-256, the modulus for RSA."""
        if self.kind == "RSA":
            return int(self._native.key_size)
        return _SIZES.get(self.kind, len(self.bits) * 8)

    @property
    def native(self) -> Any:
        """The `cryptography` object; `MalformedInput` for SM2, which has none."""
        return self._native

    def verify(self, signature: bytes, message: bytes, algorithm: Algorithm | None = None) -> bool:
        """Whether `signature` (X.509 form: DER for elliptic curves) is this key's over `message`.

        False for a wrong signature, for bytes that are none, and for an algorithm of another key kind.
        """
        row, kind = algorithm or self.default_algorithm, self.kind
        if row.key_kind != kind:
            return False
        if kind == "SM2":
            return self._verify_sm2(signature, message)
        key = self._native
        try:
            if kind in _ON_CURVES:
                key.verify(signature, message, _ECDSA[row.digest or ""])
            elif kind == "RSA":
                if self._only_pss is not None and (not row.is_pss or self._only_pss not in {"", row.digest}):
                    return False
                digest = _HASHES[row.digest or ""]
                key.verify(signature, message, _padding(digest, row), digest)
            else:
                key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _verify_sm2(self, signature: bytes, message: bytes) -> bool:
        try:
            return sm2.verify(self.point, signature, message)
        except UnknownAlgorithm:  # no engine here gives the published answer: `yinxin doctor` says so
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"PublicKey({self.kind}, {self.fingerprint[:16]})"

    @cached_property
    def _bits(self) -> bytes:
        _, bits = der.children(der.read_exactly(self.spki, der.SEQUENCE))
        return der.read_bit_string(bits)

    @cached_property
    def _only_pss(self) -> str | None:
        """Of an RSA key that is for RSASSA-PSS alone (RFC 4055, 1.2): the hash it is for, or "" for any."""
        identifier = list(der.children(next(der.children(der.read_exactly(self.spki, der.SEQUENCE)))))
        if der.read_oid(identifier[0]) != RSA_PSS:
            return None
        digest = pss_parameters(identifier[1:])[0] if len(identifier) > 1 else ""
        if digest is None:
            raise MalformedInput("key", "parameters of RSASSA-PSS that are not taken here")
        return digest

    @cached_property
    def _native(self) -> Any:
        if self.kind == "SM2":
            raise MalformedInput("key", "cryptography knows no SM2 keys")
        try:
            key = load_der_public_key(self.spki)
        except (ValueError, UnsupportedAlgorithm) as exc:
            raise MalformedInput("key", "not a valid public key") from exc
        if isinstance(key, rsa.RSAPublicKey) and key.key_size not in RSA_BITS:
            raise MalformedInput("key", f"RSA keys of {key.key_size} bits are not accepted")
        if isinstance(key, rsa.RSAPublicKey) and not key.public_numbers().n & 1:
            raise MalformedInput("key", "an even number is no RSA modulus")
        return key


def _kind_of(spki: bytes) -> str:
    parts = list(der.children(der.read_exactly(spki, der.SEQUENCE)))
    if len(parts) != 2 or parts[0].tag != der.SEQUENCE:
        raise MalformedInput("key", "not a SubjectPublicKeyInfo")
    identifier = list(der.children(parts[0]))
    if not identifier:
        raise MalformedInput("key", "no algorithm")
    name = der.read_oid(identifier[0])
    if name in {RSA_ENCRYPTION, RSA_PSS}:
        return "RSA"
    if name == ED25519:
        return "Ed25519"
    if name == ED448 and len(identifier) == 1:
        return "Ed448"
    if name in _ML_DSA and len(identifier) == 1:
        return _ML_DSA[name]
    if name == EC_PUBLIC_KEY and len(identifier) == 2:
        curve = der.read_oid(identifier[1])
        if curve in _CURVES:
            return _CURVES[curve]
    raise MalformedInput("key", f"keys of the kind {name} are not known here")


def _native_from_point(kind: str, bits: bytes) -> Any:
    if kind == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(bits)
    return ec.EllipticCurvePublicKey.from_encoded_point(_NATIVE_CURVES[kind], bits)


def _rsa_from_jwk(jwk: dict[str, Any]) -> rsa.RSAPublicKey:
    n, e = (int.from_bytes(decode_base64url(jwk[name]), "big") for name in ("n", "e"))
    if n.bit_length() not in RSA_BITS or not n & 1 or not 3 <= e < 1 << 32:
        raise MalformedInput("jwk", "RSA numbers are out of range")
    return rsa.RSAPublicNumbers(e, n).public_key()


def _padding(digest: hashes.HashAlgorithm, row: Algorithm) -> padding.AsymmetricPadding:
    salt = digest.digest_size if row.salt_bytes is None else row.salt_bytes
    return padding.PSS(padding.MGF1(digest), salt) if row.is_pss else padding.PKCS1v15()


def _unsigned(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")

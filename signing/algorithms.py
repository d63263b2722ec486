"""Signature algorithms are rows; callers allow-list them by name.

A row joins the names that one algorithm has in the worlds we speak to: JOSE, COSE, X.509, SM. Nothing else
in the house branches on an algorithm's name: it asks the row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from signing import der
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
DIGEST_OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
    "sha3_384": "2.16.840.1.101.3.4.2.9",
    "sha3_512": "2.16.840.1.101.3.4.2.10",
}
_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64, "sha3_256": 32, "sha3_384": 48, "sha3_512": 64}
MAX_IDENTIFIER_BYTES, MAX_SALT_BYTES = 256, 1024
BRAINPOOL = ("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One signature algorithm.

    `name` is the JOSE name where JOSE has one; `key_kind` the kind of `PublicKey` it works with;
    `digest` the hash's name in hashlib (None when the scheme hashes by itself); `oid` and
    `identifier` how certificates name it (dotted, and the whole AlgorithmIdentifier in DER). `cose` are its
    numbers in COSE, the one that we write first; empty when none is registered or none is used here.
    `coordinate_bytes` is the length of r and of s, where JOSE and COSE write a signature as the two of them.
    `is_pss` tells RSA-PSS, with MGF1 by the same hash, from PKCS #1 v1.5; its salt has the hash's length
    where `salt_bytes` says nothing else.
    """

    name: str
    key_kind: str
    digest: str | None
    oid: str
    identifier: bytes
    in_jose: bool = True
    cose: tuple[int, ...] = ()
    coordinate_bytes: int | None = None
    is_pss: bool = False
    salt_bytes: int | None = None


def _row(  # noqa: PLR0913 - a row of a table
    name: str,
    key_kind: str,
    digest: str | None,
    oid: str,
    *,
    null: bool = False,
    in_jose: bool = True,
    cose: tuple[int, ...] = (),
    coordinate_bytes: int | None = None,
) -> Algorithm:
    identifier = der.sequence(der.oid(oid), *([der.null()] if null else []))
    return Algorithm(name, key_kind, digest, oid, identifier, in_jose, cose, coordinate_bytes)


def _pss(name: str, digest: str, *, in_jose: bool = True) -> Algorithm:
    """RSASSA-PSS as RFC 4055, 3.1 writes its parameters, and RFC 7518, 3.5 chooses them."""
    hashed = der.sequence(der.oid(DIGEST_OIDS[digest]), der.null())
    parameters = der.sequence(
        der.explicit(0, hashed),
        der.explicit(1, der.sequence(der.oid(_MGF1), hashed)),
        der.explicit(2, der.integer(_DIGEST_BYTES[digest])),
    )
    identifier = der.sequence(der.oid(RSA_PSS), parameters)
    return Algorithm(name, "RSA", digest, RSA_PSS, identifier, in_jose, is_pss=True)


ALGORITHMS: tuple[Algorithm, ...] = (
    # RFC 9053, 2; behind them the numbers of RFC 9864, which name the curve too.
    _row("ES256", "P-256", "sha256", "1.2.840.10045.4.3.2", cose=(-7, -9), coordinate_bytes=32),
    _row("ES384", "P-384", "sha384", "1.2.840.10045.4.3.3", cose=(-35, -51), coordinate_bytes=48),
    _row("ES512", "P-521", "sha512", "1.2.840.10045.4.3.4", cose=(-36, -52), coordinate_bytes=66),
    _row("RS256", "RSA", "sha256", "1.2.840.113549.1.1.11", null=True),
    _row("RS384", "RSA", "sha384", "1.2.840.113549.1.1.12", null=True),
    _row("RS512", "RSA", "sha512", "1.2.840.113549.1.1.13", null=True),
    _pss("PS256", "sha256"),
    _pss("PS384", "sha384"),
    _pss("PS512", "sha512"),
    _row("Ed25519", "Ed25519", None, "1.3.101.112", cose=(-8, -19)),
    # GB/T 32918.2 with SM3. Neither JOSE nor COSE has registered it.
    _row("SM2", "SM2", "sm3", "1.2.156.10197.1.501", in_jose=False),
    # A curve with the hash of another: X.509 allows it (RFC 5758, 3.2), JOSE and we do not write it.
    _row("ECDSA-P256-SHA384", "P-256", "sha384", "1.2.840.10045.4.3.3", in_jose=False),
    _row("ECDSA-P256-SHA512", "P-256", "sha512", "1.2.840.10045.4.3.4", in_jose=False),
    _row("ECDSA-P384-SHA256", "P-384", "sha256", "1.2.840.10045.4.3.2", in_jose=False),
    _row("ECDSA-P384-SHA512", "P-384", "sha512", "1.2.840.10045.4.3.4", in_jose=False),
    _row("ECDSA-P521-SHA256", "P-521", "sha256", "1.2.840.10045.4.3.2", in_jose=False),
    _row("ECDSA-P521-SHA384", "P-521", "sha384", "1.2.840.10045.4.3.3", in_jose=False),
    # Verified: SHA-3 (RFC 9688), Ed448 (RFC 8419), the curves of Brainpool (RFC 5639).
    _row("RSA-SHA3-256", "RSA", "sha3_256", "2.16.840.1.101.3.4.3.14", null=True, in_jose=False),
    _row("RSA-SHA3-384", "RSA", "sha3_384", "2.16.840.1.101.3.4.3.15", null=True, in_jose=False),
    _row("RSA-SHA3-512", "RSA", "sha3_512", "2.16.840.1.101.3.4.3.16", null=True, in_jose=False),
    _pss("PSS-SHA3-256", "sha3_256", in_jose=False),
    _pss("PSS-SHA3-384", "sha3_384", in_jose=False),
    _pss("PSS-SHA3-512", "sha3_512", in_jose=False),
    _row("ECDSA-P256-SHA3-256", "P-256", "sha3_256", "2.16.840.1.101.3.4.3.10", in_jose=False),
    _row("ECDSA-P256-SHA3-384", "P-256", "sha3_384", "2.16.840.1.101.3.4.3.11", in_jose=False),
    _row("ECDSA-P256-SHA3-512", "P-256", "sha3_512", "2.16.840.1.101.3.4.3.12", in_jose=False),
    _row("ECDSA-P384-SHA3-256", "P-384", "sha3_256", "2.16.840.1.101.3.4.3.10", in_jose=False),
    _row("ECDSA-P384-SHA3-384", "P-384", "sha3_384", "2.16.840.1.101.3.4.3.11", in_jose=False),
    _row("ECDSA-P384-SHA3-512", "P-384", "sha3_512", "2.16.840.1.101.3.4.3.12", in_jose=False),
    _row("ECDSA-P521-SHA3-256", "P-521", "sha3_256", "2.16.840.1.101.3.4.3.10", in_jose=False),
    _row("ECDSA-P521-SHA3-384", "P-521", "sha3_384", "2.16.840.1.101.3.4.3.11", in_jose=False),
    _row("ECDSA-P521-SHA3-512", "P-521", "sha3_512", "2.16.840.1.101.3.4.3.12", in_jose=False),
    _row("Ed448", "Ed448", None, "1.3.101.113", in_jose=False),
    *(
        _row(f"ECDSA-{curve}-{name}", curve, digest, oid, in_jose=False)
        for curve in BRAINPOOL
        for name, digest, oid in (
            ("SHA256", "sha256", "1.2.840.10045.4.3.2"),
            ("SHA384", "sha384", "1.2.840.10045.4.3.3"),
            ("SHA512", "sha512", "1.2.840.10045.4.3.4"),
            ("SHA3-256", "sha3_256", "2.16.840.1.101.3.4.3.10"),
            ("SHA3-384", "sha3_384", "2.16.840.1.101.3.4.3.11"),
            ("SHA3-512", "sha3_512", "2.16.840.1.101.3.4.3.12"),
        )
    ),
    # FIPS 204 in certificates (RFC 9881): verified; no signer of ours makes them yet.
    _row("ML-DSA-44", "ML-DSA-44", None, "2.16.840.1.101.3.4.3.17", in_jose=False),
    _row("ML-DSA-65", "ML-DSA-65", None, "2.16.840.1.101.3.4.3.18", in_jose=False),
    _row("ML-DSA-87", "ML-DSA-87", None, "2.16.840.1.101.3.4.3.19", in_jose=False),
)
_BY_NAME = {row.name: row for row in ALGORITHMS}
_BY_COSE = {number: row for row in ALGORITHMS for number in row.cose}
_DEFAULT = {row.key_kind: row.name for row in reversed(ALGORITHMS)}  # the first row of each kind


def algorithm(name: str) -> Algorithm:
    """The row of this name, or `UnknownAlgorithm`. `EdDSA` is JOSE's older name of Ed25519."""
    try:
        return _BY_NAME["Ed25519" if name == "EdDSA" else name]
    except KeyError as exc:
        raise UnknownAlgorithm(name) from exc


@lru_cache(maxsize=256)
def algorithm_by_identifier(encoded: bytes, key_kind: str) -> Algorithm:
    """The row of an AlgorithmIdentifier (DER) for a key of this kind; `UnknownAlgorithm` without one.

    Object identifiers alone do not tell: ECDSA leaves the curve to the key, RSA-PSS the hash to parameters.
    """
    if len(encoded) > MAX_IDENTIFIER_BYTES:
        raise UnknownAlgorithm("an algorithm identifier that is too long")
    try:
        name, *parameters = der.children(der.read_exactly(encoded, der.SEQUENCE))
        oid = der.read_oid(name)
        digest, salt = pss_parameters(parameters) if oid == RSA_PSS else (None, None)
    except (MalformedInput, ValueError) as exc:
        raise UnknownAlgorithm("an algorithm identifier that cannot be read") from exc
    rows = (row for row in ALGORITHMS if (row.oid, row.key_kind) == (oid, key_kind))
    for row in rows:
        if not row.is_pss:
            return row
        if digest and row.digest == digest:
            return row if salt == _DIGEST_BYTES[digest] else replace(row, salt_bytes=salt)
    raise UnknownAlgorithm(oid)


def pss_parameters(parameters: list[der.Element]) -> tuple[str | None, int]:
    """The hash of RSASSA-PSS parameters and the length of the salt; None for a hash that is not taken here.

    RFC 4055, 3.1: MGF1 is by the same hash; where no length is given, it is 20.
    """
    if len(parameters) != 1 or parameters[0].tag != der.SEQUENCE:
        return None, 0
    given = {part.tag: part.content for part in der.children(parameters[0])}
    if not {0xA0, 0xA1} <= given.keys() <= {0xA0, 0xA1, 0xA2, 0xA3}:
        return None, 0  # SHA-1 is what stands for a missing part
    mask, *masked = der.children(der.read_exactly(given[0xA1], der.SEQUENCE))
    digests = {_digest(given[0xA0]), *(_digest(part.encoded) for part in masked)}
    digest = digests.pop()
    salt = der.read_integer(der.read_exactly(given[0xA2], der.INTEGER)) if 0xA2 in given else 20
    trailer = der.read_integer(der.read_exactly(given[0xA3], der.INTEGER)) if 0xA3 in given else 1
    is_ours = not digests and len(masked) == 1 and der.read_oid(mask) == _MGF1 and trailer == 1
    return (digest if is_ours and 0 <= salt <= MAX_SALT_BYTES else None), salt


def _digest(encoded: bytes) -> str | None:
    name, *parameters = der.children(der.read_exactly(encoded, der.SEQUENCE))
    if [part.encoded for part in parameters] not in ([], [der.null()]):  # RFC 4055, 2.1: both are met
        return None
    dotted = der.read_oid(name)
    return next((digest for digest, oid in DIGEST_OIDS.items() if oid == dotted), None)


def algorithm_by_cose(number: int) -> Algorithm:
    """The row that COSE calls by this number, or `UnknownAlgorithm`."""
    try:
        return _BY_COSE[number]
    except KeyError as exc:
        raise UnknownAlgorithm(f"COSE {number}") from exc


def default_algorithm(key_kind: str) -> Algorithm:
    """What a key of this kind signs with unless told otherwise."""
    try:
        return _BY_NAME[_DEFAULT[key_kind]]
    except KeyError as exc:
        raise UnknownAlgorithm(key_kind) from exc

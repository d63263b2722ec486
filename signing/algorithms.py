"""Signature algorithms are rows; callers allow-list them by name.

A row joins the names that one algorithm has in the worlds we speak to: JOSE, COSE, X.509, SM. Nothing else
in the house branches on an algorithm's name: it asks the row.
"""

from __future__ import annotations

from dataclasses import dataclass

from signing import der
from yinxin.base.errors import UnknownAlgorithm


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One signature algorithm.

    `name` is the JOSE name where JOSE has one; `key_kind` the kind of `PublicKey` it works with;
    `digest` the hash's name in hashlib (None when the scheme hashes by itself); `oid` and
    `identifier` how certificates name it (dotted, and the whole AlgorithmIdentifier in DER). `cose` are its
    numbers in COSE, the one that we write first; empty when none is registered or none is used here.
    `coordinate_bytes` is the length of r and of s, where JOSE and COSE write a signature as the two of them.
    """

    name: str
    key_kind: str
    digest: str | None
    oid: str
    identifier: bytes
    in_jose: bool = True
    cose: tuple[int, ...] = ()
    coordinate_bytes: int | None = None


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


ALGORITHMS: tuple[Algorithm, ...] = (
    # RFC 9053, 2; behind them the numbers of RFC 9864, which name the curve too.
    _row("ES256", "P-256", "sha256", "1.2.840.10045.4.3.2", cose=(-7, -9), coordinate_bytes=32),
    _row("ES384", "P-384", "sha384", "1.2.840.10045.4.3.3", cose=(-35, -51), coordinate_bytes=48),
    _row("RS256", "RSA", "sha256", "1.2.840.113549.1.1.11", null=True),
    _row("RS384", "RSA", "sha384", "1.2.840.113549.1.1.12", null=True),
    _row("RS512", "RSA", "sha512", "1.2.840.113549.1.1.13", null=True),
    _row("Ed25519", "Ed25519", None, "1.3.101.112", cose=(-8, -19)),
    # GB/T 32918.2 with SM3. Neither JOSE nor COSE has registered it.
    _row("SM2", "SM2", "sm3", "1.2.156.10197.1.501", in_jose=False),
)
_BY_NAME = {row.name: row for row in ALGORITHMS}
_BY_OID = {row.oid: row for row in ALGORITHMS}
_BY_COSE = {number: row for row in ALGORITHMS for number in row.cose}
_DEFAULT = {"P-256": "ES256", "P-384": "ES384", "RSA": "RS256", "Ed25519": "Ed25519", "SM2": "SM2"}


def algorithm(name: str) -> Algorithm:
    """The row of this name, or `UnknownAlgorithm`. `EdDSA` is JOSE's older name of Ed25519."""
    try:
        return _BY_NAME["Ed25519" if name == "EdDSA" else name]
    except KeyError as exc:
        raise UnknownAlgorithm(name) from exc


def algorithm_by_oid(oid: str) -> Algorithm:
    """The row that certificates call by this object identifier, or `UnknownAlgorithm`."""
    try:
        return _BY_OID[oid]
    except KeyError as exc:
        raise UnknownAlgorithm(oid) from exc


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

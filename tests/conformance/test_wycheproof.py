"""Signature verification against Wycheproof: every vector has an outcome here, and the right one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from signing import PublicKey, der
from signing.algorithms import RSA_PSS, Algorithm, algorithm, algorithm_by_identifier
from signing.raw_signatures import from_raw
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "ecdsa_secp256r1_sha256_test": ("ES256", 484),
    "ecdsa_secp256r1_sha256_p1363_test": ("ES256", 262),
    "ecdsa_secp384r1_sha384_test": ("ES384", 504),
    "ed25519_test": ("Ed25519", 151),
    "rsa_signature_2048_sha256_test": ("RS256", 259),
    "rsa_pss_2048_sha256_mgf1_32_test": ("PS256", 108),
    "mldsa_44_verify_test": ("ML-DSA-44", 180),
    "mldsa_65_verify_test": ("ML-DSA-65", 210),
}
DIGESTS = {
    "SHA-1": "1.3.14.3.2.26",
    "SHA-224": "2.16.840.1.101.3.4.2.4",
    "SHA-256": "2.16.840.1.101.3.4.2.1",
    "SHA-384": "2.16.840.1.101.3.4.2.2",
    "SHA-512": "2.16.840.1.101.3.4.2.3",
}


def cases(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    document = json.loads((folder / "pki" / "wycheproof" / f"{name}.json").read_text("utf-8"))
    for group in document["testGroups"]:
        yield from ((group, case) for case in group["tests"])


def verifies(group: dict[str, Any], case: dict[str, Any], row: Algorithm) -> bool:
    try:
        key = PublicKey(bytes.fromhex(group["publicKeyDer"] or ""))
    except MalformedInput:
        return False
    signature: bytes | None = bytes.fromhex(case["sig"])
    if group["type"] == "EcdsaP1363Verify":
        signature = from_raw(bytes.fromhex(case["sig"]), row)
    return signature is not None and key.verify(signature, bytes.fromhex(case["msg"]), row)


@pytest.mark.parametrize("name", FILES)
def test_every_vector_comes_out_as_it_should(name: str, vectors: Path) -> None:
    row, counted = algorithm(FILES[name][0]), 0
    for group, case in cases(vectors, name):
        counted += 1
        # A context (FIPS 204, 5.3) is another message: X.509 and CMS use none. "acceptable" is refused.
        expected = case["result"] == "valid" and not case.get("ctx")
        assert verifies(group, case, row) is expected, (case["tcId"], case["comment"], case["flags"])
    assert counted == FILES[name][1]


def test_of_pss_parameters_those_with_one_hash_are_met(vectors: Path) -> None:
    """RFC 4055, 3.1: MGF1 is by the hash of the message, which is no weak one; a salt has any length."""
    met, passed_over, counted = set(), set(), 0
    for group, case in cases(vectors, "rsa_pss_misc_test"):
        counted += 1
        try:
            row = algorithm_by_identifier(parameters(group["sha"], group["mgfSha"], group["sLen"]), "RSA")
        except UnknownAlgorithm:
            passed_over.add((group["sha"], group["mgfSha"]))
            continue
        assert verifies(group, case, row)
        met.add((row.name, group["sha"], group["mgfSha"]))
    assert counted == 150
    assert met == {(f"PS{size}", f"SHA-{size}", f"SHA-{size}") for size in (256, 384, 512)}
    assert all(one != other or one in {"SHA-1", "SHA-224"} for one, other in passed_over)


def parameters(digest: str, mask: str, salt: int) -> bytes:
    """An AlgorithmIdentifier of RSA-PSS (RFC 4055, 3.1), nothing left to a default."""
    hashed, masked = (der.sequence(der.oid(DIGESTS[name]), der.null()) for name in (digest, mask))
    return der.sequence(
        der.oid(RSA_PSS),
        der.sequence(
            der.explicit(0, hashed),
            der.explicit(1, der.sequence(der.oid("1.2.840.113549.1.1.8"), masked)),
            der.explicit(2, der.integer(salt)),
        ),
    )

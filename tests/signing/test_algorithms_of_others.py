"""Algorithms that other makers sign by: SHA-3, Ed448, Brainpool's curves, keys for RSASSA-PSS alone."""

from __future__ import annotations

import hashlib
import io

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world.pki import NOON, Pki

from signing import cms, der, detached
from signing.algorithms import ALGORITHMS, BRAINPOOL, RSA_PSS, Algorithm, algorithm, algorithm_by_identifier
from signing.contents import digest_of
from signing.judging import known_hash
from signing.keys import PublicKey
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

CURVES = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
}
HASHES = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}
RSA = rsa.generate_private_key(65537, 2048)
KEYS = {"RSA": RSA, "Ed448": ed448.Ed448PrivateKey.generate()} | {
    name: ec.generate_private_key(curve()) for name, curve in CURVES.items()
}
OTHERS = [row for row in ALGORITHMS if row.key_kind in {"Ed448", *BRAINPOOL} or "sha3_" in (row.digest or "")]


def spki(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def for_pss(parameters: bytes = b"") -> PublicKey:
    """The RSA key as one for RSASSA-PSS alone (RFC 4055, 1.2)."""
    _, bits = der.children(der.read_exactly(spki(RSA), der.SEQUENCE))
    return PublicKey(der.sequence(parameters or der.sequence(der.oid(RSA_PSS)), bits.encoded))


def by_pss(digest: hashes.HashAlgorithm, salt: int) -> bytes:
    return RSA.sign(b"text", padding.PSS(padding.MGF1(digest), salt), digest)


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.name)
def test_each_row_verifies_its_own_signatures_and_no_others(row: Algorithm) -> None:
    key, digest = KEYS[row.key_kind], HASHES.get(row.digest or "", hashes.SHA256)()
    if row.key_kind == "RSA":
        way = padding.PSS(padding.MGF1(digest), digest.digest_size) if row.is_pss else padding.PKCS1v15()
        value = key.sign(b"text", way, digest)
    else:
        value = key.sign(b"text") if row.key_kind == "Ed448" else key.sign(b"text", ec.ECDSA(digest))
    public = PublicKey(spki(key))
    assert public.kind == row.key_kind
    assert public.verify(value, b"text", row)
    assert not public.verify(value, b"texts", row)
    assert algorithm_by_identifier(row.identifier, row.key_kind) == row
    others = [one for one in ALGORITHMS if one.key_kind == row.key_kind and one != row]
    assert not any(public.verify(value, b"text", one) for one in others)


@pytest.mark.parametrize("salt", [0, 20, 32, 222])
def test_the_salt_is_as_long_as_the_parameters_say(salt: int) -> None:
    whole = list(der.children(der.read_exactly(algorithm("PS256").identifier, der.SEQUENCE)))
    hashed, mask, _ = (part.encoded for part in der.children(whole[1]))
    length = [] if salt == 20 else [der.explicit(2, der.integer(salt))]  # 20 where nothing is said
    inner = der.sequence(der.oid(RSA_PSS), der.sequence(hashed, mask, *length))
    row = algorithm_by_identifier(inner, "RSA")
    assert row.name == "PS256"
    public = PublicKey(spki(RSA))
    assert public.verify(by_pss(hashes.SHA256(), salt), b"text", row)
    assert not public.verify(by_pss(hashes.SHA256(), salt + 1 if salt < 222 else 221), b"text", row)


def test_a_key_for_pss_alone_verifies_nothing_else() -> None:
    plain = RSA.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    assert PublicKey(spki(RSA)).verify(plain, b"text", algorithm("RS256"))
    assert not for_pss().verify(plain, b"text", algorithm("RS256"))
    assert for_pss().verify(by_pss(hashes.SHA256(), 32), b"text", algorithm("PS256"))
    assert for_pss().verify(by_pss(hashes.SHA512(), 64), b"text", algorithm("PS512"))
    bound = for_pss(algorithm("PS256").identifier)
    assert bound.verify(by_pss(hashes.SHA256(), 32), b"text", algorithm("PS256"))
    assert not bound.verify(by_pss(hashes.SHA512(), 64), b"text", algorithm("PS512"))
    with pytest.raises(MalformedInput):
        bound.to_jwk()
    with pytest.raises(MalformedInput):
        for_pss(der.sequence(der.oid(RSA_PSS), der.sequence()))


def test_keys_without_a_registered_form_have_none_in_jose() -> None:
    for kind in ("Ed448", *BRAINPOOL):
        with pytest.raises(MalformedInput):
            PublicKey(spki(KEYS[kind])).to_jwk()
    assert not any(row.in_jose for row in OTHERS)


@pytest.mark.parametrize("kind", ["Ed448", *BRAINPOOL])
def test_a_cms_by_such_a_key(kind: str) -> None:
    signer = Pki().issuing.issue("Agency", signer=FileSigner(KEYS[kind]))
    digest = cms.hash_with(cms.cms_digest(signer.algorithm), b"text")
    signed = cms.parse(cms.sign(signer, digest))
    checks = cms.check_signature(signed, digest, policy=Policy.default(), at=NOON)
    assert not [check for check in checks if check.reason]


def test_shake256_has_512_bits_whether_it_says_so_or_not() -> None:
    short, long = "2.16.840.1.101.3.4.2.12", "2.16.840.1.101.3.4.2.18"
    assert cms.hash_with("shake256", b"text") == hashlib.shake_256(b"text").digest(64)
    for identifier, name in (
        (der.sequence(der.oid(short)), "shake256"),
        (der.sequence(der.oid(long), der.integer(512)), "shake256"),
        (der.sequence(der.oid(long), der.integer(8)), long),
        (der.sequence(der.oid(long)), long),
    ):
        assert cms.structure.read_digest(next(der.children(der.Element(0x30, identifier, b"")))) == name
    with pytest.raises(UnknownAlgorithm):
        cms.hash_with("shake_128", b"text")


@pytest.mark.parametrize(
    "name", ["sha256", "shake256", "sha3_512", "shake_128", "shake128", "2.16.840.1.101.3.4.2.11", "-"]
)
def test_a_file_in_pieces_has_the_digest_of_its_bytes(name: str) -> None:
    """Also where a hash has no length of its own, which whoever signs may name: then there is none."""
    content = b"text" * (1 << 19)
    expected = known_hash(name, content)
    assert digest_of(name, io.BytesIO(content)) == digest_of(name, content) == expected
    assert bool(expected) == (name in cms.structure.DIGESTS)


def test_a_file_in_pieces_by_ed448() -> None:
    signer = Pki().issuing.issue("Agency", signer=FileSigner(KEYS["Ed448"]))
    made = detached.sign(io.BytesIO(b"text"), signer, now=NOON)
    report = detached.verify(
        made, io.BytesIO(b"text"), TrustStore(()), revocation=RevocationSnapshot(), now=NOON
    )
    assert [one.reason for one in report.checks if one.name == "content_digest"] == [None]


def test_a_signer_whose_issuer_is_written_in_another_way() -> None:
    signer = Pki().issuing.issue("Agency")
    digest = hashlib.sha256(b"text").digest()
    made = cms.sign(signer, digest)
    name = signer.chain[0].issuer_der
    place = made.rindex(name)
    other = name.replace(b"Test", b"TEST")  # letters of one kind are as good as those of the other
    assert other != name
    signed = cms.parse(made[:place] + other + made[place + len(name) :])
    assert signed.signer == signer.chain[0]
    assert cms.verifies(signed)
    strange = name[:-1] + bytes([name[-1] ^ 1])
    assert cms.parse(made[:place] + strange + made[place + len(name) :]).signer is None

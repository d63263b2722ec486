"""Public keys: one value for every kind, and nothing hostile gets in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from signing import FileSigner, PublicKey, der
from signing.algorithms import ALGORITHMS, algorithm, algorithm_by_identifier, default_algorithm
from signing.base64url import decode_base64url, encode_base64url
from signing.cose.keys import key_from_cose, key_to_cose
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, YinxinError

KINDS = {"P-256": ECKey, "P-384": ECKey, "P-521": ECKey, "RSA-2048": RSAKey, "Ed25519": OKPKey}
PSS = algorithm("PS256").identifier
SIGNERS = {kind: FileSigner.generate(kind) for kind in KINDS}  # type: ignore[arg-type]


def spki_of(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_signs_and_its_public_half_verifies(kind: str) -> None:
    signer, message = SIGNERS[kind], b"licence"
    signature = signer.sign(message)
    assert signer.public_key.verify(signature, message)
    assert not signer.public_key.verify(signature, message + b".")
    assert not signer.public_key.verify(signature[:-1], message)
    assert not signer.public_key.verify(b"", message)
    for other in ALGORITHMS:
        if other.key_kind != signer.public_key.kind:
            assert not signer.public_key.verify(signature, message, other)


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_make_is_in_the_usual_form(kind: str) -> None:
    assert SIGNERS[kind].public_key.is_in_usual_form


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
def test_a_half_point_is_the_same_key_and_another_form(kind: str) -> None:
    whole = SIGNERS[kind].public_key
    identifier, _bits = der.children(der.read_exactly(whole.spki, der.SEQUENCE))
    half = whole.native.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    other = PublicKey(der.sequence(identifier.encoded, der.bit_string(half)))
    assert not other.is_in_usual_form
    assert (other.bits, other.point, other.thumbprint) == (half, whole.point, whole.thumbprint)
    assert key_from_cose(key_to_cose(other)) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_jwk_and_thumbprint_are_what_joserfc_says(kind: str) -> None:
    key = SIGNERS[kind].public_key
    assert PublicKey.from_jwk(key.to_jwk()) == key
    assert KINDS[kind].import_key(key.to_jwk()).thumbprint() == key.thumbprint


def test_a_key_is_equal_by_bytes() -> None:
    key = SIGNERS["P-256"].public_key
    twin = PublicKey(key.spki)
    assert key == twin
    assert len({key, twin}) == 1
    assert key != SIGNERS["Ed25519"].public_key
    assert key.fingerprint[:16] in repr(key)
    assert (key.size_bits, SIGNERS["RSA-2048"].public_key.size_bits) == (256, 2048)


REFUSED = {
    "empty": b"",
    "not a key": b"\x30\x03\x02\x01\x01",
    "P-224": spki_of(ec.generate_private_key(ec.SECP224R1()).public_key()),
    "secp256k1": spki_of(ec.generate_private_key(ec.SECP256K1()).public_key()),
    "X25519": spki_of(x25519.X25519PrivateKey.generate().public_key()),
    "RSA-1024": spki_of(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505 - weak on purpose
    "off the curve": SIGNERS["P-256"].public_key.spki[:-1]
    + bytes((SIGNERS["P-256"].public_key.spki[-1] ^ 1,)),
    "trailing byte": SIGNERS["P-256"].public_key.spki + b"\0",
}


@pytest.mark.parametrize("spki", REFUSED.values(), ids=REFUSED)
def test_keys_that_we_do_not_know_are_malformed(spki: bytes) -> None:
    with pytest.raises(MalformedInput):
        PublicKey(spki)


EC = SIGNERS["P-256"].public_key.to_jwk()
OTHER_EC = SIGNERS["P-384"].public_key.to_jwk()
RSA = SIGNERS["RSA-2048"].public_key.to_jwk()
OKP = SIGNERS["Ed25519"].public_key.to_jwk()
BAD_JWKS: dict[str, Any] = {
    "not an object": [EC],
    "a text": json.dumps(EC),
    "nothing": None,
    "empty": {},
    "private": {**EC, "d": "AA"},
    "a secret": {"kty": "oct", "k": "AA"},
    "unknown kind": {**EC, "kty": "ec"},
    "kind is a list": {**EC, "kty": ["EC"]},
    "another curve": {**EC, "crv": "P-384"},
    "curve of the other key": {**OTHER_EC, "crv": "P-256"},
    "unknown curve": {**EC, "crv": "P-224"},
    "secp256k1": {**EC, "crv": "secp256k1"},
    "curve is a list": {**EC, "crv": []},
    "no y": {name: value for name, value in EC.items() if name != "y"},
    "off the curve": {**EC, "y": EC["x"]},
    "y is a number": {**EC, "y": 1},
    "padded": {**EC, "x": EC["x"] + "="},
    "short": {**EC, "x": EC["x"][:-4]},
    "long": {**EC, "x": "AAAA" + EC["x"]},
    "Ed448": {**OKP, "crv": "Ed448"},
    "X25519": {**OKP, "crv": "X25519"},
    "short Ed25519": {**OKP, "x": "AAAA"},
    "small RSA": {**RSA, "n": encode_base64url(b"\x80" + bytes(127))},
    "huge RSA": {**RSA, "n": encode_base64url(b"\x80" + bytes(4096))},
    "exponent 1": {**RSA, "e": "AQ"},
    "even exponent": {**RSA, "e": "BA"},
    "even modulus": {**RSA, "n": encode_base64url(b"\x80" + bytes(255))},
}


@pytest.mark.parametrize("jwk", BAD_JWKS.values(), ids=BAD_JWKS)
def test_a_wrong_jwk_is_malformed(jwk: Any) -> None:
    with pytest.raises(MalformedInput):
        PublicKey.from_jwk(jwk)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=50), st.lists(st.integers(), max_size=2)
)


@given(
    st.sampled_from([EC, OTHER_EC, RSA, OKP]),
    st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use"]), VALUES, max_size=4),
)
def test_any_jwk_lets_only_our_errors_out(jwk: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        PublicKey.from_jwk({**jwk, **changes})
    except YinxinError:
        return


@given(
    st.sampled_from([signer.public_key.spki for signer in SIGNERS.values()]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
def test_any_spki_lets_only_our_errors_out(spki: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(spki)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        key = PublicKey(bytes(data))
    except YinxinError:
        return
    assert key.verify(b"nothing", b"message") is False


@given(st.binary(max_size=100))
def test_arbitrary_signatures_do_not_verify(signature: bytes) -> None:
    for signer in SIGNERS.values():
        assert not signer.public_key.verify(signature, b"message")


@given(st.binary(max_size=64))
def test_base64url_reads_back(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize(
    "text", ["A", "AB==", "AA=", "A A", "AA\n", "A+A", "A/A", "AB", "AAF", "ÄÄ", "ＡＡ", b"AA", None, 1]
)
def test_base64url_has_one_text_for_each_value(text: object) -> None:
    with pytest.raises(MalformedInput):
        decode_base64url(text)


@given(st.text(max_size=40))
def test_arbitrary_base64url_lets_only_our_errors_out(text: str) -> None:
    try:
        data = decode_base64url(text)
    except MalformedInput:
        return
    assert encode_base64url(data) == text


def test_the_algorithm_table_has_no_doubles() -> None:
    assert len({row.name for row in ALGORITHMS}) == len(ALGORITHMS)
    assert len({(row.identifier, row.key_kind) for row in ALGORITHMS}) == len(ALGORITHMS)
    assert algorithm("EdDSA") is algorithm("Ed25519")
    for find in (algorithm, default_algorithm):
        with pytest.raises(UnknownAlgorithm):
            find("none")


def test_every_row_is_found_by_its_identifier_and_the_kind_of_key() -> None:
    for row in ALGORITHMS:
        assert algorithm_by_identifier(row.identifier, row.key_kind) is row
        with pytest.raises(UnknownAlgorithm):
            algorithm_by_identifier(row.identifier, "DSA")


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: PSS[:20] + tail))
def test_arbitrary_identifiers_are_unknown_and_nothing_worse(encoded: bytes) -> None:
    with suppress(UnknownAlgorithm):
        assert algorithm_by_identifier(encoded, "RSA").key_kind == "RSA"


def test_pss_parameters_of_two_hashes_are_unknown() -> None:
    for change in ((b"\x04\x02\x01", b"\x04\x02\x02"), (b"\x02\x01\x20", b"\x02\x01\xff"), (PSS[13:], b"")):
        changed = PSS.replace(*change, 1) if change[1] else der.sequence(der.oid("1.2.840.113549.1.1.10"))
        with pytest.raises(UnknownAlgorithm):
            algorithm_by_identifier(changed, "RSA")


def test_ed25519_refuses_what_its_library_refuses() -> None:
    """A point of small order must not verify everything."""
    identity = ed25519.Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31))
    key = PublicKey(spki_of(identity))
    assert not key.verify(b"\x02" + bytes(63), b"message")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
def test_a_compressed_point_is_the_key_of_the_whole_one(kind: Any) -> None:
    """RFC 9053, 7.1.1: y may be its sign bit alone."""
    for _ in range(8):
        key = FileSigner.generate(kind).public_key
        sent = dict(key_to_cose(key))
        sent[-3] = bool(sent[-3][-1] & 1)
        assert key_from_cose(sent) == key
        sent[-3] = not sent[-3]
        assert key_from_cose(sent) != key
    for wrong in (None, 0, 1, b"", b"\1", "y"):
        with pytest.raises(MalformedInput):
            key_from_cose({**sent, -3: wrong})
    for x in (b"", sent[-2][1:], sent[-2] + b"\0", bytes(len(sent[-2]) - 1) + b"\5", b"\xff" * len(sent[-2])):
        for is_odd in (False, True):
            try:
                assert key_from_cose({**sent, -2: x, -3: is_odd}).point[1 : 1 + len(x)] == x
            except MalformedInput:
                continue


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "Ed25519"])
def test_coordinates_make_the_key_that_cryptography_writes(kind: Any) -> None:
    """What stands before a key's bits is kept as constants: they are the library's."""
    for _ in range(20):
        key = FileSigner.generate(kind).public_key
        assert PublicKey.from_jwk(key.to_jwk()).spki == key.spki
        sent = key_to_cose(key)
        again = key_from_cose(sent)
        assert again == key
        assert again.native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.spki

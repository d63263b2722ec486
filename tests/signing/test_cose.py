"""COSE_Sign1: written and read, refused where RFC 9052 says so, and the same as others write and read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import cbor
from signing.algorithms import algorithm
from signing.certificates import Certificate
from signing.cose import (
    ALG,
    CONTENT_TYPE,
    CRIT,
    KID,
    SIGN1_TAG,
    TYP,
    X5CHAIN,
    Sign1,
    read_x5chain,
    sign1,
    x5chain,
)
from signing.keys import PublicKey
from signing.raw_signatures import to_raw
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

KINDS = ("P-256", "P-384", "P-521", "Ed25519")
SIGNERS = {kind: FileSigner.generate(kind) for kind in KINDS}  # type: ignore[arg-type]
EC = SIGNERS["P-256"]


def parts(message: bytes) -> list[Any]:
    return cbor.decode(message, tags=[SIGN1_TAG]).value


def put_together(protected: object, unprotected: object, payload: object, signature: object) -> bytes:
    sent = protected if isinstance(protected, bytes) else cbor.encode(protected)
    return cbor.encode(cbor.Tag(SIGN1_TAG, [sent, unprotected, payload, signature]))


def signed(protected: bytes, payload: bytes, signer: FileSigner = EC, *, aad: bytes = b"") -> bytes:
    """A signature over a Sig_structure that the test puts together itself."""
    structure = cbor.encode(["Signature1", protected, aad, payload])
    return to_raw(signer.sign(structure), signer.algorithm)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_verifies_with_its_key_and_no_other(kind: str) -> None:
    signer = SIGNERS[kind]
    read = Sign1.parse(sign1(b"content", signer, protected={KID: b"me"}, external_aad=b"place"))
    assert (read.payload, read.kid, read.algorithm) == (b"content", b"me", signer.algorithm)
    assert read.is_signed_by(signer.public_key, external_aad=b"place")
    assert not read.is_signed_by(signer.public_key), "the external data are signed too"
    assert not read.is_signed_by(FileSigner.generate(kind).public_key, external_aad=b"place")  # type: ignore[arg-type]
    for other in KINDS:
        assert read.is_signed_by(SIGNERS[other].public_key, external_aad=b"place") is (other == kind)


def test_the_caller_says_which_algorithms_count() -> None:
    read = Sign1.parse(sign1(b"content", EC))
    assert read.is_signed_by(EC.public_key, algorithms={"ES256"})
    assert not read.is_signed_by(EC.public_key, algorithms={"ES384", "Ed25519"})


def test_detached_content_travels_apart() -> None:
    read = Sign1.parse(sign1(b"content", EC, tagged=False, detached=True), tagged=False)
    assert read.payload is None
    assert read.is_signed_by(EC.public_key, payload=b"content")
    assert not read.is_signed_by(EC.public_key, payload=b"other")
    assert not read.is_signed_by(EC.public_key), "there is nothing that it could be over"
    attached = Sign1.parse(sign1(b"content", EC))
    assert not attached.is_signed_by(EC.public_key, payload=b"content"), "two contents are one too many"


def test_sm2_has_no_number_in_cose() -> None:
    class Token(FileSigner):
        """A key in some national token."""

    sm2 = Token.__new__(Token)
    sm2.algorithm = algorithm("SM2")
    with pytest.raises(UsageError, match="COSE has no number for SM2"):
        sign1(b"content", sm2)


@pytest.mark.parametrize("number", [-9, -51, -52, -19])
def test_the_numbers_that_name_the_curve_are_read_too(number: int) -> None:
    signer = SIGNERS[{-9: "P-256", -51: "P-384", -52: "P-521", -19: "Ed25519"}[number]]
    head = cbor.encode({ALG: number})
    assert Sign1.parse(put_together(head, {}, b"x", signed(head, b"x", signer))).is_signed_by(
        signer.public_key
    )


@pytest.mark.parametrize("number", [-35, -8, -257, -37, 5, 0, None, "ES256", -7.5, [-7]])
def test_an_algorithm_that_does_not_fit_the_key_is_no_signature(number: object) -> None:
    head = cbor.encode({ALG: number})
    assert not Sign1.parse(put_together(head, {}, b"x", signed(head, b"x"))).is_signed_by(EC.public_key)


@pytest.mark.parametrize("empty", [b"", b"\xa0"])
def test_an_algorithm_outside_the_protected_header_does_not_count(empty: bytes) -> None:
    read = Sign1.parse(put_together(empty, {ALG: -7}, b"x", signed(b"", b"x")))
    assert (read.protected, read.protected_bytes) == ({}, b""), "both forms of nothing are signed as one"
    assert not read.is_signed_by(EC.public_key)


BAD_HEADERS: tuple[tuple[object, object], ...] = (
    ({ALG: -7, CRIT: []}, {}),
    ({ALG: -7, CRIT: [99]}, {}),
    ({ALG: -7, CRIT: [99], 99: 1}, {}),
    ({ALG: -7, CRIT: [KID]}, {}),
    ({ALG: -7, CRIT: [KID]}, {KID: b"outside"}),
    ({ALG: -7, CRIT: 99}, {}),
    ({ALG: -7, CRIT: [[1]]}, {}),
    ({ALG: -7, CRIT: [True]}, {}),
    ({ALG: -7}, {CRIT: [ALG]}),
    ({ALG: -7}, {ALG: -7}),
    ({ALG: -7, KID: b"a"}, {KID: b"b"}),
    ({ALG: -7, KID: "text"}, {}),
    ({ALG: -7}, {KID: 7}),
    (b"\x80", {}),
    (b"\xa2\x01\x26\x01\x26", {}),
    (b"\xa1\x01\x26\x00", {}),
    (b"\xbf\x01\x26\xff", {}),
    ({ALG: -7}, []),
    ({ALG: -7}, None),
)


@pytest.mark.parametrize(("protected", "unprotected"), BAD_HEADERS)
def test_headers_that_break_the_rules_are_refused(protected: object, unprotected: object) -> None:
    with pytest.raises(MalformedInput):
        Sign1.parse(put_together(protected, unprotected, b"x", bytes(64)))


def test_a_critical_header_that_the_caller_handles_is_let_through() -> None:
    head = cbor.encode({ALG: -7, CRIT: [99, KID], 99: 1, KID: b"k"})
    message = put_together(head, {}, b"x", signed(head, b"x"))
    assert Sign1.parse(message, understood=[99]).is_signed_by(EC.public_key)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xd2",
        cbor.encode([b"", {}, b"x", bytes(64)]),
        cbor.encode(cbor.Tag(SIGN1_TAG, [b"", {}, b"x"])),
        cbor.encode(cbor.Tag(SIGN1_TAG, {1: 2})),
        cbor.encode(cbor.Tag(SIGN1_TAG, ["", {}, b"x", bytes(64)])),
        cbor.encode(cbor.Tag(SIGN1_TAG, [b"", {}, "x", bytes(64)])),
        cbor.encode(cbor.Tag(SIGN1_TAG, [b"", {}, b"x", "s"])),
        cbor.encode(cbor.Tag(17, [b"", {}, b"x", bytes(64)])),
        cbor.encode(cbor.Tag(SIGN1_TAG, cbor.Tag(SIGN1_TAG, [b"", {}, b"x", bytes(64)]))),
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedInput):
        Sign1.parse(message)


@pytest.mark.parametrize("cut", [b"", bytes(63), bytes(65), bytes(64), bytes(96), b"\xff" * 64])
def test_a_signature_of_another_shape_is_none(cut: bytes) -> None:
    assert not Sign1.parse(put_together({ALG: -7}, {}, b"x", cut)).is_signed_by(EC.public_key)


def test_every_changed_bit_is_noticed() -> None:
    message = sign1(b"a payload", EC, protected={KID: b"me"})
    for place in range(len(message) * 8):
        changed = bytearray(message)
        changed[place // 8] ^= 1 << place % 8
        try:
            assert not Sign1.parse(bytes(changed)).is_signed_by(EC.public_key)
        except MalformedInput:
            continue


@pytest.mark.parametrize(
    "headers",
    [
        {"protected": {ALG: -35}},
        {"unprotected": {ALG: -7}},
        {"unprotected": {CRIT: [1]}},
        {"protected": {CRIT: []}},
    ],
)
def test_nobody_writes_what_nobody_may_read(headers: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        sign1(b"x", EC, **headers)


def test_certificates_travel_in_x5chain(pki: Pki) -> None:
    signer = pki.signer("credential")
    read = Sign1.parse(sign1(b"x", signer, unprotected={X5CHAIN: x5chain(signer.chain[:2])}))
    assert read.chain == signer.chain[:2]
    assert read.is_signed_by(read.chain[0])
    alone = Sign1.parse(sign1(b"x", signer, protected={X5CHAIN: x5chain(signer.chain[:1])}))
    assert alone.chain == signer.chain[:1]
    assert Sign1.parse(sign1(b"x", signer)).chain == ()
    with pytest.raises(UsageError):
        x5chain(())


@pytest.mark.parametrize("value", [[], ["text"], 7, b"no certificate", {}])
def test_an_x5chain_of_another_form_is_refused(value: object) -> None:
    with pytest.raises(MalformedInput):
        read_x5chain(value)


def test_an_x5chain_is_bounded(pki: Pki) -> None:
    leaf = pki.signer("credential").certificate.der
    with pytest.raises(MalformedInput, match="neither"):
        read_x5chain([leaf])  # one stands by itself
    for many in ([leaf] * 9, bytes(1 << 17)):
        with pytest.raises(TooLarge):
            read_x5chain(many)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_end_in_our_errors_only(data: bytes) -> None:
    try:
        read = Sign1.parse(data)
        read.is_signed_by(EC.public_key)
        _ = read.chain
    except YinxinError:
        pass


# Published vectors


def annex_d(vectors: Path) -> dict[str, bytes]:
    text = (vectors / "mdoc" / "iso18013-5-annex-d.json").read_text("utf-8")
    return {
        name.removeprefix("ISO_18013_5_ANNEX_D_"): bytes.fromhex(v) for name, v in json.loads(text).items()
    }


def test_the_mobile_licence_of_iso_18013_5_verifies(vectors: Path) -> None:
    published = annex_d(vectors)
    response = cbor.decode(published["DEVICE_RESPONSE"], tags=[0, 24, 1004])
    auth = Sign1.from_value(response["documents"][0]["issuerSigned"]["issuerAuth"])
    (leaf,) = auth.chain
    assert leaf == Certificate(published["DS_CERT"])
    assert auth.is_signed_by(leaf)
    security_object = cbor.decode(cbor.decode(auth.payload or b"", tags=[24]).value, tags=[0])
    assert security_object["docType"] == "org.iso.18013.5.1.mDL"
    assert cbor.encode(response) != published["DEVICE_RESPONSE"], "its maps are in an order of their own"


def test_the_reader_of_iso_18013_5_signs_apart(vectors: Path) -> None:
    published = annex_d(vectors)
    auth = Sign1.parse(published["READER_AUTH"], tagged=False)
    assert auth.chain == (Certificate(published["READER_CERT"]),)
    transcript = cbor.decode(published["SESSION_TRANSCRIPT_BYTES"], tags=[24]).value
    items = cbor.Tag(24, published["ITEMS_REQUEST"])
    content = cbor.encode(["ReaderAuthentication", cbor.decode(transcript, tags=[24]), items])
    detached = cbor.encode(cbor.Tag(24, content))
    assert auth.is_signed_by(auth.chain[0], payload=detached)
    assert not auth.is_signed_by(auth.chain[0], payload=detached + b"\0")


@pytest.mark.parametrize("name", ["status_list_cwt_hex", "referenced_token_cwt_hex"])
def test_the_tokens_of_the_status_list_text_verify(vectors: Path, name: str) -> None:
    tokens = json.loads((vectors / "status-list" / "vectors.json").read_text("utf-8"))["tokens"]
    token = Sign1.parse(bytes.fromhex(tokens[name]))
    assert token.kid == b"12"
    assert token.is_signed_by(PublicKey.from_jwk(tokens["jwk"]))
    claims = cbor.decode(token.payload or b"")
    assert claims[6] == 1686920170
    if name.startswith("status_list"):
        assert token.protected[TYP] == "application/statuslist+cwt"


# A library of other makers, both ways


def their_key(kind: str) -> Any:
    curves = pytest.importorskip("pycose.keys.curves")
    from pycose.keys import EC2Key, OKPKey  # noqa: PLC0415 - it may be absent

    native = SIGNERS[kind]._private_key
    if kind == "Ed25519":
        return OKPKey(
            crv=curves.Ed25519, d=native.private_bytes_raw(), x=native.public_key().public_bytes_raw()
        )
    numbers, size = native.private_numbers(), (native.curve.key_size + 7) // 8
    x, y, d = (
        n.to_bytes(size, "big")
        for n in (numbers.public_numbers.x, numbers.public_numbers.y, numbers.private_value)
    )
    crv = {"P-256": curves.P256, "P-384": curves.P384, "P-521": curves.P521}[kind]
    return EC2Key(crv=crv, x=x, y=y, d=d)


@pytest.mark.peer
@pytest.mark.parametrize("aad", [b"", b"https://a.example/q"])
@pytest.mark.parametrize("kind", KINDS)
def test_pycose_reads_ours_and_we_read_theirs(kind: str, aad: bytes) -> None:
    messages = pytest.importorskip("pycose.messages")
    cbor2 = pytest.importorskip("cbor2")
    from pycose import algorithms, headers  # noqa: PLC0415 - it may be absent

    key, signer = their_key(kind), SIGNERS[kind]
    sent = sign1(b"from us", signer, protected={KID: b"k"}, external_aad=aad, tagged=False)
    # Its own reading of tagged messages does not get on with cbor2 6.
    ours = messages.Sign1Message.from_cose_obj(cbor2.loads(sent), True)
    ours.key, ours.external_aad = key, aad
    assert ours.verify_signature()
    assert ours.payload == b"from us"

    row = {
        "P-256": algorithms.Es256,
        "P-384": algorithms.Es384,
        "P-521": algorithms.Es512,
        "Ed25519": algorithms.EdDSA,
    }[kind]
    theirs = messages.Sign1Message(
        phdr={headers.Algorithm: row, headers.ContentType: "text/plain"},
        uhdr={headers.KID: b"k"},
        payload=b"from them",
        external_aad=aad,
        key=key,
    )
    read = Sign1.parse(theirs.encode())
    assert read.is_signed_by(signer.public_key, external_aad=aad)
    assert (read.payload, read.kid, read.protected[CONTENT_TYPE]) == (b"from them", b"k", "text/plain")

"""SM2: two engines that agree, also with OpenSSL's command line, and are trusted after a known answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.openssl import need_sm2, openssl
from world.sm2 import UnsafeSm2Key

from signing import der, sm2
from signing.algorithms import algorithm
from signing.keys import PublicKey
from signing.sm2 import known_answer, libcrypto, pure
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MESSAGE = "津城市市场监督管理局".encode()
KEY = UnsafeSm2Key(0x1234567890ABCDEF)
SIGNATURE = KEY.sign(MESSAGE)
ENGINES = [pure, libcrypto]
Engine = ModuleType


@pytest.fixture(params=ENGINES, ids=["pure", "libcrypto"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param is libcrypto and not libcrypto.available():
        pytest.skip("this system's libcrypto has no SM2: apt-get install libssl3")
    answer: Engine = request.param
    return answer


@pytest.fixture
def pure_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(libcrypto, "_library", lambda: None)
    sm2.engine.cache_clear()
    yield
    monkeypatch.undo()
    sm2.engine.cache_clear()


def test_the_known_answer_is_given(engine: Engine) -> None:
    assert known_answer.is_given_by(engine.verify)


def test_a_signature_verifies_and_says_who_signed_what(engine: Engine) -> None:
    assert engine.verify(KEY.point, SIGNATURE, MESSAGE)
    assert not engine.verify(KEY.point, SIGNATURE, MESSAGE + b".")
    assert not engine.verify(UnsafeSm2Key(7).point, SIGNATURE, MESSAGE)


def test_the_identity_is_signed_too(engine: Engine) -> None:
    signature = KEY.sign(MESSAGE, b"someone@example.gov")
    assert engine.verify(KEY.point, signature, MESSAGE, b"someone@example.gov")
    assert not engine.verify(KEY.point, signature, MESSAGE)


def test_an_endless_identity_is_refused(engine: Engine) -> None:
    with pytest.raises(MalformedInput):
        engine.verify(UnsafeSm2Key(3).point, SIGNATURE, MESSAGE, b"1" * 8192)


def _numbers(signature: bytes) -> tuple[int, int]:
    numbers = pure.read_signature(signature)
    assert numbers
    return numbers


def _signature(r: int, s: int) -> bytes:
    return der.sequence(der.integer(r), der.integer(s))


R, S = _numbers(SIGNATURE)
NOT_SIGNATURES = {
    "empty": b"",
    "raw": R.to_bytes(32, "big") + S.to_bytes(32, "big"),
    "r is 0": _signature(0, S),
    "s is 0": _signature(R, 0),
    "r is n": _signature(pure.N, S),
    "s over n": _signature(R, S + pure.N),
    "negative": _signature(-R, S),
    "r + s is n": _signature(R, pure.N - R),
    "swapped": _signature(S, R),
    "trailing byte": SIGNATURE + b"\0",
    "a third number": der.sequence(der.integer(R), der.integer(S), der.integer(1)),
    "one number": der.sequence(der.integer(R)),
    "no sequence": der.tlv(0x31, der.integer(R), der.integer(S)),
    "other tags": der.sequence(der.tlv(10, der.integer(R)[2:]), der.integer(S)),
    "not minimal": der.sequence(der.tlv(2, b"\0" + der.integer(R)[2:]), der.integer(S)),
    "indefinite length": b"\x30\x80" + SIGNATURE[2:] + b"\0\0",
    "long form of a short length": b"\x30\x81" + SIGNATURE[1:],
}


@pytest.mark.parametrize("signature", NOT_SIGNATURES.values(), ids=NOT_SIGNATURES)
def test_what_is_no_signature_does_not_verify(engine: Engine, signature: bytes) -> None:
    assert not engine.verify(KEY.point, signature, MESSAGE)


NOT_POINTS = {
    "empty": b"",
    "infinity": b"\0",
    "compressed": b"\x02" + KEY.point[1:33],
    "off the curve": KEY.point[:-1] + bytes((KEY.point[-1] ^ 1,)),
    "x over p": b"\x04" + (pure.P + 1).to_bytes(32, "big") + KEY.point[33:],
    "zero": b"\x04" + bytes(64),
    "too long": KEY.point + b"\0",
}


@pytest.mark.parametrize("point", NOT_POINTS.values(), ids=NOT_POINTS)
def test_what_is_no_point_is_malformed(engine: Engine, point: bytes) -> None:
    with pytest.raises(MalformedInput):
        engine.verify(point, SIGNATURE, MESSAGE)
    with pytest.raises(MalformedInput):
        sm2.check_point(point)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_both_engines_agree_on_mutated_signatures(data: st.DataObject) -> None:
    if not libcrypto.available():
        pytest.skip("this system's libcrypto has no SM2: apt-get install libssl3")
    key = UnsafeSm2Key(data.draw(st.integers(1, 2**64)))
    message = data.draw(st.binary(max_size=64))
    signature = bytearray(key.sign(message, nonce=data.draw(st.integers(1, pure.N - 1))))
    assert pure.verify(key.point, bytes(signature), message)
    assert libcrypto.verify(key.point, bytes(signature), message)
    for _ in range(data.draw(st.integers(0, 3))):
        signature[data.draw(st.integers(0, len(signature) - 1))] ^= data.draw(st.integers(1, 255))
    mutated = bytes(signature)
    assert pure.verify(key.point, mutated, message) == libcrypto.verify(key.point, mutated, message)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_arbitrary_bytes_let_only_our_errors_out(point: bytes, signature: bytes) -> None:
    for verify in (pure.verify, libcrypto.verify):
        try:
            assert not verify(point, signature, b"")
        except YinxinError:
            continue


def test_signatures_at_the_edges_of_the_ladder_verify() -> None:
    """Small and large scalars: the doubling inside an addition and the point at infinity are reached."""
    for number in (1, 2, 3, pure.N - 2):
        key = UnsafeSm2Key(number)
        for nonce in (1, 2, pure.N - 1):
            signature = key.sign(MESSAGE, nonce=nonce)
            assert pure.verify(key.point, signature, MESSAGE)
            assert not pure.verify(key.point, signature, MESSAGE[1:])


def test_threads_share_one_library() -> None:
    if not libcrypto.available():
        pytest.skip("this system's libcrypto has no SM2: apt-get install libssl3")
    keys = [UnsafeSm2Key(number) for number in range(1, 6)]
    work = [(key, key.sign(bytes((number,))), bytes((number,))) for key in keys for number in range(8)]
    libcrypto._key.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda item: libcrypto.verify(item[0].point, item[1], item[2]), work * 5))
        wrong = list(pool.map(lambda item: libcrypto.verify(item[0].point, item[1], item[2] + b"."), work))
    assert all(answers)
    assert not any(wrong)


def test_a_library_that_answers_wrongly_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_verify", lambda *_: True)
    libcrypto._library.cache_clear()
    try:
        assert not libcrypto.available()
    finally:
        monkeypatch.undo()
        libcrypto._library.cache_clear()


@pytest.mark.parametrize("places", [[], ["libnothing-here.so.9"], ["libc.so.6"]])
def test_a_missing_or_foreign_library_is_no_crash(places: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_places", lambda: places)
    libcrypto._library.cache_clear()
    try:
        assert not libcrypto.available()
        with pytest.raises(MalformedInput):
            libcrypto.verify(KEY.point, SIGNATURE, MESSAGE)
    finally:
        monkeypatch.undo()
        libcrypto._library.cache_clear()


def test_without_libcrypto_the_pure_engine_verifies(pure_only: None) -> None:
    assert sm2.engine() == "pure"
    assert sm2.verify(KEY.point, SIGNATURE, MESSAGE)
    assert KEY.public_key.verify(SIGNATURE, MESSAGE)


def test_without_a_right_engine_nothing_verifies(pure_only: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure, "verify", lambda *_: True)
    with pytest.raises(UnknownAlgorithm):
        sm2.engine()
    assert not KEY.public_key.verify(SIGNATURE, MESSAGE)


def test_sm3_comes_from_either_library(monkeypatch: pytest.MonkeyPatch) -> None:
    # GB/T 32905-2016, A.1
    wanted = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert pure.sm3(b"abc").hex() == wanted

    def missing(*_: object) -> None:
        raise ValueError("unsupported hash type sm3")

    monkeypatch.setattr(pure.hashlib, "new", missing)
    assert pure.sm3(b"abc").hex() == wanted


def test_a_public_key_of_sm2_is_like_any_other() -> None:
    key = KEY.public_key
    assert (key.kind, key.size_bits, key.default_algorithm.name) == ("SM2", 256, "SM2")
    assert key == PublicKey(key.spki)
    assert key.verify(SIGNATURE, MESSAGE)
    assert not key.verify(SIGNATURE, MESSAGE, algorithm("ES256"))
    with pytest.raises(MalformedInput):
        key.to_jwk()


@pytest.mark.peer
@pytest.mark.parametrize("identity", [b"1234567812345678", b"ALICE123@YAHOO.COM"])
def test_signatures_of_the_openssl_command_verify(engine: Engine, identity: bytes, tmp_path: Path) -> None:
    need_sm2()
    (tmp_path / "message").write_bytes(MESSAGE)
    openssl("genpkey", "-algorithm", "SM2", "-out", "key.pem", cwd=tmp_path)
    openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "key.der", cwd=tmp_path)
    arguments = ("-inkey", "key.pem", "-in", "message", "-out", "signature", "-rawin", "-digest", "sm3")
    openssl("pkeyutl", "-sign", *arguments, "-pkeyopt", f"distid:{identity.decode()}", cwd=tmp_path)
    signature, key = (tmp_path / "signature").read_bytes(), PublicKey((tmp_path / "key.der").read_bytes())
    assert engine.verify(key.point, signature, MESSAGE, identity)
    assert not engine.verify(key.point, signature, MESSAGE, identity + b".")
    assert key.verify(signature, MESSAGE) == (identity == sm2.DEFAULT_IDENTITY)


@pytest.mark.peer
def test_the_openssl_command_verifies_our_test_keys(tmp_path: Path) -> None:
    need_sm2()
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "signature").write_bytes(SIGNATURE)
    (tmp_path / "key.der").write_bytes(KEY.public_key.spki)
    arguments = ("-pubin", "-inkey", "key.der", "-keyform", "DER", "-in", "message", "-sigfile", "signature")
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
    assert "Successfully" in openssl("pkeyutl", "-verify", *arguments, *options, cwd=tmp_path)

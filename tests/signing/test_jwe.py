"""Responses encrypted to a verifier: what we make others read, and whatever is not right is refused."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe as other
from joserfc.jwk import ECKey, OctKey, RSAKey
from jwcrypto import jwe as third
from jwcrypto.jwk import JWK

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json
from signing.jwe import ENCRYPTIONS, MAX_CHARACTERS, DecryptionKey, encrypt, is_usable
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

KEY = DecryptionKey.generate()
TOKEN = encrypt(b'{"vp_token":{}}', KEY.to_jwk(), encryption="A128GCM")


def header_of(token: str) -> dict[str, Any]:
    return dict(json.loads(decode_base64url(token.split(".", maxsplit=1)[0])))


def with_header(token: str, **changes: Any) -> str:
    """The token with another header; what is None is left out."""
    header = {name: value for name, value in {**header_of(token), **changes}.items() if value is not None}
    return ".".join([encode_base64url(dump_json(header)), *token.split(".")[1:]])


def test_the_published_response_is_read(vectors: Path) -> None:
    vector = json.loads((vectors / "openid4vp" / "jwe-response-vector.json").read_text())
    private = ECKey.import_key(vector["jwk"]).private_key
    key = DecryptionKey(private, kid=vector["jwk"]["kid"])
    assert json.loads(key.decrypt(vector["jwe"])) == vector["payload"]


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
def test_what_is_encrypted_is_decrypted(encryption: str) -> None:
    token = encrypt("面包".encode(), KEY.to_jwk(), encryption=encryption)
    assert KEY.decrypt(token) == "面包".encode()
    assert DecryptionKey.from_secret(KEY.to_secret()).decrypt(token) == "面包".encode()
    assert header_of(token) == {**header_of(token), "alg": "ECDH-ES", "enc": encryption, "kid": KEY.kid}


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_another_library_reads_and_writes_the_same(encryption: str) -> None:
    pair = JWK.generate(kty="EC", crv="P-256")
    public = {**json.loads(pair.export_public()), "kid": "k", "alg": "ECDH-ES", "use": "enc"}
    read = third.JWE()
    read.deserialize(encrypt(b"to them", public, encryption=encryption), key=pair)
    assert read.payload == b"to them"
    header = {"alg": "ECDH-ES", "enc": encryption, "kid": KEY.kid, "apu": "QQ", "apv": "Qg"}
    made = third.JWE(b"from them", json.dumps(header))
    made.add_recipient(JWK(**KEY.to_jwk()))
    assert KEY.decrypt(made.serialize(compact=True)) == b"from them"


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ECDH-ES+A128KW"},
        {"alg": "dir"},
        {"alg": "RSA1_5"},
        {"alg": "PBES2-HS256+A128KW", "p2c": 10_000_000, "p2s": "AAAA"},
        {"alg": None},
        {"alg": ["ECDH-ES"]},
        {"enc": "A128CBC-HS256"},
        {"enc": "A192GCM"},
        {"enc": None},
        {"enc": "a128gcm"},
        {"zip": "DEF"},
        {"crit": ["exp"], "exp": 1},
        {"p2c": 1},
        {"kid": "another"},
        {"kid": 7},
        {"epk": None},
        {"epk": {}},
        {"epk": {**header_of(TOKEN)["epk"], "crv": "P-384"}},
        {"epk": {**header_of(TOKEN)["epk"], "crv": "secp256k1"}},
        {"epk": {**header_of(TOKEN)["epk"], "d": "AA"}},
        {"epk": {**header_of(TOKEN)["epk"], "y": encode_base64url(b"\1" * 32)}},  # beside the curve
        {
            "epk": {
                **header_of(TOKEN)["epk"],
                "x": encode_base64url(bytes(32)),
                "y": encode_base64url(bytes(32)),
            }
        },
        {"epk": {"kty": "OKP", "crv": "X25519", "x": encode_base64url(b"\1" * 32)}},
        {"epk": {"kty": "oct", "k": "AAAA"}},
        {"apu": "="},
        {"apv": 7},
        {"typ": "changed"},  # the header is authenticated
    ],
)
def test_a_header_of_another_kind_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput):
        KEY.decrypt(with_header(TOKEN, **changes))


def test_only_what_the_request_allowed_is_read() -> None:
    with pytest.raises(MalformedInput):
        KEY.decrypt(TOKEN, encryptions=("A256GCM",))
    with pytest.raises(MalformedInput):
        KEY.decrypt(TOKEN, encryptions=("A128GCM+none",))


def test_a_token_of_another_algorithm_is_not_even_tried() -> None:
    """Made rightly by their rules, with keys that an attacker knows or guesses."""
    direct = OctKey.import_key(KEY.public_key.spki[-32:])
    rsa = RSAKey.generate_key(2048)
    for alg, key in (("dir", direct), ("RSA-OAEP", rsa)):
        made = other.encrypt_compact({"alg": alg, "enc": "A256GCM"}, b"x", key)
        with pytest.raises(MalformedInput):
            KEY.decrypt(made)


def test_compression_is_no_way_in() -> None:
    packed = zlib.compress(bytes(1 << 20))
    token = encrypt(packed, KEY.to_jwk(), encryption="A128GCM")
    assert KEY.decrypt(token) == packed  # bytes as they are: nothing inflates
    with pytest.raises(MalformedInput):
        KEY.decrypt(with_header(token, zip="DEF"))


@pytest.mark.parametrize("part", range(5))
def test_every_part_counts(part: int) -> None:
    parts = TOKEN.split(".")
    for changed in (parts[part] + "AAAA", parts[part][4:] if part != 1 else "AAAA", "=", "é"):
        with pytest.raises(MalformedInput):
            KEY.decrypt(".".join([*parts[:part], changed, *parts[part + 1 :]]))


def test_all_failures_of_decryption_say_the_same() -> None:
    parts = TOKEN.split(".")
    tag = encode_base64url(bytes(16))
    said = set()
    for token in (
        ".".join([*parts[:4], tag]),
        with_header(TOKEN, epk=DecryptionKey.generate().public_key.to_jwk()),
    ):
        with pytest.raises(MalformedInput) as refused:
            KEY.decrypt(token)
        said.add(str(refused.value))
    assert len(said) == 1


def test_sizes_are_bounded() -> None:
    with pytest.raises(TooLarge):
        KEY.decrypt("A" * (MAX_CHARACTERS + 1))
    with pytest.raises(MalformedInput):
        KEY.decrypt(with_header(TOKEN, x="a" * 10_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": None},
        {"kid": ""},
        {"alg": None},
        {"alg": "ECDH-ES+A256KW"},
        {"use": "sig"},
        {"crv": "P-384"},
        {"kty": "RSA"},
        {"d": "AAAA"},
        {"x": encode_base64url(b"\1" * 32)},
    ],
)
def test_keys_that_cannot_be_used_are_passed_over(changes: dict[str, Any]) -> None:
    jwk = {name: value for name, value in {**KEY.to_jwk(), **changes}.items() if value is not None}
    assert not is_usable(jwk)
    with pytest.raises(MalformedInput):
        encrypt(b"x", jwk, encryption="A128GCM")


def test_our_own_use_is_checked_too() -> None:
    with pytest.raises(UsageError):
        encrypt(b"x", KEY.to_jwk(), encryption="A128CBC-HS256")
    with pytest.raises(UsageError):
        DecryptionKey(ECKey.generate_key("P-384").private_key)
    with pytest.raises(MalformedInput):
        DecryptionKey.from_secret(b"\x30\x00")
    assert KEY.kid in repr(KEY)
    assert "PRIVATE" not in repr(KEY)


@given(st.one_of(st.text(), st.lists(st.text(alphabet="AQgw_-.e"), min_size=5, max_size=5).map(".".join)))
def test_arbitrary_text_raises_nothing_but_our_own(text: str) -> None:
    with pytest.raises(YinxinError):
        KEY.decrypt(text)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_arbitrary_headers_raise_nothing_but_our_own(value: Any) -> None:
    header = encode_base64url(dump_json(value))
    for text in (".".join([header, *TOKEN.split(".")[1:]]), with_header(TOKEN, epk=value or 0)):
        with pytest.raises(YinxinError):
            KEY.decrypt(text)

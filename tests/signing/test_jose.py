"""JOSE: tokens of ours verify with others' libraries and the other way round; everything lax is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from world.sm2 import UnsafeSm2Key

from signing import FileSigner
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import (
    MAX_JSON_DEPTH,
    MAX_TOKEN_CHARACTERS,
    Token,
    dump_json,
    load_json,
    load_json_object,
    parse_jws,
    sign_jws,
)
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError

KINDS = {
    "P-256": (ECKey, "ES256"),
    "P-384": (ECKey, "ES384"),
    "P-521": (ECKey, "ES512"),
    "RSA-2048": (RSAKey, "RS256"),
    "Ed25519": (OKPKey, "EdDSA"),
}
SIGNERS = {kind: FileSigner.generate(kind) for kind in KINDS}  # type: ignore[arg-type]
SIGNER = SIGNERS["P-256"]
CLAIMS = {"iss": "https://licences.example.gov", "名称": "津城食品店", "n": 1}
TOKEN = sign_jws(CLAIMS, SIGNER, headers={"typ": "dc+sd-jwt"})
HEAD, BODY, TAIL = TOKEN.split(".")


def as_part(value: Any) -> str:
    return encode_base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864; readers of today know EdDSA
@pytest.mark.parametrize("kind", KINDS)
def test_others_verify_what_we_sign(kind: str) -> None:
    key_class, name = KINDS[kind]
    signer = SIGNERS[kind]
    token = sign_jws(CLAIMS, signer, headers={"typ": "x+jwt", "kid": "1"})
    read = jws.deserialize_compact(token, key_class.import_key(signer.public_key.to_jwk()), algorithms=[name])
    assert json.loads(read.payload or b"") == CLAIMS
    assert read.headers() == {"typ": "x+jwt", "kid": "1", "alg": name}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864; readers of today know EdDSA
@pytest.mark.parametrize("kind", KINDS)
def test_we_verify_what_others_sign(kind: str) -> None:
    key_class, name = KINDS[kind]
    signer = SIGNERS[kind]
    pem = signer._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for alg in (name, "Ed25519") if kind == "Ed25519" else (name,):
        text = jws.serialize_compact({"alg": alg}, b'{"a":1}', key_class.import_key(pem), algorithms=[alg])
        token = parse_jws(text)
        assert token.claims() == {"a": 1}
        assert token.verify(signer.public_key, algorithms={signer.algorithm.name})
        for other in SIGNERS.values():
            assert token.verify(
                other.public_key, algorithms={row[1] for row in KINDS.values()} | {"Ed25519"}
            ) is (other is signer)


def test_only_allowed_algorithms_verify() -> None:
    token = parse_jws(TOKEN)
    assert token.verify(SIGNER.public_key, algorithms=["ES256"])
    assert not token.verify(SIGNER.public_key, algorithms=["ES384"])
    assert not token.verify(SIGNER.public_key, algorithms=[])


def test_a_der_signature_is_none_in_jose() -> None:
    raw = decode_base64url(TAIL)
    encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    for signature in (encoded, raw[:-1], raw + b"\0", b"", bytes(64), raw[32:] + raw[:32]):
        token = parse_jws(f"{HEAD}.{BODY}.{encode_base64url(signature)}")
        assert not token.verify(SIGNER.public_key, algorithms=["ES256"])


@pytest.mark.parametrize("alg", ["ES384", "RS256", "EdDSA", "HS256", "SM2", "ES256K", "es256"])
def test_the_name_of_another_algorithm_does_not_verify(alg: str) -> None:
    token = parse_jws(f"{as_part({'alg': alg, 'typ': 'x'})}.{BODY}.{TAIL}")
    assert not token.verify(SIGNER.public_key, algorithms=["ES256", alg])


def test_every_letter_of_a_token_counts() -> None:
    for place, letter in enumerate(TOKEN):
        changed = TOKEN[:place] + ("A" if letter != "A" else "B") + TOKEN[place + 1 :]
        try:
            token = parse_jws(changed)
        except MalformedInput:
            continue
        assert not token.verify(SIGNER.public_key, algorithms=["ES256"])


def header(text: str) -> str:
    return f"{as_part(text.encode('utf-8', 'surrogatepass'))}.{BODY}.{TAIL}"


REFUSED: dict[str, Any] = {
    "empty": "",
    "bytes": TOKEN.encode(),
    "nothing": None,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{TOKEN}.{TAIL}",
    "five parts, encrypted": f"{TOKEN}.AA.AA",
    "a newline at the end": TOKEN + "\n",
    "padding": TOKEN + "=",
    "padding in the header": f"{HEAD}=.{BODY}.{TAIL}",
    "another alphabet": f"{HEAD}.{BODY}.{TAIL[:-1]}+",
    "spare bits": f"{HEAD}.{BODY}.{TAIL[:-1]}{'B' if TAIL[-1] in 'AQgw' else 'x'}",
    "junk behind": f"{HEAD}.{BODY}.{TAIL}!!!!",
    "header is a list": f"{as_part(['alg'])}.{BODY}.{TAIL}",
    "header is not JSON": header("{alg: 'ES256'}"),
    "header in latin-1": ".".join([as_part('{"alg":"ES256","x":"é"}'.encode("latin-1")), BODY, TAIL]),
    "byte order mark": header('\ufeff{"alg":"ES256"}'),
    "no alg": header('{"typ":"x"}'),
    "alg none": header('{"alg":"none"}'),
    "alg NONE": header('{"alg":"nOnE"}'),
    "alg is a number": header('{"alg":1}'),
    "alg is null": header('{"alg":null}'),
    "alg twice": header('{"alg":"ES256","alg":"none"}'),
    "a name twice, escaped": header('{"alg":"ES256","a\\u006cg":"none"}'),
    "a name twice, deep": header('{"alg":"ES256","jwk":{"x":1,"x":2}}'),
    "b64": header('{"alg":"ES256","b64":false,"crit":["b64"]}'),
    "unknown crit": header('{"alg":"ES256","crit":["exp"],"exp":1}'),
    "crit names what is absent": header('{"alg":"ES256","crit":["known"]}'),
    "crit is empty": header('{"alg":"ES256","crit":[]}'),
    "crit is a text": header('{"alg":"ES256","crit":"known","known":1}'),
    "crit holds a list": header('{"alg":"ES256","crit":[["known"]],"known":1}'),
    "NaN": header('{"alg":"ES256","x":NaN}'),
    "Infinity": header('{"alg":"ES256","x":-Infinity}'),
    "a number over every float": header('{"alg":"ES256","x":1e999}'),
    "a number of many digits": header('{"alg":"ES256","x":' + "9" * 5000 + "}"),
    "half a surrogate pair": header('{"alg":"ES256","x":"\\ud800"}'),
    "half a surrogate pair as a name": header('{"alg":"ES256","\\udc00":1}'),
    "deep nesting": header('{"alg":"ES256","x":' + "[" * 40 + "]" * 40 + "}"),
    "very deep nesting": header('{"alg":"ES256","x":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "a trailing comma": header('{"alg":"ES256",}'),
    "two values": header('{"alg":"ES256"}{}'),
    "not ASCII": TOKEN.replace("e", "е", 1),
    "body not ASCII": f"{HEAD}.é.{TAIL}",
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_what_rfc_7515_does_not_allow_is_refused(token: Any) -> None:
    with pytest.raises(MalformedInput):
        parse_jws(token, understood=["known"])


def test_an_understood_critical_header_is_let_in() -> None:
    token = header('{"alg":"ES256","crit":["known"],"known":1}')
    assert parse_jws(token, understood=["known"]).header["known"] == 1
    with pytest.raises(MalformedInput):
        parse_jws(token)


def test_a_token_without_end_is_too_large() -> None:
    with pytest.raises(TooLarge):
        parse_jws("A" * (MAX_TOKEN_CHARACTERS + 1))


def test_claims_are_an_object() -> None:
    with pytest.raises(MalformedInput):
        Token({}, b"[]", b"", b"").claims()


def test_we_do_not_sign_what_cannot_be_read() -> None:
    with pytest.raises(UsageError):
        sign_jws(CLAIMS, SIGNER, headers={})
    sm2 = UnsafeSm2Key(5)

    class Sm2Signer(FileSigner):
        def __init__(self) -> None:
            self.public_key, self.chain = sm2.public_key, ()
            self.algorithm = sm2.public_key.default_algorithm

    with pytest.raises(UsageError):
        sign_jws(CLAIMS, Sm2Signer(), headers={"typ": "x"})


def test_depth_is_counted_by_levels() -> None:
    assert load_json("[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH)
    with pytest.raises(MalformedInput):
        load_json("[" * (MAX_JSON_DEPTH + 1) + "]" * (MAX_JSON_DEPTH + 1))
    assert load_json('"' + "[" * 100 + '"') == "[" * 100
    assert len(load_json("[" + ",".join(["[]"] * 100) + "]")) == 100
    assert load_json('"\\ud83d\\udc1f"') == "\U0001f41f"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NEARLY_JSON = st.from_regex(r"\{\"[a-z0-9\\]{0,8}\":[0-9eE.+-]{1,6}\}")


@given(JSON)
def test_json_reads_back(value: Any) -> None:
    assert load_json(dump_json(value)) == value


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60),
        NEARLY_JSON,
    )
)
def test_arbitrary_json_lets_only_our_errors_out(data: bytes | str) -> None:
    for read in (load_json, load_json_object):
        try:
            read(data)
        except YinxinError:
            continue


@given(
    st.lists(
        st.one_of(st.sampled_from([HEAD, BODY, TAIL]), st.text("AQgw-_=.é", max_size=6), JSON.map(as_part)),
        max_size=5,
    )
)
def test_arbitrary_tokens_let_only_our_errors_out(parts: list[str]) -> None:
    text = ".".join(parts)
    try:
        token = parse_jws(text)
    except YinxinError:
        return
    assert token.verify(SIGNER.public_key, algorithms=["ES256", "ES384"]) is (text == TOKEN)

"""Compact JWS (RFC 7515) and JWT (RFC 7519): written as python-jose would, verified strictly by us.

Tokens of the two algorithms that most are signed with are put together here, the others by python-jose, all
through any `Signer`, a hardware token included. python-jose is not asked to verify: 3.5 accepts unknown
`crit` headers, duplicate names, other alphabets of base64, and keys whose curve does not fit. The reader here
refuses all of them, and never raises anything but `MalformedInput`; a signature that does not verify is
False.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jose import jws
from jose.backends.base import Key

from signing.algorithms import ALGORITHMS, Algorithm
from signing.base64url import decode_base64url_bytes, encode_base64url
from signing.raw_signatures import from_raw, to_raw
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from signing.keys import PublicKey
    from signing.signer import Signer

MAX_TOKEN_CHARACTERS = 1 << 20
MAX_JSON_DEPTH = 32
MAX_DIGITS = 300  # of a whole number: about what a double reaches
_SHORT = 2 * MAX_JSON_DEPTH  # characters that cannot nest deeper
# A number that is too large, or a long row of digits in a text, which does no harm: sought among zeros.
_ZEROS, _TOO_MANY_DIGITS = bytes.maketrans(b"123456789", b"000000000"), b"0" * 20
_BY_JOSE_NAME = {row.name: row for row in ALGORITHMS if row.in_jose}
# python-jose has no EdDSA, and takes as long around an ES256 signature as the signature itself.
_WRITTEN_HERE = frozenset({"EdDSA", "ES256"})
_BY_JOSE_NAME["EdDSA"] = _BY_JOSE_NAME["Ed25519"]  # RFC 8037; RFC 9864 says which curve


class Token(NamedTuple):
    """A parsed compact JWS. Nothing in it is trustworthy before `verify` said True.

    `header` is shared with other tokens that begin alike, and is not to be changed.
    """

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    @property
    def shares_header(self) -> bool:
        """Whether the header is kept, so that the same one comes again; a longer one is read each time."""
        return self.signing_input.find(b".", 0, _KEPT_CHARACTERS + 1) >= 0

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object."""
        return load_json_object(self.payload)

    def verify(self, key: PublicKey, *, algorithms: Collection[str]) -> bool:
        """Whether `key` signed this with one of `algorithms`, the one that fits the key."""
        row = jose_algorithm(self.header.get("alg"))
        return row is not None and row.name in algorithms and self.verify_as(row, key)

    def verify_as(self, row: Algorithm, key: PublicKey) -> bool:
        """The same for the algorithm of the header, where that was looked up and allowed already."""
        if row.key_kind != key.kind:
            return False
        signature = from_raw(self.signature, row)
        return signature is not None and key.verify(signature, self.signing_input, row)


def sign_jws(payload: bytes | Mapping[str, Any], signer: Signer, *, headers: Mapping[str, Any]) -> str:
    """A compact JWS. `headers` must hold `typ`; `alg` comes from the signer."""
    if "typ" not in headers:
        raise UsageError("a token of ours always says its type")
    if not signer.algorithm.in_jose:
        raise UsageError(f"JOSE has no name for {signer.algorithm.name}")
    name = "EdDSA" if signer.algorithm.name == "Ed25519" else signer.algorithm.name
    body = payload if isinstance(payload, bytes) else dump_json(payload)
    if name in _WRITTEN_HERE:
        head = _head(headers, name)
        signing_input = f"{head}.{encode_base64url(body)}"
        signature = to_raw(signer.sign(signing_input.encode("ascii")), signer.algorithm)
        return f"{signing_input}.{encode_base64url(signature)}"
    return jws.sign(body, _SignerKey(signer), headers=dict(headers), algorithm=name)


def _head(headers: Mapping[str, Any], algorithm: str) -> str:
    """The header as it is sent: most of one is a chain, and an issuer's chain is the same all day."""
    told = tuple([(name, tuple(value) if type(value) is list else value) for name, value in headers.items()])
    # Texts alone are kept: 1 and true are one to whoever compares them, and not to whoever writes them.
    are_texts = all(type(value) is str or _is_list_of_texts(value) for _, value in told)
    return (_kept_head if are_texts else _write_head)(told, algorithm)


def _is_list_of_texts(value: Any) -> bool:
    return type(value) is tuple and {*map(type, value)} == {str}


def _write_head(told: tuple[tuple[str, Any], ...], algorithm: str) -> str:
    return encode_base64url(dump_json({**dict(told), "alg": algorithm}))


_kept_head = lru_cache(64)(_write_head)


def parse_jws(
    token: object, *, understood: Collection[str] = (), max_characters: int = MAX_TOKEN_CHARACTERS
) -> Token:
    """Parse a compact JWS; `MalformedInput` for whatever RFC 7515 does not allow.

    `understood` names the critical headers that the caller handles; any other in `crit` is refused
    (RFC 7515, 4.1.11). `alg` none and tokens over `max_characters` are refused too.
    """
    if not isinstance(token, str):
        raise MalformedInput("jwt", "not a text")
    if len(token) > max_characters:
        raise TooLarge("jwt", f"over {max_characters} characters")
    sent = token.encode("utf-8", "surrogatepass")
    try:
        head, body, signature = sent.split(b".", 3)
    except ValueError as exc:
        raise MalformedInput("jwt", "not three parts") from exc
    header = _kept_header(head) if len(head) <= _KEPT_CHARACTERS else _read_header(head)
    if "crit" in header:
        _check_critical(header, understood)
    signed = sent[: ~len(signature)]  # all before the last dot
    parts = header, decode_base64url_bytes(body), signed, decode_base64url_bytes(signature)
    return tuple.__new__(Token, parts)  # as Token(*parts), in half the time


def _read_header(sent: bytes) -> Mapping[str, Any]:
    if not sent.isascii():
        raise MalformedInput("base64url", "a character is not allowed")
    header = load_json_object(decode_base64url_bytes(sent))
    if not isinstance(header.get("alg"), str) or header["alg"].lower() == "none":
        raise MalformedInput("jwt", "no algorithm")
    if "b64" in header:
        raise MalformedInput("jwt", "unencoded payloads are not used here")
    return MappingProxyType(header)


# What one issuer signs in a day begins with the same header, and most of that is its chain: read once. A
# header is its text's alone, so a kept one says what a read one would; at most 4 MiB of text are kept.
_KEPT, _KEPT_CHARACTERS = 256, 16 << 10
_kept_header = lru_cache(_KEPT)(_read_header)


def _check_critical(header: Mapping[str, Any], understood: Collection[str]) -> None:
    critical = header["crit"]
    if not isinstance(critical, list) or not critical:
        raise MalformedInput("jwt", "crit is not a list of names")
    if any(not isinstance(name, str) or name not in understood or name not in header for name in critical):
        raise MalformedInput("jwt", "a critical header is not understood")


def jose_algorithm(name: object) -> Algorithm | None:
    """The row of a JOSE algorithm name, or None."""
    return _BY_JOSE_NAME.get(name) if type(name) is str else None


def dump_json(value: object) -> bytes:
    """Compact UTF-8 JSON, names in the order given."""
    return json_text(value).encode("utf-8")


def json_text(value: object) -> str:
    """The same as a text. A text alone, which most claims are, is only quoted."""
    return encode_basestring(value) if type(value) is str else _encode(value)


def _encode(value: object) -> str:
    try:
        return "".join(_CHUNKS(value, 0))
    except RecursionError as exc:
        raise ValueError("nests too deeply, or within itself") from exc


def check_written(text: str) -> None:
    """Raise as `load_json` would for a text of `json_text`, in which only numbers and depth can be odd."""
    is_deep = text.count("{") + text.count("[") > MAX_JSON_DEPTH
    if is_deep or _TOO_MANY_DIGITS in text.encode("utf-8", "surrogatepass").translate(_ZEROS):
        load_json(text)


def load_json(data: bytes | str) -> Any:
    """Strict JSON: UTF-8, no repeated names, no NaN, numbers and depth bounded; else `MalformedInput`."""
    try:
        text = data.decode() if isinstance(data, bytes) else data
        try:  # what `json` does, without its search for spaces around a text that has none
            value, end = _SCAN(text, 0)
        except StopIteration:
            end = -1  # it begins with a space, or says below what is wrong
        if end != len(text):
            value, end = _DECODER.decode(text), len(text)
        # RFC 8259, 8.2: an escaped half of a surrogate pair is no character.
        if "\\" in text and "\\u" in text:
            dump_json(value)
    except (ValueError, RecursionError) as exc:
        raise MalformedInput("json", "not strict JSON") from exc
    # Fewer brackets than the limit cannot nest deeper than it, and a short text has no more.
    if end > _SHORT and text.count("{") + text.count("[") > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise MalformedInput("json", f"nested deeper than {MAX_JSON_DEPTH}")
    return value


def load_json_object(data: bytes | str) -> dict[str, Any]:
    """Strict JSON that is an object."""
    value = load_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("json", "not an object")
    return value


class _SignerKey(Key):
    """A `Signer` in the shape that python-jose asks for."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, message: bytes) -> bytes:
        return to_raw(self._signer.sign(message), self._signer.algorithm)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise ValueError("a name is repeated")
    return answer


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("the number is too large")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("the number is too large")
    return value


# Made once: json.dumps makes an encoder and json.loads a decoder with every call that has options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_make_encoder = getattr(json.encoder, "c_make_encoder", None)  # the one that is made with every call else
_CHUNKS = (
    _make_encoder(None, _ENCODER.default, encode_basestring, None, ":", ",", False, False, False)  # noqa: FBT003 - json's own order
    if _make_encoder
    else lambda value, _depth: _ENCODER.encode(value)
)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_integer, parse_float=_finite
)
_SCAN = _DECODER.scan_once  # type: ignore[attr-defined]  # typeshed leaves it out


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        if depth > MAX_JSON_DEPTH:
            break
        inner = [item for item in level if isinstance(item, (dict, list))]
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
    return depth

"""One content under several signatures: the general JSON form of JWS (RFC 7515, 7.2.1), read strictly.

    {"payload": base64url, "signatures": [{"protected": base64url, "signature": base64url}, …]}

The bytes that were signed travel as they are, so nothing has to be written twice the same way. How many
signatures are enough, and whose, is said by `signing.trust_list.roots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import Token, dump_json, load_json_object, sign_jws
from yinxin.base.errors import Conflict, MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from signing.keys import PublicKey
    from signing.signer import Signer

MAX_BYTES = 16 << 20
MAX_SIGNATURES = 32
ALGORITHMS = frozenset({"ES256", "ES384", "Ed25519"})


def sign_content(content: Mapping[str, Any], typ: str, signers: Iterable[Signer]) -> bytes:
    """The content under the signatures of all these."""
    payload = dump_json(content)
    rows = [_signature(payload, typ, signer) for signer in signers]
    return _write(encode_base64url(payload), rows)


def add_signature(envelope: bytes, signer: Signer) -> bytes:
    """The envelope with one more signature over the same content; `Conflict` when this key has signed it."""
    payload, rows = _read(envelope)
    headers = [_header(row) for row in rows]
    if signer.public_key.thumbprint in {header.get("kid") for header in headers}:
        raise Conflict("this key has signed it already")
    typ = headers[0].get("typ")
    if not isinstance(typ, str):
        raise MalformedInput("trust list", "its signatures name no type")
    return _write(payload, [*rows, _signature(decode_base64url(payload), typ, signer)])


def read_content(envelope: bytes) -> dict[str, Any]:
    """What is inside, believed by nobody yet."""
    return load_json_object(decode_base64url(_read(envelope)[0]))


def signed_by(envelope: bytes, typ: str, keys: Iterable[PublicKey]) -> int:
    """How many of these keys have signed the content, each counted once."""
    payload, rows = _read(envelope)
    known = {key.thumbprint: key for key in keys}
    found = set()
    for row in rows:
        header = _header(row)
        key = known.get(str(header.get("kid")))
        if key is None or header.get("typ") != typ or header.keys() != {"alg", "kid", "typ"}:
            continue
        token = Token(header, b"", f"{row['protected']}.{payload}".encode("ascii"), _value(row))
        if token.verify(key, algorithms=ALGORITHMS):
            found.add(key.thumbprint)
    return len(found)


def _signature(payload: bytes, typ: str, signer: Signer) -> dict[str, str]:
    token = sign_jws(payload, signer, headers={"typ": typ, "kid": signer.public_key.thumbprint})
    protected, _, signature = token.split(".")
    return {"protected": protected, "signature": signature}


def _write(payload: str, rows: list[dict[str, str]]) -> bytes:
    return dump_json({"payload": payload, "signatures": rows}) + b"\n"


def _read(envelope: bytes) -> tuple[str, list[dict[str, str]]]:
    if len(envelope) > MAX_BYTES:
        raise TooLarge("trust list", f"over {MAX_BYTES} bytes")
    document = load_json_object(envelope)
    payload, rows = document.get("payload"), document.get("signatures")
    if document.keys() != {"payload", "signatures"} or not isinstance(payload, str):
        raise MalformedInput("trust list", "not a signed content")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_SIGNATURES:
        raise MalformedInput("trust list", f"1 to {MAX_SIGNATURES} signatures are expected")
    if not all(isinstance(row, dict) and row.keys() == {"protected", "signature"} for row in rows):
        raise MalformedInput("trust list", "a signature has another form")
    if not all(isinstance(value, str) for row in rows for value in row.values()):
        raise MalformedInput("trust list", "a signature has another form")
    _ = [decode_base64url(value) for value in (payload, *(row["protected"] for row in rows))]
    return payload, rows


def _header(row: dict[str, str]) -> dict[str, Any]:
    return load_json_object(decode_base64url(row["protected"]))


def _value(row: dict[str, str]) -> bytes:
    return decode_base64url(row["signature"])

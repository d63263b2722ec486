"""The lists of 2^20 entries and the tokens printed in draft-ietf-oauth-status-list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from credentials.status_list import StatusList
from credentials.status_tokens import read_status_cwt
from credentials.vocabulary import STATUS_LIST_CWT_TYP, STATUS_LIST_TYP
from signing.base64url import encode_base64url
from signing.cbor import decode
from signing.cose import TYP
from signing.jose import parse_jws
from signing.keys import PublicKey

if TYPE_CHECKING:
    from pathlib import Path


def published(vectors: Path) -> dict[str, Any]:
    text = (vectors / "status-list" / "vectors.json").read_text("utf-8")
    return json.loads(text)


def long_lists(vectors: Path) -> list[dict[str, Any]]:
    return [case for case in published(vectors)["lists"] if "json" in case]


def test_every_long_list_has_the_entries_that_the_text_names(vectors: Path) -> None:
    assert len(long_lists(vectors)) == 4
    for case in long_lists(vectors):
        statuses = StatusList.from_claim(case["json"])
        assert (statuses.bits, len(statuses)) == (case["bits"], case["size"]), case["name"]
        assert all(statuses.get(int(index)) == value for index, value in case["non_zero"].items()), case[
            "name"
        ]


def test_our_list_has_the_bytes_of_the_published_one(vectors: Path) -> None:
    for case in long_lists(vectors):
        ours = StatusList(case["size"], bits=case["bits"])
        for index, value in case["non_zero"].items():
            ours.set(int(index), value)
        assert ours == StatusList.from_claim(case["json"]), case["name"]
        assert StatusList.from_claim(ours.to_claim()) == ours, case["name"]


def test_the_short_examples_have_the_bytes_of_the_text(vectors: Path) -> None:
    short = [case for case in published(vectors)["lists"] if "statuses" in case]
    assert len(short) == 2
    for case in short:
        ours = StatusList(len(case["statuses"]), bits=case["bits"])
        for index, value in enumerate(case["statuses"]):
            ours.set(index, value)
        assert ours.to_bytes().hex() == case["bytes_hex"]
        packed = encode_base64url(bytes.fromhex(case["zlib_hex"]))
        theirs = StatusList.from_claim({"bits": case["bits"], "lst": packed})
        assert [theirs.get(index) for index in range(len(case["statuses"]))] == case["statuses"]


def test_the_published_token_verifies(vectors: Path) -> None:
    tokens = published(vectors)["tokens"]
    key = PublicKey.from_jwk({k: v for k, v in tokens["jwk"].items() if k in {"kty", "crv", "x", "y"}})
    token = parse_jws(tokens["status_list_jwt"])
    assert token.header["typ"] == STATUS_LIST_TYP
    assert token.verify(key, algorithms={"ES256"})
    assert len(StatusList.from_claim(token.claims()["status_list"])) >= 8


def test_the_published_lists_read_the_same_in_cbor(vectors: Path) -> None:
    for case in long_lists(vectors):
        theirs = StatusList.from_cbor(decode(bytes.fromhex(case["cbor_hex"])))
        assert theirs == StatusList.from_claim(case["json"]), case["name"]
        assert StatusList.from_cbor(theirs.to_cbor()) == theirs


def test_the_published_cwt_verifies(vectors: Path) -> None:
    tokens = published(vectors)["tokens"]
    key = PublicKey.from_jwk({k: v for k, v in tokens["jwk"].items() if k in {"kty", "crv", "x", "y"}})
    message, claims = read_status_cwt(bytes.fromhex(tokens["status_list_cwt_hex"]))
    assert message.protected[TYP] == STATUS_LIST_CWT_TYP
    assert message.is_signed_by(key)
    as_jwt = parse_jws(tokens["status_list_jwt"]).claims()
    assert StatusList.from_cbor(claims["status_list"]) == StatusList.from_claim(as_jwt["status_list"])
    assert {claims[name] == as_jwt[name] for name in ("sub", "iat", "exp", "ttl")} == {True}

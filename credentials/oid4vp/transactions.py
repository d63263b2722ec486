"""Transaction data: what a holder agrees to beside showing a credential (5.1, 8.4, appendix B.3.3).

A holder reads the statement, and the key binding carries the hash of the very text that the verifier sent,
so that both can prove it later. A wallet refuses a type that it does not know, because it could not say
what would be agreed to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.oid4vp.vocabulary import MAX_TEXT_CHARACTERS
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

MATTER_TYPE = "urn:yinxin:transaction:matter:1"
DOCUMENT_TYPE = "urn:yinxin:transaction:document:1"
# Type → members beside the statement, all texts. A document is named by its SHA-256 in hex.
TYPES: Mapping[str, tuple[str, ...]] = {MATTER_TYPE: ("matter",), DOCUMENT_TYPE: ("digest", "name")}
DEFAULT_HASH = "sha-256"
MAX_TRANSACTIONS = 8
_MAX_CHARACTERS = 16 * 1024
HASHES_CLAIM, ALGORITHM_CLAIM = "transaction_data_hashes", "transaction_data_hashes_alg"
_STATED = "transaction_data_hashes_alg"


@dataclass(frozen=True, slots=True)
class TransactionData:
    """One transaction. `encoded` is the text as sent, which is what is hashed."""

    type: str
    credential_ids: tuple[str, ...]
    statement: Text
    details: Mapping[str, str]
    encoded: str
    states_algorithm: bool = False

    @classmethod
    def make(
        cls, kind: str, statement: Text, *, credential_ids: tuple[str, ...], details: Mapping[str, str]
    ) -> TransactionData:
        """One of ours; `MalformedInput` when its members do not fit the type."""
        body = {"type": kind, "credential_ids": list(credential_ids), "statement": statement.to_dict()}
        return cls.parse(encode_base64url(dump_json({**body, **details})))

    @classmethod
    def parse(cls, encoded: object) -> TransactionData:
        """Read one as sent; `MalformedInput` for an unknown type or a wrong form."""
        if not isinstance(encoded, str) or len(encoded) > _MAX_CHARACTERS:
            raise MalformedInput("transaction_data", "not a text, or too long")
        body = load_json_object(decode_base64url(encoded))
        kind, ids = body.get("type"), body.get("credential_ids")
        if not isinstance(kind, str) or kind not in TYPES:
            raise MalformedInput("transaction_data", "OpenID4VP, 5.1: a type that is not known")
        if not isinstance(ids, list) or not ids or not all(isinstance(name, str) for name in ids):
            raise MalformedInput("transaction_data", "OpenID4VP, 5.1: credential_ids is no array of ids")
        algorithms = body.get(_STATED, [DEFAULT_HASH])
        if not isinstance(algorithms, list) or DEFAULT_HASH not in algorithms:
            raise MalformedInput(
                "transaction_data", f"appendix B.3.3.1: {DEFAULT_HASH} is not among the hashes"
            )
        details = {name: _text(body.get(name)) for name in TYPES[kind]}
        return cls(kind, tuple(ids), _statement(body), details, encoded, _STATED in body)

    @property
    def hash(self) -> str:
        """What the key binding carries."""
        return encode_base64url(hashlib.sha256(self.encoded.encode("ascii")).digest())


def binding_claims(transactions: tuple[TransactionData, ...]) -> dict[str, Any]:
    """The claims of a key binding that agrees to these (B.3.3.1); none for none."""
    if not transactions:
        return {}
    claims: dict[str, Any] = {HASHES_CLAIM: [one.hash for one in transactions]}
    if any(one.states_algorithm for one in transactions):
        claims[ALGORITHM_CLAIM] = DEFAULT_HASH
    return claims


def read_binding(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The hashes that a key binding agrees to; `MalformedInput` for a wrong form or another algorithm."""
    hashes = claims.get(HASHES_CLAIM, [])
    if claims.get(ALGORITHM_CLAIM, DEFAULT_HASH) != DEFAULT_HASH:
        raise MalformedInput("transaction_data", "appendix B.3.3.1: another hash than was asked for")
    if not isinstance(hashes, list) or not all(isinstance(item, str) for item in hashes):
        raise MalformedInput("transaction_data", "appendix B.3.3.1: the hashes are no array of texts")
    if len(set(hashes)) != len(hashes) or (HASHES_CLAIM in claims and not hashes):
        raise MalformedInput("transaction_data", "appendix B.3.3.1: a hash is repeated, or there is none")
    return tuple(hashes)


def _statement(body: Mapping[str, Any]) -> Text:
    value = body.get("statement")
    if not isinstance(value, dict):
        raise MalformedInput("transaction_data", "no statement to agree to")
    return Text(_text(value.get("zh")), _text(value.get("en")))


def _text(value: object) -> str:
    """One line of plain text: what is agreed to must not pretend to be more of the consent page."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        raise MalformedInput("transaction_data", "a member is missing, or is no plain line")
    return value

"""The keys that an issuer publishes beside its address (JWT VC Issuer Metadata; SD-JWT VC, 4).

A snapshot of what `/.well-known/jwt-vc-issuer` answered, checked once; fetching is the caller's work. The
policy says for which issuers it counts (`issuer_keys`), never a credential: a token of such an issuer is
judged by these keys alone, whatever certificates it carries, and a token of any other by its certificates
alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from signing.jose import jose_algorithm, load_json_object
from signing.keys import PublicKey
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.addresses import parse_target
from yinxin.base.errors import MalformedInput, NotPermitted, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from signing.jose import Token
    from signing.policy import Policy

WELL_KNOWN_KEYS = "/.well-known/jwt-vc-issuer"
MAX_BYTES = 256 << 10
MAX_KEYS = 100
# After they were fetched: an issuer that cannot be asked is not believed for longer.
SERVES_FOR = timedelta(days=1)
_NOT_GENUINE = {
    Reason.ISSUER_KEYS_UNAVAILABLE,
    Reason.ISSUER_KEY_UNKNOWN,
    Reason.ALGORITHM_NOT_ALLOWED,
    Reason.SIG_CRYPTO_FAILURE,
}


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The keys of one issuer, by their `kid` and kind; `read` makes one.

    `issuer` is the `iss` that they are for, `documents` what was fetched (the metadata, and the key set where
    that stands apart), `digest` the SHA-256 over both in hex. They serve until `expires_at`. `unnamed` are
    keys without a `kid`.
    """

    issuer: str
    keys: Mapping[tuple[str, str], PublishedKey]
    fetched_at: datetime
    documents: tuple[bytes, ...] = field(repr=False)
    unnamed: tuple[PublishedKey, ...] = ()

    @classmethod
    def read(
        cls, document: bytes, *, issuer: str, at: datetime, key_set: bytes | None = None
    ) -> PublishedKeys:
        """What the metadata of this issuer says, fetched at a time; `MalformedInput` or `TooLarge`.

        `key_set` is what stands at `key_set_url`, where the metadata names one.
        """
        place = key_set_url(document, issuer=issuer)
        if (place is None) != (key_set is None):
            raise MalformedInput(
                "issuer metadata", "SD-JWT VC, 4.2: the key set and its address do not agree"
            )
        found = _object(document)["jwks"] if key_set is None else _object(key_set)
        documents = (document,) if key_set is None else (document, key_set)
        named, unnamed = _keys(found)
        return cls(issuer, named, at, documents, unnamed)

    @property
    def expires_at(self) -> datetime:
        """Until when they serve."""
        return self.fetched_at + SERVES_FOR

    @property
    def digest(self) -> str:
        """What reports name it by."""
        each = b"".join(hashlib.sha256(one).digest() for one in self.documents)
        return hashlib.sha256(each).hexdigest()

    def find(self, token: Token) -> PublishedKey | None:
        """The key that the token's header names, of the kind that its algorithm needs.

        To name it is recommended (SD-JWT VC, 4.2): a token that names none means the only key of that kind.
        """
        row = jose_algorithm(token.header.get("alg"))
        if row is None:
            return None
        if "kid" in token.header:
            named = token.header["kid"]
            return self.keys.get((named, row.key_kind)) if isinstance(named, str) else None
        every = (*self.keys.values(), *self.unnamed)
        fitting = {one.key: one for one in every if one.key.kind == row.key_kind}
        return next(iter(fitting.values())) if len(fitting) == 1 else None


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One key; `algorithm` is the only one that it serves, where its issuer says so."""

    key: PublicKey
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class SignedByPublished:
    """How a signature came out: the key that made it (None where it was not found) and the checks."""

    key: PublicKey | None
    checks: tuple[Check, ...]

    @property
    def is_genuine(self) -> bool:
        """Whether a key of the issuer made the signature."""
        return self.key is not None and not any(check.reason in _NOT_GENUINE for check in self.checks)


def judge_by_published(
    token: Token, published: PublishedKeys | None, *, at: datetime, policy: Policy
) -> SignedByPublished:
    """Check a token's signature by its issuer's keys; certificates in its header are not looked at."""
    if published is None:
        return _missing(Reason.ISSUER_KEYS_UNAVAILABLE, "the issuer's keys are not at hand")
    if not published.fetched_at - policy.clock_skew <= at < published.expires_at:
        fetched = published.fetched_at.isoformat()
        return _missing(Reason.ISSUER_KEYS_UNAVAILABLE, f"the issuer's keys were fetched {fetched}")
    found = published.find(token)
    if found is None:
        return _missing(Reason.ISSUER_KEY_UNKNOWN, "SD-JWT VC, 4.2: no key of this kid and kind")
    keys = Check("issuer_keys", detail=f"as of {published.fetched_at.isoformat()}")
    if objection := _objection(token, found, at, policy):
        return SignedByPublished(
            found.key, (keys, Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection))
        )
    good = token.verify(found.key, algorithms=policy.algorithms)
    signature = Check("signature", None if good else Reason.SIG_CRYPTO_FAILURE)
    return SignedByPublished(found.key, (keys, Check("algorithm"), signature))


def metadata_url(issuer: str) -> str:
    """Where the metadata of an issuer stands: the well-known part goes before its path (4).

    `MalformedInput` unless the issuer is a plain https address without query and fragment.
    """
    try:
        parse_target(issuer, https_only=True)
    except NotPermitted as exc:
        raise MalformedInput("issuer", f"SD-JWT VC, 4: {exc.detail}") from exc
    parts = urlsplit(issuer)
    steps = parts.path.removesuffix("/").split("/")[1:]
    if "?" in issuer or "#" in issuer or "%" in issuer or {"", ".", ".."}.intersection(steps):
        raise MalformedInput("issuer", "SD-JWT VC, 4: an address with a query, or a path of two readings")
    return f"https://{parts.netloc}{WELL_KNOWN_KEYS}{parts.path.removesuffix('/')}"


def key_set_url(document: bytes, *, issuer: str) -> str | None:
    """Where the metadata says that the key set stands; None where it holds the set itself.

    `MalformedInput` for metadata of another issuer, and for both or neither (4.2, 4.3).
    """
    data = _object(document)
    if data.get("issuer") != issuer:
        raise MalformedInput("issuer metadata", "SD-JWT VC, 4.3: it is about another issuer")
    if ("jwks" in data) == ("jwks_uri" in data):
        raise MalformedInput("issuer metadata", "SD-JWT VC, 4.2: either jwks or jwks_uri, not both")
    if "jwks" in data:
        return None
    place = data["jwks_uri"]
    try:
        if not isinstance(place, str) or "#" in place:
            raise MalformedInput("issuer metadata", "SD-JWT VC, 4.2: jwks_uri is no address")
        parse_target(place, https_only=True)
    except NotPermitted as exc:
        raise MalformedInput("issuer metadata", f"SD-JWT VC, 3: {exc.detail}") from exc
    return place


def describe_keys(issuer: str, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The metadata that an issuer of ours publishes; each key is named by its thumbprint."""
    rows = [
        {**key.to_jwk(), "kid": key.thumbprint, "alg": _jose_name(key), "use": "sig"}
        for key in dict.fromkeys(keys)
    ]
    return {"issuer": issuer, "jwks": {"keys": rows}}


def _jose_name(key: PublicKey) -> str:
    name = key.default_algorithm.name
    return "EdDSA" if name == "Ed25519" else name


def _missing(reason: Reason, detail: str) -> SignedByPublished:
    return SignedByPublished(None, (Check("issuer_keys", reason, detail=detail),))


def _objection(token: Token, found: PublishedKey, at: datetime, policy: Policy) -> str | None:
    name = token.header.get("alg")
    row = jose_algorithm(name)
    if row is None:
        return "no such algorithm"
    if found.algorithm is not None and jose_algorithm(found.algorithm) is not row:
        return f"RFC 7517, 4.4: the key is for {found.algorithm}, not {name}"
    return policy.objection_to(row, found.key, at=at)


def _object(document: bytes) -> dict[str, Any]:
    if len(document) > MAX_BYTES:
        raise TooLarge("issuer metadata", f"over {MAX_BYTES} bytes")
    return load_json_object(document)


def _keys(key_set: Any) -> tuple[dict[tuple[str, str], PublishedKey], tuple[PublishedKey, ...]]:
    """The keys that can be used, by name and kind, and those without a name.

    What is of no known kind is passed over (RFC 7517, 5).
    """
    rows = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedInput("issuer metadata", "RFC 7517, 5: no set of keys")
    if len(rows) > MAX_KEYS:
        raise TooLarge("issuer metadata", f"over {MAX_KEYS} keys")
    found: dict[tuple[str, str], PublishedKey] = {}
    unnamed: list[PublishedKey] = []
    for row in rows:
        made, name = _key(row), row.get("kid")
        if made is not None and "kid" not in row:
            unnamed.append(made)
        if made is None or not isinstance(name, str):
            continue
        if found.setdefault((name, made.key.kind), made) != made:
            raise MalformedInput("issuer metadata", "RFC 7517, 4.5: two keys have one kid")
    return found, tuple(unnamed)


def _key(row: Mapping[str, Any]) -> PublishedKey | None:
    """A key for signatures; None for others, and for one whose private half is published with it."""
    serves = row.get("key_ops", ["verify"])
    if row.get("use", "sig") != "sig" or not isinstance(serves, list) or "verify" not in serves:
        return None
    algorithm = row.get("alg")
    if algorithm is not None and not isinstance(algorithm, str):
        return None
    try:
        return PublishedKey(PublicKey.from_jwk(row), algorithm)
    except MalformedInput:
        return None

"""A presentation request as a value, and its JSON form (OpenID4VP 1.0, clause 5).

Reading checks the form of every parameter; signature, certificate and time are checked in
`credentials.oid4vp.request_objects`. What the specification does not name is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.dcql import MDOC, SD_JWT_VC, Query
from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.transactions import MAX_TRANSACTIONS, TransactionData
from credentials.oid4vp.vocabulary import (
    ABOUT_FORMAT,
    MAX_TEXT_CHARACTERS,
    MAX_URL_CHARACTERS,
    RESPONSE_TYPE,
    STATIC_AUDIENCE,
    ErrorCode,
    ResponseMode,
)
from signing.algorithms import algorithm
from signing.jwe import ENCRYPTIONS, is_usable
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_KEYS = 16
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,512}")  # 5.2: URL-safe characters
_MATCH_CODE = re.compile(r"[0-9]{2}")
_ALGORITHMS = ("ES256", "ES384", "ES512", "Ed25519")  # of credentials and key bindings that are asked for
_JOSE_NAMES = [*_ALGORITHMS, "EdDSA"]  # RFC 8037; RFC 9864 says which curve
_COSE_NUMBERS = [number for name in _ALGORITHMS for number in algorithm(name).cose]
# What our verifier says of each format that it asks for (appendix B.3.4 and B.2.2).
_SUPPORTED: Mapping[str, dict[str, Any]] = {
    SD_JWT_VC: {"sd-jwt_alg_values": _JOSE_NAMES, "kb-jwt_alg_values": _JOSE_NAMES},
    MDOC: {"issuerauth_alg_values": _COSE_NUMBERS, "deviceauth_alg_values": _COSE_NUMBERS},
}


@dataclass(frozen=True, slots=True)
class About:
    """Who asks and what for, as the holder is told: our `verifier_info`.

    `match_code` are two digits that both screens show, so that a holder sees which of them asks.
    """

    name: Text
    purpose: Text
    matter: str
    match_code: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        data = {"name": self.name.to_dict(), "purpose": self.purpose.to_dict(), "matter": self.matter}
        return {**data, "match_code": self.match_code} if self.match_code else data


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a response is encrypted: the verifier's keys (public JWKs) and the content encryptions it takes."""

    keys: tuple[Mapping[str, Any], ...]
    encryptions: tuple[str, ...] = ENCRYPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request of a verifier. `encryption` stands exactly when the mode is direct_post.jwt."""

    client_id: ClientId
    response_uri: str
    nonce: str
    query: Query
    state: str | None = None
    response_mode: ResponseMode = ResponseMode.DIRECT_POST_JWT
    encryption: Encryption | None = None
    transactions: tuple[TransactionData, ...] = ()
    about: About | None = None

    def to_claims(self) -> dict[str, Any]:
        """The claims of the request object, without its times and the wallet's nonce."""
        claims: dict[str, Any] = {
            "aud": STATIC_AUDIENCE,
            "client_id": str(self.client_id),
            "response_type": RESPONSE_TYPE,
            "response_mode": str(self.response_mode),
            "response_uri": self.response_uri,
            "nonce": self.nonce,
            "dcql_query": self.query.to_dict(),
            "client_metadata": self._metadata(),
        }
        if self.state is not None:
            claims["state"] = self.state
        if self.transactions:
            claims["transaction_data"] = [one.encoded for one in self.transactions]
        if self.about:
            claims["verifier_info"] = [{"format": ABOUT_FORMAT, "data": self.about.to_dict()}]
        return claims

    def _metadata(self) -> dict[str, Any]:
        asked = {one.format for one in self.query.credentials}
        formats = {name: said for name, said in _SUPPORTED.items() if name in asked}
        metadata: dict[str, Any] = {"vp_formats_supported": formats or _SUPPORTED}
        if self.encryption:
            metadata["jwks"] = {"keys": [dict(key) for key in self.encryption.keys]}
            metadata["encrypted_response_enc_values_supported"] = list(self.encryption.encryptions)
        return metadata

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], *, allow_http: bool = False) -> AuthorizationRequest:
        """Read the claims of a request object; `RequestRefused` names what is wrong in the protocol's words.

        With `allow_http` a response may go to a loopback address without TLS: for machines under test.
        """
        if claims.get("response_type") != RESPONSE_TYPE:
            raise _refused("5.6: response_type is not vp_token")
        if "redirect_uri" in claims:
            raise _refused("8.2: redirect_uri stands beside response_uri")
        mode = _mode(claims)
        query = _query(claims)
        metadata = _metadata_of(claims, query)
        return cls(
            client_id=_client_id(claims),
            response_uri=_response_uri(claims, allow_http=allow_http),
            nonce=_nonce(claims),
            query=query,
            state=_state(claims, query),
            response_mode=mode,
            encryption=_encryption(metadata) if mode is ResponseMode.DIRECT_POST_JWT else None,
            transactions=_transactions(claims, query),
            about=_about(claims),
        )


def check_url(url: object, *, allow_http: bool = False) -> str:
    """A web address that something may be sent to; `MalformedInput` for any other text."""
    if (
        not isinstance(url, str)
        or len(url) > MAX_URL_CHARACTERS
        or not url.isascii()
        or not url.isprintable()
    ):
        raise MalformedInput("url", "not a web address")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise MalformedInput("url", "not a web address") from exc
    loopback = allow_http and parts.scheme == "http" and host in {"127.0.0.1", "::1", "localhost"}
    if not host or (parts.scheme != "https" and not loopback):
        raise MalformedInput("url", "not an https address")
    if parts.username is not None or parts.password is not None or "#" in url or " " in url or "\\" in url:
        raise MalformedInput("url", "an address with a user, a fragment or a backslash")
    return url


def _client_id(claims: Mapping[str, Any]) -> ClientId:
    try:
        return ClientId.parse(claims.get("client_id"))
    except MalformedInput as exc:
        raise _refused(exc.detail, ErrorCode.INVALID_CLIENT) from exc


def _mode(claims: Mapping[str, Any]) -> ResponseMode:
    mode = claims.get("response_mode")
    if not isinstance(mode, str) or mode not in set(ResponseMode):
        raise _refused("8.2: response_mode is not direct_post or direct_post.jwt")
    return ResponseMode(mode)


def _response_uri(claims: Mapping[str, Any], *, allow_http: bool) -> str:
    try:
        return check_url(claims.get("response_uri"), allow_http=allow_http)
    except MalformedInput as exc:
        raise _refused(f"8.2: response_uri is {exc.detail}") from exc


def _nonce(claims: Mapping[str, Any]) -> str:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not _TOKEN.fullmatch(nonce):
        raise _refused("5.2: nonce is missing, or has characters that are not URL-safe")
    return nonce


def _state(claims: Mapping[str, Any], query: Query) -> str | None:
    state = claims.get("state")
    if state is None and all(one.require_holder_binding for one in query.credentials):
        return None
    if not isinstance(state, str) or not _TOKEN.fullmatch(state):
        raise _refused("5.3: state is missing, or has characters that are not URL-safe")
    return state


def _query(claims: Mapping[str, Any]) -> Query:
    if "scope" in claims:
        error = ErrorCode.INVALID_REQUEST if "dcql_query" in claims else ErrorCode.INVALID_SCOPE
        raise _refused("5.5: scope values are not known here", error)
    try:
        return Query.parse(claims.get("dcql_query"))
    except MalformedInput as exc:
        raise _refused(exc.detail) from exc


def _metadata_of(claims: Mapping[str, Any], query: Query) -> Mapping[str, Any]:
    metadata = claims.get("client_metadata", {})
    if not isinstance(metadata, dict):
        raise _refused("5.1: client_metadata is no object")
    formats = metadata.get("vp_formats_supported", _SUPPORTED)
    asked = {one.format for one in query.credentials}
    if not isinstance(formats, dict) or not _SUPPORTED.keys() & formats.keys() & asked:
        known = " or ".join(_SUPPORTED)
        raise _refused(f"8.5: what is asked for is no {known}", ErrorCode.VP_FORMATS_NOT_SUPPORTED)
    return metadata


def _encryption(metadata: Mapping[str, Any]) -> Encryption:
    """The keys that we can encrypt to; others are passed over, and none left is an error (8.3)."""
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise _refused("8.3: client_metadata has no jwks")
    stated = metadata.get("encrypted_response_enc_values_supported", ["A128GCM"])
    if not isinstance(stated, list):
        raise _refused("5.1: encrypted_response_enc_values_supported is no array")
    usable = tuple(key for key in keys if is_usable(key))
    encryptions = tuple(name for name in ENCRYPTIONS if name in stated)
    if not usable or not encryptions:
        raise _refused("8.3: no key, or no content encryption, that can be used")
    return Encryption(usable, encryptions)


def _transactions(claims: Mapping[str, Any], query: Query) -> tuple[TransactionData, ...]:
    sent = claims.get("transaction_data", [])
    wrong = ErrorCode.INVALID_TRANSACTION_DATA
    if not isinstance(sent, list) or ("transaction_data" in claims and not sent):
        raise _refused("5.1: transaction_data is no array of texts", wrong)
    if len(sent) > MAX_TRANSACTIONS:
        raise _refused(f"over {MAX_TRANSACTIONS} transactions", wrong)
    try:
        found = tuple(TransactionData.parse(item) for item in sent)
    except MalformedInput as exc:
        raise _refused(exc.detail, wrong) from exc
    if any(name not in query for one in found for name in one.credential_ids):
        raise _refused("5.1: transaction_data names a credential that is not asked for", wrong)
    if len({one.hash for one in found}) != len(found):
        raise _refused("5.1: a transaction is repeated", wrong)
    return found


def _about(claims: Mapping[str, Any]) -> About | None:
    """Our `verifier_info`; another verifier's, or none, says nothing that we could show."""
    infos = claims.get("verifier_info", [])
    if not isinstance(infos, list):
        raise _refused("5.11: verifier_info is no array")
    for info in infos[:MAX_KEYS]:
        if isinstance(info, dict) and info.get("format") == ABOUT_FORMAT:
            return _read_about(info.get("data"))
    return None


def _read_about(data: object) -> About:
    if not isinstance(data, dict):
        raise _refused("verifier_info has no data")
    code = data.get("match_code", "")
    if not isinstance(code, str) or (code and not _MATCH_CODE.fullmatch(code)):
        raise _refused("verifier_info: the match code is not two digits")
    return About(_both(data.get("name")), _both(data.get("purpose")), _line(data.get("matter")), code)


def _both(value: object) -> Text:
    if not isinstance(value, dict):
        raise _refused("verifier_info: a text in both languages is missing")
    return Text(_line(value.get("zh")), _line(value.get("en")))


def _line(value: object) -> str:
    """One line of plain text: what a holder reads must not pretend to be more of the consent page."""
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT_CHARACTERS or not value.isprintable():
        raise _refused("verifier_info: a text is missing, or is no plain line")
    return value


def _refused(detail: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> RequestRefused:
    return RequestRefused(error, detail if not detail[:1].isdigit() else f"OpenID4VP, {detail}")

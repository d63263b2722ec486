"""The link or code that opens a wallet: where a verifier's request is found (OpenID4VP 1.0, 5; RFC 9101).

Only a signed request is ever looked at: one that stands in the link (`request`), or one that is fetched
(`request_uri`). Nothing else in the link counts but the `client_id`, which the request must repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.requests import check_url
from credentials.oid4vp.vocabulary import MAX_REQUEST_CHARACTERS, ErrorCode
from signing.jose import dump_json
from wallet.links import read_parameters
from yinxin.base.errors import MalformedInput

MAX_PARAMETERS = 32
# 10: what we tell a verifier that asks by POST; it learns nothing of the holder.
METADATA = {
    "vp_formats_supported": {
        "dc+sd-jwt": {
            "sd-jwt_alg_values": ["ES256", "ES384", "ES512", "EdDSA"],
            "kb-jwt_alg_values": ["ES256"],
        }
    },
    "client_id_prefixes_supported": ["x509_san_dns", "x509_hash"],
    "request_object_signing_alg_values_supported": ["ES256", "ES384"],
    "response_types_supported": ["vp_token"],
    "response_modes_supported": ["direct_post", "direct_post.jwt"],
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that was read. Exactly one of `request` and `request_uri` is there."""

    client_id: str
    request: str | None = None
    request_uri: str | None = None
    by_post: bool = False

    @classmethod
    def parse(cls, link: str, *, allow_http: bool = False) -> Invitation:
        """Read a link, whatever its scheme; `RequestRefused` for one that leads to no signed request."""
        values = _parameters(link)
        try:
            client_id = str(ClientId.parse(values.get("client_id")))
        except MalformedInput as exc:
            raise RequestRefused(ErrorCode.INVALID_CLIENT, exc.detail) from exc
        request, address = values.get("request"), values.get("request_uri")
        if (request is None) == (address is None):
            raise _refused("RFC 9101, 5: a signed request, or where it is, and not both")
        method = values.get("request_uri_method", "get")
        if method not in {"get", "post"} or (request is not None and "request_uri_method" in values):
            raise RequestRefused(
                ErrorCode.INVALID_REQUEST_URI_METHOD, "OpenID4VP, 5.10: request_uri_method is get or post"
            )
        if address is not None:
            try:
                check_url(address, allow_http=allow_http)
            except MalformedInput as exc:
                raise _refused(f"request_uri is {exc.detail}") from exc
        return cls(client_id, request, address, method == "post")

    @staticmethod
    def form(wallet_nonce: str) -> bytes:
        """The body of a POST to the `request_uri` (5.10)."""
        values = {"wallet_nonce": wallet_nonce, "wallet_metadata": dump_json(METADATA).decode()}
        return urlencode(values).encode("ascii")


def _parameters(link: str) -> dict[str, str]:
    try:
        return read_parameters(
            link, what="link", max_characters=MAX_REQUEST_CHARACTERS, max_fields=MAX_PARAMETERS
        )
    except MalformedInput as exc:
        raise _refused(exc.detail) from exc


def _refused(detail: str) -> RequestRefused:
    return RequestRefused(ErrorCode.INVALID_REQUEST, detail)

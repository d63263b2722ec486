"""Names of OpenID4VP 1.0, and its limits here."""

from __future__ import annotations

from enum import StrEnum

REQUEST_TYP = "oauth-authz-req+jwt"
REQUEST_MEDIA_TYPE = "application/oauth-authz-req+jwt"
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
RESPONSE_TYPE = "vp_token"
STATIC_AUDIENCE = "https://self-issued.me/v2"  # 5.8
# Our kind of `verifier_info` (5.11): who asks and what for, in both languages.
ABOUT_FORMAT = "urn:yinxin:verifier-info:1"

MAX_REQUEST_CHARACTERS = 256 * 1024
MAX_RESPONSE_CHARACTERS = 1 << 20
MAX_PRESENTATIONS = 16
MAX_URL_CHARACTERS = 2000
MAX_TEXT_CHARACTERS = 2000


class ResponseMode(StrEnum):
    """How a response travels (8.2, 8.3.1)."""

    DIRECT_POST = "direct_post"
    DIRECT_POST_JWT = "direct_post.jwt"


class ErrorCode(StrEnum):
    """Why a wallet does not answer (8.5, and RFC 6749, 4.1.2.1)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_SCOPE = "invalid_scope"
    ACCESS_DENIED = "access_denied"
    VP_FORMATS_NOT_SUPPORTED = "vp_formats_not_supported"
    INVALID_REQUEST_URI_METHOD = "invalid_request_uri_method"
    INVALID_TRANSACTION_DATA = "invalid_transaction_data"
    WALLET_UNAVAILABLE = "wallet_unavailable"

"""Status List Tokens as they are signed (draft-ietf-oauth-status-list, 5): as a JWT, or as a CWT.

Both say the same; verifying them is the work of `credentials.status_snapshot`, which reads the CWT form by
`read_status_cwt` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.sd_jwt import chain_header
from credentials.vocabulary import (
    CWT_AUDIENCE,
    CWT_EXPIRES,
    CWT_ISSUED,
    CWT_NOT_BEFORE,
    CWT_STATUS_LIST,
    CWT_SUBJECT,
    CWT_TTL,
    STATUS_LIST_CWT_TYP,
    STATUS_LIST_TYP,
)
from signing.cbor import encode
from signing.cbor_any import decode_any
from signing.cose import TYP, X5CHAIN, Sign1, sign1, x5chain
from signing.jose import sign_jws
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from credentials.status_list import StatusList
    from signing.signer import Signer

# As it travels: a list of millions of entries does not compress once many of them differ (TSL, appendix B).
MAX_TOKEN_BYTES = 8 << 20
# What a claim of the CWT is called in the JWT.
_NAMES = {
    CWT_SUBJECT: "sub",
    CWT_AUDIENCE: "aud",
    CWT_NOT_BEFORE: "nbf",
    CWT_ISSUED: "iat",
    CWT_EXPIRES: "exp",
    CWT_TTL: "ttl",
    CWT_STATUS_LIST: "status_list",
}


def sign_status_jwt(  # noqa: PLR0913 - what a token says
    statuses: StatusList, signer: Signer, *, uri: str, at: datetime, ttl: timedelta, lifetime: timedelta
) -> bytes:
    """The JWT form (5.1), with the signer's chain in `x5c`."""
    claims = {**_claims(uri, at, ttl, lifetime), "status_list": statuses.to_claim()}
    headers = {"typ": STATUS_LIST_TYP, **chain_header(signer.chain)}
    return sign_jws(claims, signer, headers=headers).encode("ascii")


def sign_status_cwt(  # noqa: PLR0913 - what a token says
    statuses: StatusList, signer: Signer, *, uri: str, at: datetime, ttl: timedelta, lifetime: timedelta
) -> bytes:
    """The CWT form (5.2): a COSE_Sign1 without the CWT's own tag, with the chain in `x5chain`."""
    numbers = {name: number for number, name in _NAMES.items()}
    claims: dict[int, Any] = {numbers[name]: value for name, value in _claims(uri, at, ttl, lifetime).items()}
    claims[CWT_STATUS_LIST] = statuses.to_cbor()
    sent = tuple(certificate for certificate in signer.chain if not certificate.is_self_issued)
    return sign1(
        encode(claims), signer, protected={TYP: STATUS_LIST_CWT_TYP}, unprotected={X5CHAIN: x5chain(sent)}
    )


def read_status_cwt(data: bytes) -> tuple[Sign1, Mapping[str, Any]]:
    """The message and its claims under their names in the JWT; `MalformedInput` for anything else."""
    message = Sign1.parse(data, max_bytes=MAX_TOKEN_BYTES, any_encoding=True)
    claims = decode_any(message.payload, max_bytes=MAX_TOKEN_BYTES) if message.payload is not None else None
    if not isinstance(claims, dict):
        raise MalformedInput("status list", "TSL 5.2: the claims are no map inside")
    if type(claims.get(CWT_TTL, 1)) is not int:
        raise MalformedInput("status list", "TSL 5.2: ttl is no whole number")
    return message, {_NAMES[key]: value for key, value in claims.items() if key in _NAMES}


def _claims(uri: str, at: datetime, ttl: timedelta, lifetime: timedelta) -> dict[str, Any]:
    issued = int(at.timestamp())
    return {
        "sub": uri,
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "ttl": int(ttl.total_seconds()),
    }

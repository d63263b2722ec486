"""COSE (RFC 9052): signatures over CBOR (`messages`), keys (`keys`) and HMAC (`mac`)."""

from signing.cose.messages import (
    ALG,
    CONTENT_TYPE,
    COSE_ALGORITHMS,
    CRIT,
    CWT_TAG,
    KID,
    SIGN1_TAG,
    TYP,
    X5CHAIN,
    Label,
    Sign1,
    is_in_order,
    read_x5chain,
    sign1,
    x5chain,
)

__all__ = [
    "ALG",
    "CONTENT_TYPE",
    "COSE_ALGORITHMS",
    "CRIT",
    "CWT_TAG",
    "KID",
    "SIGN1_TAG",
    "TYP",
    "X5CHAIN",
    "Label",
    "Sign1",
    "is_in_order",
    "read_x5chain",
    "sign1",
    "x5chain",
]

"""Session transcripts of OpenID4VP 1.0 (B.2.6): what a device signs, so that an answer fits one question.

The bytes of a transcript come out the same for wallet and verifier or the signature fails; nothing of it
travels.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from signing.base64url import decode_base64url
from signing.cbor import ANY_TAG, decode, encode
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from signing.keys import PublicKey


def openid4vp_transcript(
    *, client_id: str, nonce: str, response_uri: str, encryption_key: PublicKey | bytes | None = None
) -> bytes:
    """The transcript of a request by redirect (B.2.6.1), encoded.

    `encryption_key` is the verifier's key that the response is encrypted to, or its thumbprint (RFC 7638,
    SHA-256); None where it is not.
    """
    info = encode([client_id, nonce, _thumbprint(encryption_key), response_uri])
    return encode([None, None, ["OpenID4VPHandover", hashlib.sha256(info).digest()]])


def dc_api_transcript(*, origin: str, nonce: str, encryption_key: PublicKey | bytes | None = None) -> bytes:
    """The transcript of a request through the Digital Credentials API (B.2.6.2), encoded."""
    info = encode([origin, nonce, _thumbprint(encryption_key)])
    return encode([None, None, ["OpenID4VPDCAPIHandover", hashlib.sha256(info).digest()]])


def is_transcript(data: bytes) -> bool:
    """Whether these bytes may be a session's transcript (ISO/IEC 18013-5, 9.1.5.1): an array of three."""
    try:
        value = decode(data, tags=ANY_TAG)
    except MalformedInput:
        return False
    return isinstance(value, list) and len(value) == 3


def _thumbprint(key: PublicKey | bytes | None) -> bytes | None:
    return key if key is None or isinstance(key, bytes) else decode_base64url(key.thumbprint)

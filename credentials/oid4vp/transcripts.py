"""The session transcript that an mdoc answers a request under (OpenID4VP 1.0, B.2.6.1).

Made of the request alone, so that wallet and verifier come to the same bytes or the device's signature fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.mdoc.transcript import openid4vp_transcript
from credentials.oid4vp.vocabulary import ResponseMode
from signing.keys import PublicKey
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from credentials.oid4vp.requests import AuthorizationRequest


def transcript_of(request: AuthorizationRequest) -> bytes:
    """The transcript, encoded; an encrypted response names the key that `responses.answer` encrypts to."""
    return openid4vp_transcript(
        client_id=str(request.client_id),
        nonce=request.nonce,
        response_uri=request.response_uri,
        encryption_key=_encryption_key(request),
    )


def _encryption_key(request: AuthorizationRequest) -> PublicKey | None:
    if request.response_mode is ResponseMode.DIRECT_POST:
        return None
    if request.encryption is None:
        raise UsageError("the request names no key to encrypt to")
    return PublicKey.from_jwk(request.encryption.keys[0])

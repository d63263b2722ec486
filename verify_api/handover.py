"""The caller's own OpenID4VP session that an mdoc was shown in, by what its transcript is made of.

An mdoc's device signs the transcript of a session (OpenID4VP 1.0, B.2.6). Departments that ask wallets with
software of their own say here what their request said. Its nonce is one that this service gave them, so that
a showing counts once, as that of an SD-JWT VC does; and its address is the department's own, for an answer
that was sent to somebody else proves nothing to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from credentials.mdoc import dc_api_transcript, openid4vp_transcript
from credentials.signed_tokens import host_of
from signing.base64url import decode_base64url
from yinxin.base.errors import UsageError


@dataclass(frozen=True, slots=True)
class Handover:
    """A session by redirect (`client_id` and `response_uri`), or through the browser (`origin`).

    `thumbprint` is that of the key that the answer was encrypted to (RFC 7638, SHA-256, in base64url), None
    where it was not.
    """

    client_id: str | None = None
    response_uri: str | None = None
    origin: str | None = None
    thumbprint: str | None = None

    def transcript(self, nonce: str) -> bytes:
        """What the device signed, for a request with this nonce; `UsageError` for no session."""
        key = None if self.thumbprint is None else decode_base64url(self.thumbprint)
        if self.origin is not None and self.client_id is None and self.response_uri is None:
            return dc_api_transcript(origin=self.origin, nonce=nonce, encryption_key=key)
        if self.client_id is None or self.response_uri is None or self.origin is not None:
            raise UsageError("a session has client_id and response_uri, or origin alone")
        return openid4vp_transcript(
            client_id=self.client_id, nonce=nonce, response_uri=self.response_uri, encryption_key=key
        )

    def is_of(self, department: str) -> bool:
        """Whether it is the department's own: sent to the host of its id, or asked under its id."""
        host = host_of(self.origin or self.response_uri or "")
        return self.client_id == department or (host is not None and host == host_of(department))

    def plain(self) -> list[str | None]:
        """As what digests are made of."""
        return [self.client_id, self.response_uri, self.origin, self.thumbprint]

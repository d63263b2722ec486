"""The wallet's messages to a verifier: fetch a request, send an answer.

The connection is handed in, so that only `yinxin.base.outbound` opens any. Redirects are not followed, at
the `request_uri` as little as at the `response_uri` (OpenID4VP 1.0, 14.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.requests import check_url
from credentials.oid4vp.vocabulary import (
    FORM_MEDIA_TYPE,
    MAX_REQUEST_CHARACTERS,
    REQUEST_MEDIA_TYPE,
    ErrorCode,
)
from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, Unreachable
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.oid4vp.request_objects import RequestReader, VerifiedRequest
    from wallet.invitation import Invitation
    from yinxin.base.outbound import Outbound, Response

_MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A form on its way to the verifier."""

    url: str
    form: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The form as it is posted."""
        return urlencode(self.form).encode("ascii")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A request object as it came, with what it must repeat; nothing of it is judged yet."""

    text: str
    client_id: str
    wallet_nonce: str | None = None

    def read(self, reader: RequestReader, *, now: datetime) -> VerifiedRequest:
        """The request, or `RequestRefused`; may be read again later, when the answer may be another."""
        return reader.read(self.text, client_id=self.client_id, now=now, wallet_nonce=self.wallet_nonce)


def fetch_request(
    invitation: Invitation,
    reader: RequestReader,
    outbound: Outbound,
    *,
    now: datetime,
    randomness: Randomness | None = None,
) -> VerifiedRequest:
    """The request behind an invitation, fetched and judged; `RequestRefused` or `Unreachable`."""
    return fetch(invitation, outbound, randomness=randomness).read(reader, now=now)


def fetch(invitation: Invitation, outbound: Outbound, *, randomness: Randomness | None = None) -> Fetched:
    """The request behind an invitation as it came; errors as for `fetch_request`."""
    if invitation.request_uri is None:
        return Fetched(str(invitation.request), invitation.client_id)
    nonce = random_text(randomness or SystemRandomness(), 32) if invitation.by_post else None
    if nonce is None:
        response = outbound.get(
            invitation.request_uri,
            headers={"Accept": REQUEST_MEDIA_TYPE},
            max_bytes=MAX_REQUEST_CHARACTERS,
            follow=False,
        )
    else:
        response = outbound.post(
            invitation.request_uri,
            invitation.form(nonce),
            content_type=FORM_MEDIA_TYPE,
            headers={"Accept": REQUEST_MEDIA_TYPE},
            max_bytes=MAX_REQUEST_CHARACTERS,
        )
    return Fetched(_text_of(response), invitation.client_id, nonce)


def send(reply: Reply, outbound: Outbound, *, allow_http: bool = False) -> str | None:
    """Post an answer; where the holder's browser goes on, if the verifier says so. `Unreachable` for a no."""
    response = outbound.post(reply.url, reply.body, content_type=FORM_MEDIA_TYPE, max_bytes=_MAX_ANSWER_BYTES)
    if response.status != 200:
        raise Unreachable(f"the verifier answered {response.status}")
    try:
        onward = load_json_object(response.body).get("redirect_uri")
        return None if onward is None else check_url(onward, allow_http=allow_http)
    except MalformedInput as exc:
        raise Unreachable("the verifier's answer cannot be read") from exc


def _text_of(response: Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status != 200 or kind != REQUEST_MEDIA_TYPE:
        raise RequestRefused(
            ErrorCode.INVALID_REQUEST, f"no request object at the request_uri (status {response.status})"
        )
    try:
        return response.body.decode("ascii")
    except UnicodeDecodeError as exc:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "no request object at the request_uri") from exc

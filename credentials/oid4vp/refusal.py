"""The wallet's no to a request, in the protocol's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.base.errors import NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.oid4vp.vocabulary import ErrorCode


class RequestRefused(NotPermitted):
    """A presentation request is not in order, or not to be trusted.

    `.error` is the protocol's code. It is for the wallet's own log: nothing is sent to the `response_uri` of
    a request that was refused, because anybody could have written it.
    """

    code = "presentation_request_refused"
    title = Text("出示请求不可接受", "The presentation request is not accepted")

    def __init__(self, error: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.error = error

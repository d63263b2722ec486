"""The one error of this room: a refusal in OAuth's and OpenID4VCI's own words, never a problem document."""

from __future__ import annotations

from yinxin.base.errors import UsageError
from yinxin.base.text import Text

__all__ = ["Refused"]


class Refused(UsageError):
    """A request that is refused.

    `error` is the code that the protocol gives, `detail` the description: ASCII without quotes (RFC 6749,
    5.2), and nothing of what was sent in. `status` 401 means that a token is at fault; `scheme` is then how
    to come back (RFC 6750, 3; RFC 9449, 7.1). `needs_nonce` says that the answer carries a DPoP nonce.
    """

    code = "oid4vci_refused"
    title = Text("凭证申领请求被拒绝", "The credential request is refused")

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        scheme: str | None = None,
        needs_nonce: bool = False,
    ) -> None:
        super().__init__(description)
        self.error = error
        self.status = status
        self.scheme = scheme
        self.needs_nonce = needs_nonce

"""The cookie of a browser that begins a presentation on one device, so that only it comes back to the result.

It is bound to our host (`__Host-`), so that no neighbour can plant one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "__Host-yinxin-presentation"
_LIFE_SECONDS = 900
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_RANDOMNESS = SystemRandomness()


def secret_of(request: Request) -> str | None:
    """The secret in the browser's cookie."""
    value = request.cookies.get(COOKIE)
    return value if value and _SECRET.match(value) else None


def secret_for(request: Request) -> str:
    """The browser's secret, or a new one."""
    return secret_of(request) or random_text(_RANDOMNESS, 32)


def keep_secret(answer: Response, secret: str) -> None:
    """Leave the cookie with an answer.

    Lax: the way back begins at the wallet, as a navigation from elsewhere.
    """
    answer.set_cookie(COOKIE, secret, max_age=_LIFE_SECONDS, secure=True, httponly=True, samesite="lax")

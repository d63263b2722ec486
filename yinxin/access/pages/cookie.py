"""The cookie that carries a session, and who a request is from.

On https its name begins with `__Host-`: no neighbour under the same domain can plant one. On this machine
it ends in the port, since ports do not part cookies (RFC 6265, 8.5) and a wallet and a counter may both stand
here. A request that brings it twice is from nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from yinxin.base.errors import Unauthenticated

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from yinxin.access.accounts import SignedIn
    from yinxin.access.passkeys import Site
    from yinxin.access.service import Access

NAME = "yinxin"


async def visitor(request: Request, access: Access) -> SignedIn | None:
    """Who sent this request; None for nobody we know."""
    token = read_cookie(request, cookie_name(access.site, NAME))
    return await run_in_threadpool(access.signed_in, token) if token else None


async def require_visitor(request: Request, access: Access) -> SignedIn:
    """Who sent this request; `Unauthenticated` for nobody, which leads a page's visitor to `/sign-in`."""
    found = await visitor(request, access)
    if found is None:
        raise Unauthenticated("sign in first")
    return found


def cookie_name(site: Site, name: str) -> str:
    """What a cookie of ours is called here."""
    return f"__Host-{name}" if site.is_secure else f"{name}-{urlsplit(site.origin).port or 80}"


def read_cookie(request: Request, name: str) -> str | None:
    """The one cookie of this name; None when it came twice."""
    parts = ";".join(request.headers.getlist("cookie")).split(";")
    pairs = [part.strip().partition("=") for part in parts]
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else None


def set_cookie(answer: Response, site: Site, name: str, value: str, *, max_age: int | None = None) -> None:
    """Give the browser a cookie that only it and we read."""
    answer.set_cookie(
        cookie_name(site, name),
        value,
        max_age=max_age,
        path="/",
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(answer: Response, site: Site, name: str) -> None:
    """Take a cookie back."""
    answer.delete_cookie(
        cookie_name(site, name), path="/", secure=site.is_secure, httponly=True, samesite="lax"
    )

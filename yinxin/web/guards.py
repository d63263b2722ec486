"""A page's form is answered only when it came from a page of ours: no token to forget, no state to keep.

Browsers say by themselves where a request came from (`Origin`, RFC 6454; `Sec-Fetch-Site`, Fetch Metadata),
and no page can make them lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from starlette.requests import Request


def require_same_origin(request: Request, origin: str) -> None:
    """Raise `NotPermitted` unless the browser says that a page of `origin` sent this.

    `origin` is scheme, host and port as browsers write them, `https://wallet.example`. A request that says
    nothing of where it came from is refused too: no browser of the last ten years sends one.
    """
    origins = request.headers.getlist("origin")
    sites = request.headers.getlist("sec-fetch-site")
    if len(origins) > 1 or len(sites) > 1 or not (origins or sites):
        raise NotPermitted("the request does not say which page it came from")
    if (origins and origins[0] != origin) or (sites and sites[0] != "same-origin"):
        raise NotPermitted("the request came from another site's page")


def local_path(text: str | None, *, otherwise: str = "/") -> str:
    r"""A path on this host to go on to, or `otherwise` for what could lead elsewhere.

    Browsers read `//host`, `/\host` and paths with control characters as other hosts.
    """
    if (
        not text
        or len(text) > 2000
        or not text.startswith("/")
        or text.startswith(("//", "/\\"))
        or "\\" in text
        or not text.isascii()
        or not text.isprintable()
        or " " in text
    ):
        return otherwise
    return text

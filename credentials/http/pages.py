"""The pages that people see while a licence goes to their wallet: an offer, and the holder's sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno

from credentials.oid4vci.clients import form_target
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import Request
    from fastapi.responses import Response

    from credentials.oid4vci.authorization import Asked
    from yinxin.base.text import Text

PAGES = Pages("credentials.http")


def offer_page(request: Request, link: str, names: Iterable[Text], *, has_tx_code: bool) -> Response:
    """The offer as a QR code and as a link."""
    code = segno.make(link, micro=False, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return PAGES.answer(
        request,
        "offer.html",
        headers={"Referrer-Policy": "no-referrer"},  # the address of this page is a secret
        link=link,
        code=code,
        names=list(names),
        has_tx_code=has_tx_code,
    )


def sign_in_page(
    request: Request, asked: Asked, names: Iterable[Text], *, action: str, is_wrong: bool
) -> Response:
    """Who asks for what, and the form that answers: sign in and agree, or refuse."""
    return PAGES.answer(
        request,
        "authorize.html",
        form_targets=(form_target(asked.redirect_uri),),
        asked=asked,
        action=action,
        names=list(names),
        is_wrong=is_wrong,
    )


def problem_page(request: Request) -> Response:
    """A request that leads nowhere; nothing of it is repeated."""
    return PAGES.answer(request, "not_valid.html", status=400)

"""Pages of the licences at hand: the list, one of them, large at a counter, taken out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import segno
from fastapi import Request, Response

from wallet.names import readable
from wallet.pages import views
from yinxin.base.errors import NotFound
from yinxin.web import see_other

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wallet.pages.desk import Desk
    from wallet.wallets import Wallets

MAX_SEARCH = 100


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    wallets = desk.wallets
    sheet = wallets.names.style_sheet().encode()
    tag = f'"{hashlib.sha256(sheet).hexdigest()[:16]}"'

    @routes.get("/")
    async def home(request: Request) -> Response:
        who = await desk.visitor(request)
        search = request.query_params.get("q", "")[:MAX_SEARCH]
        cards = await desk.work(_cards, wallets, who.account.id, search)
        return desk.answer(
            request,
            "licences.html",
            who,
            current="licences",
            cards=cards,
            search=readable(search),
            done=_told(request, "received", "removed"),
        )

    @routes.get("/licences/{ref}")
    async def licence(request: Request, ref: str) -> Response:
        who = await desk.visitor(request)
        found = await desk.work(_licence, wallets, who.account.id, ref)
        done = _told(request, "received", "refreshed")
        return desk.answer(request, "licence.html", who, done=done, error=None, **found)

    @routes.get("/licences/{ref}/show")
    async def show(request: Request, ref: str) -> Response:
        who = await desk.visitor(request)
        found = await desk.work(_licence, wallets, who.account.id, ref)
        code = found["card"].identifier
        return desk.answer(
            request,
            "show.html",
            who,
            code=segno.make(code, error="m", micro=False).svg_data_uri(scale=6, border=4) if code else "",
            **found,
        )

    @routes.get("/licences/{ref}/remove")
    async def ask_removal(request: Request, ref: str) -> Response:
        who = await desk.visitor(request)
        found = await desk.work(_licence, wallets, who.account.id, ref)
        return desk.answer(request, "remove.html", who, **found)

    @routes.post("/licences/{ref}/remove")
    async def remove(request: Request, ref: str) -> Response:
        who = await desk.sender(request)
        await desk.work(_remove, wallets, who.account.id, ref)
        return see_other("/?done=removed")

    @routes.get("/kinds.css")
    async def kinds(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(sheet, media_type="text/css; charset=utf-8", headers=headers)


def _cards(wallets: Wallets, account: str, search: str) -> list[views.Card]:
    try:
        return views.cards(wallets, wallets.find(account), search)
    except NotFound:  # nothing was ever put into it
        return []


def _licence(wallets: Wallets, account: str, ref: str) -> dict[str, Any]:
    wallet = wallets.find(account)
    return views.licence_page(wallets, wallet, views.find_licence(wallet, ref))


def _remove(wallets: Wallets, account: str, ref: str) -> None:
    wallet = wallets.find(account)
    wallet.holder.remove(views.find_licence(wallet, ref).id)


def _told(request: Request, *known: str) -> str:
    """What the page before did, as its address says."""
    told = request.query_params.get("done", "")
    return told if told in known else ""

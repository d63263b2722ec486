"""Receiving licences: look at an offer, decide, type the code that goes with it; and fetching new copies.

Opening a link only says what it is; the offer is fetched when the holder goes on, and its code is spent when
the holder accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response  # noqa: TC002 - FastAPI reads the annotations

from wallet.links import Task, task_of
from wallet.pages import views
from wallet.pages.presenting import link_of
from yinxin.base.errors import YinxinError
from yinxin.web import see_other

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wallet.accepting import Attempt
    from wallet.pages.desk import Desk
    from wallet.wallets import Wallets

CALLBACK = "/receive/callback"


def add(routes: APIRouter, desk: Desk) -> None:  # noqa: C901 - one small function for each page
    """The routes."""
    wallets = desk.wallets

    @routes.get("/receive")
    async def open_link(request: Request) -> Response:
        who = await desk.visitor(request)
        return desk.link_page(request, "receive", who, link=link_of(request))

    @routes.post("/receive")
    async def look(request: Request) -> Response:
        who = await desk.sender(request)
        link = (await desk.form(request)).get("link", "").strip()
        if task_of(link) is Task.PRESENT:  # a code was scanned on the wrong page
            return see_other(f"/present?{urlencode({'link': link})}")
        try:
            name = await desk.work(lambda: wallets.open(who.account.id).accepting.look(link))
        except YinxinError as error:
            return desk.link_page(request, "receive", who, error=error)
        return see_other(f"/receive/{name}")

    @routes.get(CALLBACK)
    async def come_back(request: Request) -> Response:
        who = await desk.visitor(request)
        return desk.answer(request, "returned.html", who, current="receive", query=request.url.query)

    @routes.post(CALLBACK)
    async def finish(request: Request) -> Response:
        who = await desk.sender(request)
        query = (await desk.form(request)).get("query", "")
        held = await desk.work(
            lambda: wallets.find(who.account.id).accepting.finish_sign_in(f"{desk.origin}{CALLBACK}?{query}")
        )
        return see_other(f"/licences/{views.ref_of(held[0].id)}?done=received" if held else "/")

    @routes.get("/receive/{name}")
    async def consent(request: Request, name: str) -> Response:
        who = await desk.visitor(request)
        offer = await desk.work(lambda: wallets.find(who.account.id).accepting.offer(name))
        host = urlsplit(offer.issuer).netloc
        return desk.answer(request, "offer.html", who, current="receive", offer=offer, host=host)

    @routes.post("/receive/{name}")
    async def accept(request: Request, name: str) -> Response:
        who = await desk.sender(request)
        form = await desk.form(request)
        attempt = await desk.work(_accept, wallets, who.account.id, name, form.get("tx_code"))
        if attempt.again:
            return see_other(f"/receive/{attempt.again}")
        (first, *others) = attempt.licences
        return see_other("/?done=received" if others else f"/licences/{views.ref_of(first.id)}?done=received")

    @routes.post("/receive/{name}/sign-in")
    async def sign_in(request: Request, name: str) -> Response:
        who = await desk.sender(request)
        redirect_uri = f"{desk.origin}{CALLBACK}"
        url = await desk.work(
            lambda: wallets.find(who.account.id).accepting.begin_sign_in(name, redirect_uri=redirect_uri)
        )
        host = urlsplit(url).netloc
        return desk.answer(request, "onward.html", who, current="receive", url=url, host=host)

    @routes.post("/licences/{ref}/refresh")
    async def refresh(request: Request, ref: str) -> Response:
        who = await desk.sender(request)
        try:
            await desk.work(_refresh, wallets, who.account.id, ref)
        except YinxinError as error:
            found = await desk.work(_licence, wallets, who.account.id, ref)
            status = desk.status_of(error)
            return desk.answer(
                request, "licence.html", who, status=status, error=desk.trouble(error), done="", **found
            )
        return see_other(f"/licences/{ref}?done=refreshed")


def _accept(wallets: Wallets, account: str, name: str, tx_code: str | None) -> Attempt:
    return wallets.find(account).accepting.accept(name, tx_code=tx_code)


def _refresh(wallets: Wallets, account: str, ref: str) -> None:
    wallet = wallets.find(account)
    wallet.receiving.refresh(views.find_licence(wallet, ref).id)


def _licence(wallets: Wallets, account: str, ref: str) -> dict[str, Any]:
    wallet = wallets.find(account)
    return views.licence_page(wallets, wallet, views.find_licence(wallet, ref))

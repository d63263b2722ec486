"""Showing licences to who asks: look at the request, decide, see how it went.

Opening a link only says what it is; the request is fetched when the holder goes on, and answered when the
holder agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response  # noqa: TC002 - FastAPI reads the annotations

from wallet.links import Task, task_of
from wallet.pages import views
from yinxin.base.errors import Conflict, MalformedInput, YinxinError
from yinxin.web import see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from wallet.pages.desk import Desk
    from wallet.presenting import Outcome
    from wallet.wallets import Wallet, Wallets

_CHOICE = "choice-"


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    wallets = desk.wallets

    @routes.get("/present")
    async def open_link(request: Request) -> Response:
        who = await desk.visitor(request)
        return desk.link_page(request, "present", who, link=link_of(request))

    @routes.post("/present")
    async def look(request: Request) -> Response:
        who = await desk.sender(request)
        link = (await desk.form(request)).get("link", "").strip()
        if task_of(link) is Task.RECEIVE:  # a code was scanned on the wrong page
            return see_other(f"/receive?{urlencode({'link': link})}")
        try:
            name = await desk.work(lambda: wallets.open(who.account.id).presenting.look(link))
        except YinxinError as error:
            return desk.link_page(request, "present", who, error=error)
        return see_other(f"/present/{name}")

    @routes.get("/present/{name}")
    async def consent(request: Request, name: str) -> Response:
        who = await desk.visitor(request)
        wishes = dict(request.query_params)
        found = await desk.work(_question, wallets, who.account.id, name, wishes)
        return desk.answer(request, "consent.html", who, current="present", **found)

    @routes.post("/present/{name}")
    async def decide(request: Request, name: str) -> Response:
        who = await desk.sender(request)
        form = await desk.form(request)
        try:
            result = await desk.work(_decide, wallets, who.account.id, name, form)
        except Conflict:  # it changed under the holder's eyes: ask again
            kept = {key: value for key, value in form.items() if key.startswith(_CHOICE) or key == "optional"}
            return see_other(f"/present/{name}?{urlencode({**kept, 'changed': '1'})}")
        return see_other(f"/presented/{result}")

    @routes.get("/presented/{name}")
    async def outcome(request: Request, name: str) -> Response:
        who = await desk.visitor(request)
        found = await desk.work(_outcome, wallets, who.account.id, name)
        host = urlsplit(found.onward).netloc if found.onward else ""
        return desk.answer(request, "presented.html", who, current="present", outcome=found, host=host)


def link_of(request: Request) -> str:
    """The link that opened a page: handed on as a whole, or as the parameters of the page's own address."""
    whole = request.query_params.get("link")
    if whole is not None:
        return whole.strip()
    link = f"wallet:?{request.url.query}"
    return link if task_of(link) else ""


def _question(wallets: Wallets, account: str, name: str, wishes: Mapping[str, str]) -> dict[str, Any]:
    wallet = wallets.find(account)
    optional = wishes.get("optional") == "1"
    choices = _choices(wallet, wishes)
    asked = wallet.presenting.question(name, choices=choices, optional=optional)
    request = asked.verified.request
    query = request.query
    types = [kind for one in query.credentials for kind in one.types]
    return {
        "asked": asked,
        "about": request.about,
        "answer_to": urlsplit(request.response_uri).netloc,
        "parts": views.parts(wallets, wallet, asked),
        "certificate": views.identity_of(asked.verified.certificate),
        "ends": views.age_of(asked.expires_at, wallets.clock.now()) if asked.expires_at else None,
        "optional": optional,
        "has_optional": any(not one.required for one in query.credential_sets or ()),
        # A kind that may be shown in several forms is named once.
        "kinds": list(dict.fromkeys(map(wallets.names.title, types))),
        "changed": wishes.get("changed") == "1",
    }


def _decide(wallets: Wallets, account: str, name: str, form: Mapping[str, str]) -> str:
    wallet = wallets.find(account)
    decision = form.get("decision")
    if decision == "refuse":
        return wallet.presenting.refuse(name)
    if decision != "agree":
        raise MalformedInput("form", "the form says neither yes nor no")
    return wallet.presenting.agree(
        name,
        agreed=form.get("agreed", ""),
        choices=_choices(wallet, form),
        optional=form.get("optional") == "1",
    )


def _outcome(wallets: Wallets, account: str, name: str) -> Outcome:
    return wallets.find(account).presenting.outcome(name)


def _choices(wallet: Wallet, values: Mapping[str, str]) -> dict[str, str]:
    """Which licence is to answer which query; what names no licence of this wallet is passed over."""
    wanted = {key.removeprefix(_CHOICE): ref for key, ref in values.items() if key.startswith(_CHOICE)}
    if not wanted:
        return {}
    by_ref = {views.ref_of(one.id): one.id for one in wallet.holder.licences()}
    return {query: by_ref[ref] for query, ref in wanted.items() if ref in by_ref}

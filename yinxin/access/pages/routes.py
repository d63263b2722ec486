"""The routes of sign-in: each reads, asks `Access` and writes; none decides.

What the script sends is JSON; forms and script alike are answered only when they come from our own pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from yinxin.access.openid.provider import Identity
from yinxin.access.pages import cookie
from yinxin.access.service import CALLBACK_PATH
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.clock import CHINA
from yinxin.base.errors import MalformedInput, Unauthenticated
from yinxin.web.bodies import parse_form, read_form, read_json
from yinxin.web.guards import local_path, require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.language import language_of
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.access.accounts import Entered
    from yinxin.access.service import Access

SIGN_IN_LIMIT, ENROLMENT_LIMIT = Limit("sign-in", 60, 60), Limit("enrolment", 60, 30)
REGISTRATION_LIMIT = Limit("registration", 60, 60)  # no code to guess, and many citizens behind one address
MAX_BYTES = 64 * 1024
OPENID_COOKIE, OPENID_SECONDS = "yinxin-openid", 600
PAGES = Pages("yinxin.access.pages")


def router(access: Access, *, start: str = "/") -> APIRouter:
    """The pages of sign-in. `start` is where people go who were on the way to nowhere else."""
    routes = PAGES.router()
    desk = _Desk(access, start)
    _add_sign_in(routes, desk)
    _add_registration(routes, desk)
    _add_account(routes, desk)
    if access.openid:
        _add_openid(routes, desk)
    routes.include_router(PAGES.static_routes())
    return routes


def script_address() -> str:
    """Where the script lies that talks to authenticators; `router` serves it."""
    return PAGES.static("passkeys.js")


class _Desk:
    """What every route needs: the service, the limits, and the guard."""

    def __init__(self, access: Access, start: str) -> None:
        self.access, self.start = access, start
        self._sign_ins = Buckets(SIGN_IN_LIMIT)
        self._enrolments = Buckets(REGISTRATION_LIMIT if access.is_open else ENROLMENT_LIMIT)

    def guard(self, request: Request) -> None:
        require_same_origin(request, self.access.site.origin)

    def count(self, request: Request, *, enrolment: bool = False) -> None:
        buckets = self._enrolments if enrolment else self._sign_ins
        buckets.take(caller_of(request.client.host if request.client else ""), now=self.access.clock.now())

    async def read(self, request: Request, *, enrolment: bool = False) -> dict[str, Any]:
        """What the page's script sent."""
        self.guard(request)
        self.count(request, enrolment=enrolment)
        return await read_json(request, limit=MAX_BYTES)

    async def let_in(self, request: Request, entered: Entered, answer: Response) -> Response:
        """Give the fresh cookie; a session that this browser had before ends."""
        old = cookie.read_cookie(request, cookie.cookie_name(self.access.site, cookie.NAME))
        await run_in_threadpool(self.access.sign_out, old)
        cookie.set_cookie(answer, self.access.site, cookie.NAME, entered.token)
        return answer

    def onward(self, path: str | None) -> Response:
        """Tell the script where to go."""
        return _json({"next": local_path(path, otherwise=self.start)})


def _add_sign_in(routes: APIRouter, desk: _Desk) -> None:
    access = desk.access

    @routes.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        onward = local_path(request.query_params.get("next"), otherwise=desk.start)
        if await cookie.visitor(request, access):
            return see_other(onward)
        return PAGES.answer(request, "sign_in.html", access=access, next=onward)

    @routes.post("/sign-in/begin")
    async def begin(request: Request) -> Response:
        await desk.read(request)
        return _json(access.begin_sign_in())

    @routes.post("/sign-in/finish")
    async def finish(request: Request) -> Response:
        sent = await desk.read(request)
        entered = await run_in_threadpool(access.finish_sign_in, _answer_of(sent))
        return await desk.let_in(request, entered, desk.onward(_text(sent, "next")))

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        desk.guard(request)
        token = cookie.read_cookie(request, cookie.cookie_name(access.site, cookie.NAME))
        await run_in_threadpool(access.sign_out, token)
        answer = see_other("/sign-in")
        cookie.drop_cookie(answer, access.site, cookie.NAME)
        return answer


def _add_openid(routes: APIRouter, desk: _Desk) -> None:
    access = desk.access

    @routes.get("/sign-in/openid")
    async def begin(request: Request) -> Response:
        desk.count(request)
        onward = local_path(request.query_params.get("next"), otherwise=desk.start)
        language = language_of(request)
        url, carried = await run_in_threadpool(lambda: access.begin_openid(onward, language=language))
        answer = see_other(url)
        cookie.set_cookie(answer, access.site, OPENID_COOKIE, carried, max_age=OPENID_SECONDS)
        return answer

    @routes.get(CALLBACK_PATH)
    async def come_back(request: Request) -> Response:
        desk.count(request)
        carried = cookie.read_cookie(request, cookie.cookie_name(access.site, OPENID_COOKIE))
        try:
            query = parse_form(request.url.query.encode())
            found, onward = await run_in_threadpool(access.finish_openid, query, carried)
        except (Unauthenticated, MalformedInput):
            return _left(desk, PAGES.answer(request, "openid_refused.html", status=403, access=access))
        if isinstance(found, Identity):
            page = PAGES.answer(request, "openid_unknown.html", status=403, access=access, identity=found)
            return _left(desk, page)
        answer = _left(desk, see_other(local_path(onward, otherwise=desk.start)))
        return await desk.let_in(request, found, answer)


def _left(desk: _Desk, answer: Response) -> Response:
    """The answer, and nothing carried any more."""
    cookie.drop_cookie(answer, desk.access.site, OPENID_COOKIE)
    return answer


def _add_registration(routes: APIRouter, desk: _Desk) -> None:
    access = desk.access

    @routes.get("/register")
    async def register(request: Request) -> Response:
        onward = local_path(request.query_params.get("next"), otherwise=desk.start)
        return PAGES.answer(request, "register.html", access=access, next=onward)

    @routes.post("/register/begin")
    async def begin(request: Request) -> Response:
        sent = await desk.read(request, enrolment=True)
        asked = await run_in_threadpool(
            lambda: access.begin_registration(code=_text(sent, "code"), name=_text(sent, "name"))
        )
        return _json(asked)

    @routes.post("/register/finish")
    async def finish(request: Request) -> Response:
        sent = await desk.read(request, enrolment=True)
        entered = await run_in_threadpool(
            lambda: access.finish_registration(
                _answer_of(sent), code=_text(sent, "code"), user=_text(sent, "user"), name=_text(sent, "name")
            )
        )
        return await desk.let_in(request, entered, desk.onward(_text(sent, "next")))


def _add_account(routes: APIRouter, desk: _Desk) -> None:
    access = desk.access

    @routes.get("/account")
    async def account(request: Request) -> Response:
        signed_in = await cookie.require_visitor(request, access)
        passkeys = await run_in_threadpool(access.passkeys, signed_in)
        return PAGES.answer(
            request,
            "account.html",
            access=access,
            signed_in=signed_in,
            passkeys=passkeys,
            china=CHINA,
            next="/account",
        )

    @routes.post("/account/passkeys/begin")
    async def begin(request: Request) -> Response:
        await desk.read(request)
        signed_in = await cookie.require_visitor(request, access)
        return _json(await run_in_threadpool(lambda: access.begin_registration(signed_in=signed_in)))

    @routes.post("/account/passkeys/finish")
    async def finish(request: Request) -> Response:
        sent = await desk.read(request)
        signed_in = await cookie.require_visitor(request, access)
        entered = await run_in_threadpool(
            lambda: access.finish_registration(_answer_of(sent), signed_in=signed_in)
        )
        return await desk.let_in(request, entered, desk.onward("/account"))

    @routes.post("/account/passkeys/remove")
    async def remove(request: Request) -> Response:
        desk.guard(request)
        signed_in = await cookie.require_visitor(request, access)
        form = await read_form(request, limit=MAX_BYTES)
        await run_in_threadpool(lambda: access.remove_passkey(form.get("passkey", ""), signed_in=signed_in))
        return see_other("/account")


def _json(body: Mapping[str, Any]) -> JSONResponse:
    return JSONResponse(dict(body), headers=page_headers())


def _answer_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    found = sent.get("answer")
    if not isinstance(found, dict):
        raise MalformedInput("passkey", "no answer of an authenticator")
    return found


def _text(sent: Mapping[str, Any], name: str) -> str | None:
    found = sent.get(name)
    if found is not None and not isinstance(found, str):
        raise MalformedInput("json", f"{name} is no text")
    return found

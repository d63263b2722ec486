"""The routes of the pages: each reads, asks the service and shows; none decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.gate import CLERK
from credentials.licence import CHINA
from credentials.sources.corrections.routing import STATE_NAMES, RequestState
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.web.bodies import read_form
from yinxin.web.guards import require_same_origin
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.sources.corrections.service import Corrections

PAGES = Pages("credentials.sources.pages")
HOME = "/office/corrections"
MAX_FORM_BYTES = 32 * 1024
Enter = Callable[[Request], Awaitable[SignedIn]]


def router(corrections: Corrections, *, enter: Enter, origin: str) -> APIRouter:
    """The pages of one agency's queue."""
    routes = PAGES.router()

    async def come(request: Request) -> SignedIn:
        if request.method != "GET":
            require_same_origin(request, origin)
        return await enter(request)

    _add_queue(routes, corrections, come)
    _add_one(routes, corrections, come)
    routes.include_router(PAGES.static_routes())
    return routes


def _add_queue(routes: APIRouter, corrections: Corrections, come: Enter) -> None:
    @routes.get(HOME)
    async def queue(request: Request, state: RequestState = RequestState.OPEN) -> Response:
        return await _queue(request, corrections, await come(request), state=state)

    @routes.post(HOME)
    async def ask(request: Request) -> Response:
        signed_in = await come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        licence, field, words = (form.get(name, "").strip() for name in ("licence", "field", "words"))
        try:
            asked, _ = await run_in_threadpool(
                lambda: corrections.ask(licence, field, words=words, actor=signed_in.actor)
            )
        except (NotFound, UsageError) as wrong:
            return await _queue(request, corrections, signed_in, typed=form, wrong=wrong)
        return see_other(f"{HOME}/{asked.id}")


def _add_one(routes: APIRouter, corrections: Corrections, come: Enter) -> None:
    @routes.get(HOME + "/{request_id}")
    async def one(request: Request, request_id: str) -> Response:
        return await _one(request, corrections, await come(request), request_id)

    @routes.post(HOME + "/{request_id}/{step}")
    async def decide(request: Request, request_id: str, step: str) -> Response:
        signed_in = await come(request)
        form, actor = await read_form(request, limit=MAX_FORM_BYTES), signed_in.actor
        steps = {
            "settle": lambda: corrections.settle(request_id, case=form.get("case", ""), actor=actor),
            "refuse": lambda: corrections.refuse(request_id, note=form.get("note", ""), actor=actor),
        }
        if step not in steps:
            raise NotFound("no such step")
        try:
            await run_in_threadpool(steps[step])
        except (Conflict, UsageError) as wrong:
            return await _one(request, corrections, signed_in, request_id, wrong=wrong)
        return see_other(f"{HOME}/{request_id}")


async def _queue(  # noqa: PLR0913 - what one page shows
    request: Request,
    corrections: Corrections,
    signed_in: SignedIn,
    *,
    state: RequestState = RequestState.OPEN,
    typed: Mapping[str, str] | None = None,
    wrong: Exception | None = None,
) -> Response:
    found = await run_in_threadpool(lambda: corrections.waiting(actor=signed_in.actor, state=state))
    return PAGES.answer(
        request,
        "corrections.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        found=found,
        state=state,
        states=STATE_NAMES,
        may_ask=CLERK in signed_in.actor.roles,
        typed=typed or {},
        wrong=wrong,
        china=CHINA,
    )


async def _one(
    request: Request,
    corrections: Corrections,
    signed_in: SignedIn,
    request_id: str,
    *,
    wrong: Exception | None = None,
) -> Response:
    found, route = await run_in_threadpool(lambda: corrections.one(request_id, actor=signed_in.actor))
    status = 200 if wrong is None else 409 if isinstance(wrong, Conflict) else 422
    return PAGES.answer(
        request,
        "correction.html",
        status=status,
        signed_in=signed_in,
        asked=found,
        route=route,
        slip=corrections.slip_of(found),
        state=STATE_NAMES[found.state],
        decides=found.state is RequestState.OPEN and CLERK in signed_in.actor.roles,
        wrong=wrong,
        china=CHINA,
    )

"""What an agency's clerks see: the disputes that wait for an answer, and each one with its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.office.disputes.dispute import KIND_NAMES, STATE_NAMES, STEPS
from credentials.office.disputes.pages.rooms import PAGES
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import NotFound
from yinxin.web.bodies import read_form
from yinxin.web.guards import require_same_origin
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from credentials.office.disputes.dispute import Dispute
    from credentials.office.disputes.service import Disputes
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock

Enter = Callable[[Request], Awaitable[SignedIn]]
MAX_FORM_BYTES = 64 * 1024
CLERK = "clerk"


def office_router(disputes: Disputes, *, enter: Enter, origin: str, clock: Clock) -> APIRouter:
    """The clerks' pages."""
    routes = PAGES.router()

    async def come(request: Request) -> SignedIn:
        if request.method != "GET":
            require_same_origin(request, origin)
        return await enter(request)

    @routes.get("/office/disputes")
    async def waiting(request: Request) -> Response:
        signed_in = await come(request)
        actor = signed_in.actor
        found = await run_in_threadpool(disputes.waiting, actor.agency or "", actor=actor)
        rows = [(one, one.is_overdue(clock.now())) for one in found]
        return PAGES.answer(
            request,
            "disputes.html",
            signed_in=signed_in,
            rows=rows,
            kinds=KIND_NAMES,
            states=STATE_NAMES,
            china=CHINA,
        )

    @routes.get("/office/disputes/{number}")
    async def one(request: Request, number: str) -> Response:
        signed_in = await come(request)
        found = await run_in_threadpool(disputes.one, number, actor=signed_in.actor)
        return _page(request, signed_in, found, is_overdue=found.is_overdue(clock.now()))

    @routes.post("/office/disputes/{number}/{step}")
    async def take(request: Request, number: str, step: str) -> Response:
        signed_in = await come(request)
        sent = await read_form(request, limit=MAX_FORM_BYTES)
        await run_in_threadpool(_take, disputes, number, step, sent, signed_in.actor)
        return see_other(f"/office/disputes/{number}")

    routes.include_router(PAGES.static_routes())
    return routes


def _take(disputes: Disputes, number: str, step: str, sent: dict[str, str], actor: Actor) -> None:
    words = sent.get("words", "")
    if step == "link":
        disputes.link(number, sent.get("case", "").strip()[:64], actor=actor)
    elif step == "correct":
        disputes.correct(number, words=words, actor=actor)
    elif step in STEPS:
        disputes.answer(number, step, words=words, actor=actor)
    else:
        raise NotFound("no such step")


def _page(request: Request, signed_in: SignedIn, dispute: Dispute, *, is_overdue: bool) -> Response:
    is_clerk = CLERK in signed_in.actor.roles
    steps = [name for name, (before, _) in STEPS.items() if is_clerk and dispute.state in before]
    return PAGES.answer(
        request,
        "dispute.html",
        signed_in=signed_in,
        dispute=dispute,
        kind=KIND_NAMES[dispute.kind],
        states=STATE_NAMES,
        steps=[name for name in steps if name != "correct" or dispute.case_id],
        may_link="correct" in steps,
        is_overdue=is_overdue,
        china=CHINA,
    )

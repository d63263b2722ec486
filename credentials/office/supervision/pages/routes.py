"""The routes of supervision's pages: first a reason, then what it allows to look up.

What is sought is sent in a form and stands in no address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.office.supervision.findings import STATE_NAMES, FindingState
from credentials.office.supervision.service import By, Search
from credentials.office.supervision.showing import FEW, action_text, counts_csv
from yinxin.access.accounts import SignedIn
from yinxin.base.audit.bundle import Bundle
from yinxin.base.errors import UsageError
from yinxin.web.bodies import read_choices, read_form
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from credentials.office.supervision.repository import Inspection
    from credentials.office.supervision.service import Supervision

PAGES = Pages("credentials.office.supervision.pages")
Enter = Callable[[Request], Awaitable[SignedIn]]
MAX_FORM_BYTES = 64 * 1024
HOME = "/office/supervision"
_STATES = (FindingState.OPEN, FindingState.EXPLAINED)


def router(supervision: Supervision, *, enter: Enter, origin: str, log_key: str) -> APIRouter:
    """The pages; `log_key` is the key that the log's checkpoints are verified with."""
    routes = PAGES.router()
    room = _Room(supervision, enter, origin, log_key)
    _add_reason(routes, room)
    _add_search(routes, room)
    _add_findings(routes, room)
    _add_explaining(routes, room)
    routes.include_router(PAGES.static_routes())
    return routes


class _Room:
    """What every route needs."""

    def __init__(self, supervision: Supervision, enter: Enter, origin: str, log_key: str) -> None:
        self.supervision, self.log_key = supervision, log_key
        self._enter, self._origin = enter, origin
        self.rules = {rule.id: rule for rule in supervision.rules}

    async def come(self, request: Request) -> SignedIn:
        """Who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self._origin)
        return await self._enter(request)

    def answer(self, request: Request, template: str, signed_in: SignedIn, **values: Any) -> Response:
        """A page with what all of them show."""
        return PAGES.answer(
            request,
            template,
            signed_in=signed_in,
            china=CHINA,
            rules=self.rules,
            states=STATE_NAMES,
            action=action_text,
            **values,
        )


def _add_reason(routes: APIRouter, room: _Room) -> None:
    supervision = room.supervision

    @routes.get(HOME)
    async def reason(request: Request) -> Response:
        signed_in = await room.come(request)
        scope = await run_in_threadpool(supervision.scope, signed_in.actor)
        return room.answer(request, "reason.html", signed_in, scope=sorted(scope))

    @routes.post(HOME)
    async def begin(request: Request) -> Response:
        signed_in = await room.come(request)
        sent = await read_form(request, limit=MAX_FORM_BYTES)
        matter, words = sent.get("matter", ""), sent.get("words", "")
        begun = await run_in_threadpool(supervision.begin, matter=matter, words=words, actor=signed_in.actor)
        return see_other(f"{HOME}/{begun.id}")

    @routes.get(f"{HOME}/counts")
    async def counts(request: Request, month: str = "") -> Response:
        signed_in = await room.come(request)
        rows = await run_in_threadpool(supervision.counts, month, actor=signed_in.actor) if month else []
        if request.query_params.get("format") == "csv":
            headers = {**page_headers(), "Content-Disposition": 'attachment; filename="counts.csv"'}
            return Response(counts_csv(month, rows), 200, headers, "text/csv; charset=utf-8")
        return room.answer(request, "counts.html", signed_in, rows=rows, month=month[:7], few=FEW)


def _add_search(routes: APIRouter, room: _Room) -> None:
    supervision = room.supervision

    def page(
        request: Request, signed_in: SignedIn, inspection: Inspection, sought: Search | None, found: Any
    ) -> Response:
        names = {"inspection": inspection, "sought": sought, "found": found, "kinds": list(By)}
        return room.answer(request, "search.html", signed_in, **names)

    @routes.get(HOME + "/{inspection_id}")
    async def form(request: Request, inspection_id: str) -> Response:
        signed_in = await room.come(request)
        found = await run_in_threadpool(supervision.inspection, inspection_id, actor=signed_in.actor)
        return page(request, signed_in, found, None, None)

    @routes.post(HOME + "/{inspection_id}")
    async def search(request: Request, inspection_id: str) -> Response:
        signed_in = await room.come(request)
        actor = signed_in.actor
        sought = _search(await read_form(request, limit=MAX_FORM_BYTES))
        inspection = await run_in_threadpool(supervision.inspection, inspection_id, actor=actor)
        found = await run_in_threadpool(supervision.search, inspection_id, sought, actor=actor)
        return page(request, signed_in, inspection, sought, found)

    @routes.post(HOME + "/{inspection_id}/proofs")
    async def proofs(request: Request, inspection_id: str) -> Response:
        signed_in = await room.come(request)
        entries = (await read_choices(request, limit=MAX_FORM_BYTES)).get("entry", [])
        proven = await run_in_threadpool(supervision.prove, inspection_id, entries, actor=signed_in.actor)
        headers = {**page_headers(), "Content-Disposition": 'attachment; filename="proofs.json"'}
        return Response(Bundle.of(room.log_key, proven).to_text(), 200, headers, "application/json")


def _add_findings(routes: APIRouter, room: _Room) -> None:
    supervision = room.supervision

    @routes.get(HOME + "/{inspection_id}/findings")
    async def findings(request: Request, inspection_id: str) -> Response:
        signed_in = await room.come(request)
        actor, with_closed = signed_in.actor, "closed" in request.query_params
        states = tuple(FindingState) if with_closed else _STATES
        found = await run_in_threadpool(supervision.findings, inspection_id, actor=actor, states=states)
        return room.answer(
            request,
            "findings.html",
            signed_in,
            inspection_id=inspection_id,
            rows=found,
            with_closed=with_closed,
        )

    @routes.get(HOME + "/{inspection_id}/findings/{finding_id}")
    async def finding(request: Request, inspection_id: str, finding_id: str) -> Response:
        signed_in = await room.come(request)
        found, told = await run_in_threadpool(
            supervision.finding, inspection_id, finding_id, actor=signed_in.actor
        )
        return room.answer(
            request, "finding.html", signed_in, inspection_id=inspection_id, finding=found, told=told
        )

    @routes.post(HOME + "/{inspection_id}/findings/{finding_id}")
    async def close(request: Request, inspection_id: str, finding_id: str) -> Response:
        signed_in = await room.come(request)
        words = (await read_form(request, limit=MAX_FORM_BYTES)).get("words", "")
        await run_in_threadpool(
            supervision.close, inspection_id, finding_id, words=words, actor=signed_in.actor
        )
        return see_other(f"{HOME}/{inspection_id}/findings/{finding_id}")


def _add_explaining(routes: APIRouter, room: _Room) -> None:
    supervision = room.supervision

    @routes.get("/office/findings/{finding_id}")
    async def explained(request: Request, finding_id: str) -> Response:
        signed_in = await room.come(request)
        found = await run_in_threadpool(supervision.explained, finding_id, actor=signed_in.actor)
        return room.answer(request, "explain.html", signed_in, finding=found)

    @routes.post("/office/findings/{finding_id}")
    async def explain(request: Request, finding_id: str) -> Response:
        signed_in = await room.come(request)
        words = (await read_form(request, limit=MAX_FORM_BYTES)).get("words", "")
        await run_in_threadpool(supervision.explain, finding_id, words=words, actor=signed_in.actor)
        return see_other(f"/office/findings/{finding_id}")


def _search(sent: dict[str, str]) -> Search:
    by, after = sent.get("by", ""), sent.get("after", "-1")
    if by not in set(By):
        raise UsageError("one searches by case, officer, holder, seal or licence")
    if not after.lstrip("-").isdecimal() or len(after) > 18:
        raise UsageError("a page begins after a log index")
    return Search(By(by), sent.get("sought", ""), int(after))

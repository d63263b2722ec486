"""The issuing desk for an agency's case-handling system (办件系统): each route reads, asks the desk, answers.

POST /v1/licences                    open a case under the agency's number: 201 for a new one, else 200
GET  /v1/cases?number=…              the case of a number; without it a list, by state, in pages
GET  /v1/cases/{id}                  one case; its ETag is the digest that people agree to
PUT  /v1/cases/{id}                  edit; with If-Match only the case as it was seen
POST /v1/cases/{id}/{step}           submit, review, approve, return, withdraw
POST /v1/cases/{id}/seal             do what an approved case asks for: the licence that it led to
GET  /v1/cases/{id}/document         the sealed PDF
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.office.cases import CaseState
from credentials.office.desk import WAITING
from credentials.office.http.answers import HEADERS, Enter, json_answer
from credentials.office.http.bundles import add_bundles
from credentials.office.wire import case_facts, case_summary, read_case, read_members, read_work
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.bundles import Bundles
    from credentials.office.cases import Case
    from credentials.office.desk import Desk
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock

CALLS = Limit("office", 600, 6000)
MAX_CASE_BYTES, MAX_STEP_BYTES = 256 * 1024, 64 * 1024
MAX_PAGE = 200
_State = Annotated[list[CaseState] | None, Query(max_length=len(CaseState))]


def router(desk: Desk, bundles: Bundles, *, enter: Enter, clock: Clock) -> APIRouter:
    """The routes of one agency's desk and of its bundles."""
    routes, buckets = APIRouter(), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    _add_cases(routes, desk, come)
    _add_reading(routes, desk, come)
    _add_steps(routes, desk, come)
    add_bundles(routes, bundles, come)
    return routes


def _add_cases(routes: APIRouter, desk: Desk, come: Enter) -> None:
    @routes.post("/v1/licences")
    async def open_case(request: Request) -> Response:
        actor = await come(request)
        number, work = read_case(await read_json(request, limit=MAX_CASE_BYTES))
        opened = await run_in_threadpool(desk.open, number, work, actor=actor)
        return _case(opened.case, status=201 if opened.is_new else 200)

    @routes.put("/v1/cases/{case_id}")
    async def edit(request: Request, case_id: str) -> Response:
        actor = await come(request)
        work = read_work(await read_json(request, limit=MAX_CASE_BYTES))
        seen = _seen(request)
        return _case(await run_in_threadpool(desk.edit, case_id, work, actor=actor, seen=seen))


def _add_reading(routes: APIRouter, desk: Desk, come: Enter) -> None:
    @routes.get("/v1/cases")
    async def cases(
        request: Request,
        number: str | None = None,
        state: _State = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> Response:
        actor = await come(request)
        if number is not None:
            return _case(await run_in_threadpool(desk.numbered, number, actor=actor))
        last = await run_in_threadpool(desk.case, after, actor=actor) if after else None
        found = await run_in_threadpool(
            desk.waiting, actor=actor, states=state or WAITING, after=last, limit=limit
        )
        more = {"after": found[-1].id} if len(found) == limit else {}
        return json_answer({"cases": [case_summary(one) for one in found], **more})

    @routes.get("/v1/cases/{case_id}")
    async def one(request: Request, case_id: str) -> Response:
        actor = await come(request)
        return _case(await run_in_threadpool(desk.case, case_id, actor=actor))

    @routes.get("/v1/cases/{case_id}/document")
    async def document(request: Request, case_id: str) -> Response:
        actor = await come(request)
        pdf = await run_in_threadpool(desk.document, case_id, actor=actor)
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="licence.pdf"'}
        return Response(pdf, media_type="application/pdf", headers=headers)


def _add_steps(routes: APIRouter, desk: Desk, come: Enter) -> None:
    @routes.post("/v1/cases/{case_id}/seal")
    async def seal(request: Request, case_id: str) -> Response:
        actor = await come(request)
        read_members(await read_json(request, limit=MAX_STEP_BYTES), {})
        done = await run_in_threadpool(desk.seal, case_id, actor=actor)
        licence = done.licence
        named = {"identifier": licence.identifier, "number": licence.number, "version": licence.version}
        return json_answer({"state": str(CaseState.SEALED), "licence": named})

    @routes.post("/v1/cases/{case_id}/{step}")
    async def take(request: Request, case_id: str, step: str) -> Response:
        actor = await come(request)
        if step not in _STEPS:
            raise NotFound("no such step")
        needs, verb = _STEPS[step]
        sent = read_members(await read_json(request, limit=MAX_STEP_BYTES), needs, required=tuple(needs))
        return _case(await run_in_threadpool(verb, desk, case_id, actor, sent))


# step → what its body has, and what the desk is asked
_STEPS: dict[str, tuple[dict[str, type], Callable[[Desk, str, Actor, dict[str, Any]], Case]]] = {
    "submit": ({}, lambda desk, case, actor, _: desk.submit(case, actor=actor)),
    "review": (
        {"proof": dict},
        lambda desk, case, actor, sent: desk.review(case, proof=sent["proof"], actor=actor),
    ),
    "approve": (
        {"proof": dict},
        lambda desk, case, actor, sent: desk.approve(case, proof=sent["proof"], actor=actor),
    ),
    "return": (
        {"note": str},
        lambda desk, case, actor, sent: desk.send_back(case, note=sent["note"], actor=actor),
    ),
    "withdraw": (
        {"note": str},
        lambda desk, case, actor, sent: desk.withdraw(case, note=sent["note"], actor=actor),
    ),
}


def _seen(request: Request) -> bytes | None:
    """The digest that If-Match names (RFC 9110, 13.1.1); one strong tag, as our answers have it."""
    value = request.headers.get("if-match")
    if value is None:
        return None
    text = value.strip().removeprefix('"').removesuffix('"')
    try:
        return bytes.fromhex(text)
    except ValueError as exc:
        raise MalformedInput("If-Match", "not the ETag of a case") from exc


def _case(case: Case, *, status: int = 200) -> Response:
    headers = {"ETag": f'"{case.digest.hex()}"', "Location": f"/v1/cases/{case.id}"}
    return json_answer(case_facts(case), status=status, headers=headers)

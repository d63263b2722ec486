"""Bundles for an agency's systems: a file in, a report out, then the steps of all its cases at once.

POST /v1/bundles?number=…&type=…   the file as the body: CSV, XLSX or JSON lines; 201 for a new one, else 200
GET  /v1/bundles                   the latest
GET  /v1/bundles/{id}              with the report: each row that is no case, and why
GET  /v1/bundles/{id}/cases        its cases in the file's order, in pages
POST /v1/bundles/{id}/{step}       submit, review, approve, return, withdraw
POST /v1/bundles/{id}/seal         up to `at_most` licences; asked again until none is left
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.applications import MAX_BYTES
from credentials.office.http.answers import Enter, json_answer
from credentials.office.wire import bundle_facts, bundle_summary, case_facts, read_members
from yinxin.base.errors import NotFound
from yinxin.web.bodies import read_body, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.bundles import Bundle, Bundles
    from yinxin.base.actor import Actor

MAX_STEP_BYTES = 64 * 1024
SEALED_AT_ONCE, MAX_AT_ONCE, MAX_PAGE = 50, 500, 500
_Number = Annotated[str, Query(max_length=64)]


def add_bundles(routes: APIRouter, bundles: Bundles, come: Enter) -> None:
    """Add the routes of one agency's bundles."""

    @routes.post("/v1/bundles")
    async def open_bundle(
        request: Request,
        number: _Number,
        type_code: Annotated[str | None, Query(alias="type", max_length=80)] = None,
    ) -> Response:
        actor = await come(request)
        data = await read_body(request, limit=MAX_BYTES)
        opened = await run_in_threadpool(bundles.open, number, data, actor=actor, type_code=type_code)
        return _answer(opened.bundle, status=201 if opened.is_new else 200)

    @routes.get("/v1/bundles")
    async def latest(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(bundles.latest, actor=actor)
        return json_answer({"bundles": [bundle_summary(one) for one in found]})

    @routes.get("/v1/bundles/{bundle_id}")
    async def one(request: Request, bundle_id: str) -> Response:
        actor = await come(request)
        return _answer(await run_in_threadpool(bundles.bundle, bundle_id, actor=actor))

    @routes.get("/v1/bundles/{bundle_id}/cases")
    async def cases(
        request: Request,
        bundle_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    ) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(bundles.cases, bundle_id, actor=actor, after=after, limit=limit)
        more = {"after": found[-1].place} if len(found) == limit else {}
        return json_answer({"cases": [{"row": case.place, **case_facts(case)} for case in found], **more})

    _add_steps(routes, bundles, come)


def _add_steps(routes: APIRouter, bundles: Bundles, come: Enter) -> None:
    @routes.post("/v1/bundles/{bundle_id}/seal")
    async def seal(
        request: Request,
        bundle_id: str,
        at_most: Annotated[int, Query(ge=1, le=MAX_AT_ONCE)] = SEALED_AT_ONCE,
    ) -> Response:
        actor = await come(request)
        read_members(await read_json(request, limit=MAX_STEP_BYTES), {})
        done = await run_in_threadpool(bundles.seal, bundle_id, actor=actor, at_most=at_most)
        faults = [{"row": one.row, "reason": one.reason.to_dict()} for one in done.faults]
        state = {"state": str(done.bundle.state), "left": done.left}
        return json_answer({**state, "licences": list(done.licences), "faults": faults})

    @routes.post("/v1/bundles/{bundle_id}/{step}")
    async def take(request: Request, bundle_id: str, step: str) -> Response:
        actor = await come(request)
        if step not in _STEPS:
            raise NotFound("no such step")
        needs, verb = _STEPS[step]
        sent = read_members(await read_json(request, limit=MAX_STEP_BYTES), needs, required=tuple(needs))
        return _answer(await run_in_threadpool(verb, bundles, bundle_id, actor, sent))


# step → what its body has, and what is asked
_STEPS: dict[str, tuple[dict[str, type], Callable[[Bundles, str, Actor, dict[str, Any]], Bundle]]] = {
    "submit": ({}, lambda bundles, one, actor, _: bundles.submit(one, actor=actor)),
    "review": (
        {"proof": dict},
        lambda bundles, one, actor, sent: bundles.review(one, proof=sent["proof"], actor=actor),
    ),
    "approve": (
        {"proof": dict},
        lambda bundles, one, actor, sent: bundles.approve(one, proof=sent["proof"], actor=actor),
    ),
    "return": (
        {"note": str},
        lambda bundles, one, actor, sent: bundles.send_back(one, note=sent["note"], actor=actor),
    ),
    "withdraw": (
        {"note": str},
        lambda bundles, one, actor, sent: bundles.withdraw(one, note=sent["note"], actor=actor),
    ),
}


def _answer(bundle: Bundle, *, status: int = 200) -> Response:
    headers = {"ETag": f'"{bundle.digest}"', "Location": f"/v1/bundles/{bundle.id}"}
    return json_answer(bundle_facts(bundle), status=status, headers=headers)

"""Requests for correction over HTTP, for an agency's staff and systems.

POST /v1/corrections                      licence, field, words: a request, and where it goes
GET  /v1/corrections?state=open           the agency's queue
POST /v1/corrections/{id}/settle          with the number of the case that put it right
POST /v1/corrections/{id}/refuse          with the reason
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.sources.corrections.routing import RequestState
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from credentials.sources.corrections.service import Corrections
    from yinxin.base.clock import Clock

Enter = Callable[[Request], Awaitable[Actor]]
CALLS = Limit("corrections", 120, 1200)
MAX_BODY_BYTES = 32 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def router(corrections: Corrections, *, enter: Enter, clock: Clock) -> APIRouter:
    """The routes of one agency."""
    routes, buckets = APIRouter(), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    @routes.post("/v1/corrections")
    async def ask(request: Request) -> Response:
        actor = await come(request)
        licence, field, words = _texts(
            await read_json(request, limit=MAX_BODY_BYTES), "licence", "field", "words"
        )
        asked, route = await run_in_threadpool(
            lambda: corrections.ask(licence, field, words=words, actor=actor)
        )
        return _answer({**corrections.to_dict(asked), "route": route.to_dict()}, status=201)

    @routes.get("/v1/corrections")
    async def waiting(request: Request, state: RequestState = RequestState.OPEN) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(lambda: corrections.waiting(actor=actor, state=state))
        return _answer({"corrections": [corrections.to_dict(one) for one in found]})

    @routes.post("/v1/corrections/{request_id}/settle")
    async def settle(request: Request, request_id: str) -> Response:
        actor = await come(request)
        (case,) = _texts(await read_json(request, limit=MAX_BODY_BYTES), "case")
        done = await run_in_threadpool(lambda: corrections.settle(request_id, case=case, actor=actor))
        return _answer(done.to_dict())

    @routes.post("/v1/corrections/{request_id}/refuse")
    async def refuse(request: Request, request_id: str) -> Response:
        actor = await come(request)
        (note,) = _texts(await read_json(request, limit=MAX_BODY_BYTES), "note")
        done = await run_in_threadpool(lambda: corrections.refuse(request_id, note=note, actor=actor))
        return _answer(corrections.to_dict(done))

    return routes


def _texts(body: dict[str, Any], *names: str) -> list[str]:
    """The members of a body that has these texts and nothing else."""
    if set(body) != set(names) or not all(isinstance(value, str) for value in body.values()):
        raise MalformedInput("request body", f"give these texts and nothing else: {', '.join(names)}")
    return [body[name] for name in names]


def _answer(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(dump_json(content), status, media_type="application/json", headers=_HEADERS)

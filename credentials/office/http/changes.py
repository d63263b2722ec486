"""What became of a licence, for an agency's systems: changes themselves are cases (`POST /v1/licences`).

GET /v1/licences/{name}/history      versions, events and links, by identifier or number; no claim
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from signing.jose import dump_json
from yinxin.base.buckets import Buckets, Limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from credentials.reading import OfficeReading
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock

CALLS = Limit("office-history", 600, 6000)
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def router(
    reading: OfficeReading, *, enter: Callable[[Request], Awaitable[Actor]], clock: Clock
) -> APIRouter:
    """The routes of one agency."""
    routes, buckets = APIRouter(), Buckets(CALLS)

    @routes.get("/v1/licences/{name}/history")
    async def history(request: Request, name: str) -> Response:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        found = await run_in_threadpool(reading.history, name, actor=actor)
        return Response(dump_json(found.to_dict()), 200, _HEADERS, "application/json")

    return routes

"""The issuer on HTTP: status lists and their aggregation (Token Status List, 8 and 9).

Public and signed, so nobody is asked who they are: whoever asks learns nothing about a holder, and the
issuer learns nothing about which entry was of interest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from credentials.status_service import StatusService

STATUS_LIST_JWT = "application/statuslist+jwt"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}  # 8.1: wallets and verifiers in browsers ask too


def router(statuses: StatusService, *, url: str) -> APIRouter:
    """The routes of one issuer whose address is `url`."""
    routes = APIRouter(tags=["issuer"])
    prefix = url.rstrip("/") + "/status/"

    @routes.get("/status")
    async def aggregation(response: Response) -> dict[str, list[str]]:
        """The addresses of all status lists of this issuer."""
        response.headers.update(_ANY_ORIGIN)
        return {"status_lists": await run_in_threadpool(statuses.uris)}

    @routes.get(
        "/status/{name}",
        response_class=Response,
        responses={200: {"content": {STATUS_LIST_JWT: {"schema": {"type": "string"}}}}},
    )
    async def status_list(name: str) -> Response:
        """One status list, as a signed token."""
        token = await run_in_threadpool(statuses.token, prefix + name)
        headers = {**_ANY_ORIGIN, "Cache-Control": "public, max-age=30"}
        return Response(token, media_type=STATUS_LIST_JWT, headers=headers)

    return routes

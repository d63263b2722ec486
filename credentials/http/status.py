"""The issuer on HTTP: status lists and their aggregation (Token Status List, 8 and 9).

Public and signed, so nobody is asked who they are: whoever asks learns nothing about a holder, and the
issuer learns nothing about which entry was of interest.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.vocabulary import STATUS_LIST_CWT_TYP, STATUS_LIST_MEDIA_TYPE

if TYPE_CHECKING:
    from credentials.status_service import StatusService, TokenForm

STATUS_LIST_JWT, STATUS_LIST_CWT = STATUS_LIST_MEDIA_TYPE, STATUS_LIST_CWT_TYP
_MEDIA_TYPES = {"jwt": STATUS_LIST_JWT, "cwt": STATUS_LIST_CWT}
_MOMENT = Query(ge=0, le=253_402_300_799, description="seconds since 1970, UTC")
# 8.1: wallets and verifiers in browsers ask too
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


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
        responses={
            200: {
                "content": {
                    STATUS_LIST_JWT: {"schema": {"type": "string"}},
                    STATUS_LIST_CWT: {"schema": {"type": "string", "format": "binary"}},
                }
            }
        },
    )
    async def status_list(
        request: Request, name: str, time: Annotated[int | None, _MOMENT] = None
    ) -> Response:
        """One status list, as a signed token: as a JWT, or as a CWT where that alone is accepted.

        With `time` (seconds since 1970) the list as it was then, 404 before there was one.
        """
        accepted = request.headers.get("accept", "")
        form: TokenForm = "cwt" if STATUS_LIST_CWT in accepted and STATUS_LIST_JWT not in accepted else "jwt"
        token = await run_in_threadpool(_token, statuses, prefix + name, form, time)
        headers = {**_ANY_ORIGIN, "Cache-Control": "public, max-age=30", "Vary": "Accept, Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"], token = "gzip", _zipped(token)
        return Response(token, media_type=_MEDIA_TYPES[form], headers=headers)

    return routes


def _token(statuses: StatusService, uri: str, form: TokenForm, time: int | None) -> bytes:
    if time is not None:
        return statuses.token_at(uri, datetime.fromtimestamp(time, UTC), form)
    return statuses.cwt(uri) if form == "cwt" else statuses.token(uri).encode("ascii")


@lru_cache(64)
def _zipped(token: bytes) -> bytes:
    """8.1: base64url gives a quarter away; the same token is asked for many times."""
    return gzip.compress(token, mtime=0)

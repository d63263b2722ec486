"""Coming in by key on HTTP: `POST /v1/token`, and who a request with an access token is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from yinxin.access.tokens import OAuthError
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.errors import MalformedInput, Unauthenticated
from yinxin.web.bodies import read_form

if TYPE_CHECKING:
    from yinxin.access.clients import StaffTokens
    from yinxin.base.actor import Actor

TOKEN_LIMIT = Limit("token", 30, 120)
MAX_FORM_BYTES = 16 * 1024
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def token_router(tokens: StaffTokens) -> APIRouter:
    """Access tokens for who has a registered key.

    POST /v1/token    a form: client_credentials with private_key_jwt (RFC 6749, 4.4; RFC 7523, 2.2)
    """
    routes = APIRouter()
    buckets = Buckets(TOKEN_LIMIT)

    @routes.post("/v1/token")
    async def token(request: Request) -> JSONResponse:
        address = caller_of(request.client.host if request.client else "")
        buckets.take(address, now=tokens.clock.now())
        try:
            form = await read_form(request, limit=MAX_FORM_BYTES)
            return JSONResponse(await run_in_threadpool(tokens.answer, form), headers=_NO_STORE)
        except OAuthError as exc:
            return _refusal(exc)
        except (MalformedInput, HTTPException):
            return _refusal(OAuthError("invalid_request", "the request is not a token request"))

    return routes


async def bearer(request: Request, tokens: StaffTokens) -> Actor | None:
    """Who a request's access token belongs to; None for a request without one.

    `Unauthenticated` for one that is not good.
    """
    values = request.headers.getlist("authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) != 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("a bearer token is needed")
    return await run_in_threadpool(tokens.actor_of, token.strip())


def _refusal(error: OAuthError) -> JSONResponse:
    content = {"error": error.error, "error_description": error.detail}
    return JSONResponse(content, error.status, _NO_STORE)

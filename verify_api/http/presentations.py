"""The routes of presentation sessions: for departments, for wallets, and for the browser that comes back.

Wallets are nobody we know: their routes answer in OAuth's form, are limited by address, and tell nothing of
what was found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import segno
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from credentials.oid4vp.vocabulary import REQUEST_MEDIA_TYPE
from signing.jose import dump_json
from verify_api.http import presentation_schemas as schemas
from verify_api.http.limits import Buckets, Limits, address_of
from verify_api.http.routes import HEADERS, bearer
from verify_api.http.schemas import Problem
from verify_api.presentations.browsers import keep_secret, secret_for, secret_of
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    YinxinError,
)
from yinxin.web.bodies import read_form, read_json
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_api.departments import Department
    from verify_api.http.routes import Authenticate
    from verify_api.presentations.service import PresentationService

_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_WALLET_NONCE = re.compile(r"[A-Za-z0-9._~-]{1,512}\Z")
_STATUS: dict[type[YinxinError], int] = {NotFound: 404, Conflict: 410, MalformedInput: 400}
_TO_WALLETS = tuple(_STATUS)
_REQUIRED: list[dict[str, list[str]]] = [{"department": ["verify"]}]
_PROBLEM: dict[str, Any] = {
    "description": "RFC 9457",
    "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
}
_PAGES = Pages("verify_api.pages", remember=False)


class _Answer(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dump_json(content)


def presentation_router(
    service: PresentationService, authenticate: Authenticate | None = None, *, limits: Limits | None = None
) -> APIRouter:
    """The routes. `authenticate` gives a request's department, None for one without credentials."""
    routes, bounds = APIRouter(), limits or Limits()
    _add_departments(routes, service, authenticate or bearer(service.service), bounds)
    _add_requests(routes, service, bounds)
    _add_responses(routes, service, bounds)
    return routes


def _add_departments(
    routes: APIRouter, service: PresentationService, authenticate: Authenticate, limits: Limits
) -> None:
    buckets = Buckets(limits.department)

    async def department_of(request: Request) -> Department:
        department = await authenticate(request)
        if department is None:
            raise Unauthenticated("an access token is needed")
        _limit(request, service, buckets, department.id)
        return department

    @routes.get(
        "/v1/presentation-templates",
        tags=["出示 / Presentation"],
        summary="本部门可以请求出示的内容 / What the department may ask for",
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.TemplatesAnswer}, **_problems(401, 429, 503)},
    )
    async def templates(request: Request) -> JSONResponse:
        return _Answer({"templates": service.templates(await department_of(request))})

    @routes.post(
        "/v1/presentations",
        tags=["出示 / Presentation"],
        summary="请求持有人出示证照（OpenID4VP） / Ask a holder to present (OpenID4VP)",
        description=(
            "请求在 120 秒内有效，内容不得超出授权。/ A session lives 120 seconds; nothing outside the "
            "grant can be asked for."
        ),
        openapi_extra={"security": _REQUIRED, "requestBody": _body()},
        responses={
            200: {"model": schemas.StartedAnswer},
            **_problems(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
    )
    async def start(request: Request) -> JSONResponse:
        department = await department_of(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, headers={"Accept-Post": "application/json"})
        wish = schemas.read_wish(await read_json(request, limit=limits.form_bytes))
        is_ours = wish.same_device and wish.return_url is None
        browser = secret_for(request) if is_ours else None
        started = await service.start(wish, department, browser=browser)
        answer = _Answer(
            {
                "id": started.id,
                "link": started.link,
                "expires_at": started.expires_at.isoformat(),
                "match_code": started.match_code,
                "qr": None if wish.same_device else _qr(started.link),
            }
        )
        if browser:
            keep_secret(answer, browser)
        return answer

    @routes.get(
        "/v1/presentations/{session_id}",
        tags=["出示 / Presentation"],
        summary="查看出示请求的进展与结果 / See how a session stands, and its results",
        description=(
            "同一设备出示时，须携带浏览器带回的 response_code。/ On one device, with the response_code that "
            "the browser brought back."
        ),
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.PresentationAnswer}, **_problems(401, 404, 409, 429, 503)},
    )
    async def outcome(request: Request, session_id: str, response_code: str | None = None) -> JSONResponse:
        department = await department_of(request)
        if not _ID.match(session_id):
            raise NotFound("no such session")
        return _Answer(await service.outcome(session_id, department, response_code=response_code))


def _add_requests(routes: APIRouter, service: PresentationService, limits: Limits) -> None:
    buckets = Buckets(limits.wallet)

    @routes.get(
        "/oid4vp/requests/{request_id}",
        tags=["钱包 / Wallets"],
        summary="取得出示请求 / Fetch a presentation request",
        responses={200: _REQUEST_OBJECT, **_wallet_problems(404, 410), 429: _PROBLEM},
    )
    async def fetch(request: Request, request_id: str) -> Response:
        _limit(request, service, buckets, address_of(request))
        try:
            text = await service.request(_wallet_id(request_id))
        except _TO_WALLETS as exc:
            return _refuse(exc)
        return Response(text, media_type=REQUEST_MEDIA_TYPE)

    @routes.post(
        "/oid4vp/requests/{request_id}",
        tags=["钱包 / Wallets"],
        summary="取得绑定钱包随机数的出示请求 / Fetch a request bound to the wallet's nonce",
        responses={200: _REQUEST_OBJECT, **_wallet_problems(400, 404, 410), 429: _PROBLEM},
    )
    async def fetch_by_post(request: Request, request_id: str) -> Response:
        _limit(request, service, buckets, address_of(request))
        try:
            nonce = _wallet_nonce(await read_form(request, limit=limits.form_bytes))
            text = await service.request(_wallet_id(request_id), wallet_nonce=nonce)
        except _TO_WALLETS as exc:
            return _refuse(exc)
        return Response(text, media_type=REQUEST_MEDIA_TYPE)


def _add_responses(routes: APIRouter, service: PresentationService, limits: Limits) -> None:
    buckets = Buckets(limits.wallet)

    @routes.post(
        "/oid4vp/responses/{request_id}",
        tags=["钱包 / Wallets"],
        summary="提交出示 / Post a presentation",
        responses={
            200: {"model": schemas.WalletAnswer},
            **_wallet_problems(400, 404, 410),
            429: _PROBLEM,
        },
    )
    async def respond(request: Request, request_id: str) -> Response:
        _limit(request, service, buckets, address_of(request))
        try:
            form = await read_form(request, limit=limits.response_bytes)
            taken = await service.respond(_wallet_id(request_id), form)
        except _TO_WALLETS as exc:
            return _refuse(exc)
        if not taken.accepted:
            return _refuse(MalformedInput("response", "the presentation was not accepted"))
        return _Answer({"redirect_uri": taken.redirect_uri} if taken.redirect_uri else {})

    @routes.get(
        "/oid4vp/return",
        tags=["钱包 / Wallets"],
        summary="持有人的浏览器返回 / The holder's browser comes back",
        responses={200: {"content": {"text/html": {}}}, **_problems(403, 404, 429)},
        response_class=HTMLResponse,
    )
    async def come_back(request: Request, response_code: str = "") -> Response:
        _limit(request, service, buckets, address_of(request))
        if not _SECRET.match(response_code) or len(request.query_params.multi_items()) != 1:
            raise NotFound("no such session")
        await service.come_back(response_code, browser=secret_of(request))
        return _PAGES.answer(request, "came_back.html")


def _wallet_id(text: str) -> str:
    if not _ID.match(text):
        raise NotFound("no such request, or no longer")
    return text


def _wallet_nonce(form: Mapping[str, str]) -> str | None:
    nonce = form.get("wallet_nonce")
    if nonce is not None and not _WALLET_NONCE.match(nonce):
        raise MalformedInput("wallet_nonce", "OpenID4VP, 5.10: characters that are not URL-safe")
    return nonce


def _qr(link: str) -> str:
    return str(segno.make(link, micro=False, error="m").svg_inline(scale=4))


def _limit(request: Request, service: PresentationService, buckets: Buckets, caller: str) -> None:
    try:
        request.scope[HEADERS] = buckets.take(caller, now=service.clock.now())
    except TooManyRequests:
        request.scope[HEADERS] = buckets.headers()
        raise


def _refuse(error: YinxinError) -> JSONResponse:
    """Wallets hear that it was refused; what was wrong in what they sent stands in our own records."""
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    said = "the message was not accepted" if isinstance(error, MalformedInput) else error.detail
    return _Answer({"error": "invalid_request", "error_description": said}, status)


def _problems(*statuses: int) -> Mapping[int | str, dict[str, Any]]:
    return dict.fromkeys(statuses, _PROBLEM)


def _wallet_problems(*statuses: int) -> Mapping[int | str, dict[str, Any]]:
    return {status: {"model": schemas.WalletProblem} for status in statuses}


def _body() -> dict[str, Any]:
    schema = schemas.PresentationWish.model_json_schema()
    whole = _inlined(schema, schema.pop("$defs", {}))
    return {"required": True, "content": {"application/json": {"schema": whole}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with its definitions in their places: what stands in a route has no list of its own."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items()}


_REQUEST_OBJECT: dict[str, Any] = {"content": {REQUEST_MEDIA_TYPE: {"schema": {"type": "string"}}}}

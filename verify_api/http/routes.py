"""The routes of the verification service: each reads, asks the service and writes; none decides."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from signing.jose import dump_json, load_json_object
from verify_api.departments import Department
from verify_api.documents import MAX_DOCUMENT_BYTES, MAX_PRESENTATION_CHARACTERS
from verify_api.http import request_bodies, schemas
from verify_api.http.limits import Buckets, Limits, address_of
from verify_api.service import SCOPES
from yinxin.access.tokens import ALGORITHMS, OAuthError
from yinxin.base.errors import MalformedInput, NotFound, TooManyRequests, Unauthenticated
from yinxin.web.bodies import media_type, read_form, read_json, read_multipart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_api.service import VerificationService

Authenticate = Callable[[Request], Awaitable[Department | None]]
HEADERS = "yinxin.headers"  # where a route leaves headers that also stand beside an error
_VERIFICATION_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="同一键的同一请求只记录一次 / The same question under the same key is recorded once",
    ),
]


class _Answer(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dump_json(content)


def bearer(service: VerificationService) -> Authenticate:
    """Authenticate departments by access token; None for a request without any credentials."""

    async def authenticate(request: Request) -> Department | None:
        values = request.headers.getlist("authorization")
        if not values:
            return None
        scheme, _, token = values[0].partition(" ")
        if len(values) != 1 or scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a bearer token is needed")
        return await service.department_of(token.strip())

    return authenticate


def router(
    service: VerificationService, authenticate: Authenticate | None = None, *, limits: Limits | None = None
) -> APIRouter:
    """The routes. `authenticate` gives a request's department, None for one without credentials."""
    routes = APIRouter()
    bounds = limits or Limits()
    _add_token(routes, service, bounds)
    _add_verifications(routes, service, authenticate or bearer(service), bounds)
    _add_public(routes, service, bounds)
    return routes


def _add_token(routes: APIRouter, service: VerificationService, limits: Limits) -> None:
    buckets = Buckets(limits.token)

    @routes.post(
        "/v1/token",
        tags=["认证 / Authentication"],
        summary="取得访问令牌 / Obtain an access token",
        description="OAuth 2.0 client_credentials，私钥签名认证 / Client credentials, private_key_jwt",
        openapi_extra={"requestBody": request_bodies.TOKEN_BODY},
        responses={
            200: {"model": schemas.TokenAnswer},
            400: {"model": schemas.OAuthProblem},
            401: {"model": schemas.OAuthProblem},
            429: _PROBLEM,
        },
    )
    async def token(request: Request) -> JSONResponse:
        _limit(request, service, buckets, address_of(request))
        try:
            form = await read_form(request, limit=limits.form_bytes)
            return _Answer(await service.token(form))
        except OAuthError as exc:
            return _oauth(exc)
        except (MalformedInput, HTTPException):
            return _oauth(OAuthError("invalid_request", "the request is not a token request"))


def _add_verifications(
    routes: APIRouter, service: VerificationService, authenticate: Authenticate, limits: Limits
) -> None:
    departments, anybody, together = map(Buckets, (limits.department, limits.anonymous, limits.anonymous_all))

    async def department_of(request: Request) -> Department:
        department = await authenticate(request)
        if department is None:
            raise Unauthenticated("an access token is needed")
        _limit(request, service, departments, department.id)
        return department

    @routes.post(
        "/v1/verifications",
        tags=["核验 / Verification"],
        summary="核验文件、凭证出示或证照编号 / Verify a file, a presentation or a number",
        description=(
            "部门须携带访问令牌、用途与事项编码，得到授权范围内的内容和签名回执；未认证者只得到结论与状态。/ "
            "Departments name purpose and matter, and get what their grant covers and a signed receipt; "
            "anybody else gets verdict and status only."
        ),
        openapi_extra={"requestBody": request_bodies.REQUEST_BODY, "security": _OPTIONAL},
        responses={
            200: {"model": schemas.VerificationAnswer | schemas.AnonymousAnswer},
            **_problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
        },
    )
    async def verify(request: Request, idempotency_key: _IdempotencyKey = None) -> JSONResponse:
        department = await authenticate(request)
        if department is None:
            _limit(request, service, anybody, address_of(request))
            _limit(request, service, together, "all", tell=False)
            values = await _read(request, limits.anonymous_body_bytes)
            return _Answer(await service.verify_for_anybody(schemas.read_question(values)))
        _limit(request, service, departments, department.id)
        values = await _read(request, limits.body_bytes)
        question = schemas.read_question(values)
        answer = await service.verify(question, department, idempotency_key=idempotency_key)
        return _Answer(answer.content)

    @routes.post(
        "/v1/nonces",
        tags=["核验 / Verification"],
        summary="取得一次性随机数 / Obtain a nonce for one presentation",
        description=(
            "五分钟内有效，只用于一次出示；同一出示可在有效期内重复提交。/ Good for five minutes and one "
            "presentation; that same presentation may be handed in again meanwhile."
        ),
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.NonceAnswer}, **_problems(401, 429, 503)},
    )
    async def nonce(request: Request) -> JSONResponse:
        made = await service.nonce(await department_of(request))
        return _Answer(
            {"nonce": made.value, "audience": made.audience, "expires_at": made.expires_at.isoformat()}
        )

    @routes.get(
        "/v1/verifications/{verification_id}",
        tags=["核验 / Verification"],
        summary="查看本部门的核验记录 / See a verification of one's own",
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.RecordAnswer}, **_problems(401, 404, 429, 503)},
    )
    async def record(request: Request, verification_id: str) -> JSONResponse:
        department = await department_of(request)
        if not _VERIFICATION_ID.match(verification_id):
            raise NotFound("no such verification")
        return _Answer(await service.record_of(verification_id, department))


def _add_public(routes: APIRouter, service: VerificationService, limits: Limits) -> None:
    @routes.get(
        "/v1/jwks",
        tags=["公开信息 / Public"],
        summary="令牌与回执的公钥 / Public keys of tokens and receipts",
        responses={200: {"model": schemas.Keys}},
    )
    async def jwks() -> JSONResponse:
        receipts, tokens = service.receipt_signer, service.tokens.public_key
        keys = [{**tokens.to_jwk(), "kid": tokens.thumbprint, "use": "sig"}]
        own = receipts.public_key
        keys.append({**own.to_jwk(), "kid": own.thumbprint, "use": "sig", "alg": receipts.algorithm.name})
        return _Answer({"keys": keys})

    @routes.get(
        "/v1/report.schema.json",
        tags=["公开信息 / Public"],
        summary="验证报告的 JSON Schema / JSON Schema of verification reports",
        responses={200: {"model": dict[str, Any]}},
    )
    async def report_schema() -> JSONResponse:
        return _Answer(_report_schema())

    @routes.get(
        "/.well-known/oauth-authorization-server",
        tags=["公开信息 / Public"],
        summary="服务元数据（RFC 8414）与各项限制 / Metadata (RFC 8414) and limits",
        responses={200: {"model": dict[str, Any]}},
    )
    async def metadata() -> JSONResponse:
        return _Answer(_metadata(service.url, limits))

    @routes.get(
        "/healthz",
        tags=["公开信息 / Public"],
        summary="运行状况 / Health",
        responses={200: {"model": schemas.Health}},
    )
    async def health() -> JSONResponse:
        return _Answer({"status": "ok"})


@cache
def _report_schema() -> dict[str, Any]:
    return load_json_object((files("signing.report") / "report.schema.json").read_bytes())


async def _read(request: Request, limit: int) -> dict[str, Any]:
    kind = media_type(request)
    if kind == "application/json":
        return schemas.decode_document(await read_json(request, limit=limit))
    if kind == "multipart/form-data":
        return await read_multipart(request, limit=limit, files=schemas.FILES)
    raise HTTPException(415, headers={"Accept-Post": "application/json, multipart/form-data"})


def _limit(
    request: Request, service: VerificationService, buckets: Buckets, caller: str, *, tell: bool = True
) -> None:
    try:
        headers = buckets.take(caller, now=service.clock.now())
    except TooManyRequests:
        request.scope[HEADERS] = buckets.headers()
        raise
    if tell:
        request.scope[HEADERS] = headers


def _oauth(error: OAuthError) -> JSONResponse:
    return _Answer({"error": error.error, "error_description": error.detail}, error.status)


def _metadata(url: str, limits: Limits) -> dict[str, Any]:
    return {
        "issuer": url,
        "token_endpoint": f"{url}/v1/token",
        "jwks_uri": f"{url}/v1/jwks",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "yinxin_limits": {
            "body_bytes": limits.body_bytes,
            "anonymous_body_bytes": limits.anonymous_body_bytes,
            "document_bytes": MAX_DOCUMENT_BYTES,
            "presentation_characters": MAX_PRESENTATION_CHARACTERS,
            "anonymous_per_minute": limits.anonymous.per_minute,
            "department_per_minute": limits.department.per_minute,
        },
    }


_REQUIRED: list[dict[str, list[str]]] = [{"department": ["verify"]}]
_OPTIONAL: list[dict[str, list[str]]] = [{}, *_REQUIRED]
_PROBLEM: dict[str, Any] = {
    "description": "RFC 9457",
    "content": {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}},
}


def _problems(*statuses: int) -> Mapping[int | str, dict[str, Any]]:
    return dict.fromkeys(statuses, _PROBLEM)

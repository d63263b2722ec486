"""The routes of a department's notices: what became of licences that it accepted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from signing.jose import dump_json
from verify_api.http import schemas
from verify_api.http.limits import Buckets, Limits
from verify_api.http.routes import HEADERS, bearer
from yinxin.base.errors import NotFound, TooManyRequests, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_api.departments import Department
    from verify_api.http.routes import Authenticate
    from verify_api.notices import DepartmentNotices
    from verify_api.service import VerificationService

_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_TAGS: list[Any] = ["通知 / Notices"]
_REQUIRED: list[dict[str, list[str]]] = [{"department": ["verify"]}]
_PROBLEM: dict[str, Any] = {
    "description": "RFC 9457",
    "content": {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}},
}


class _Answer(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dump_json(content)


def notice_router(
    notices: DepartmentNotices,
    service: VerificationService,
    authenticate: Authenticate | None = None,
    *,
    limits: Limits | None = None,
) -> APIRouter:
    """The routes. `authenticate` gives a request's department, None for one without credentials."""
    routes, buckets = APIRouter(), Buckets((limits or Limits()).department)
    who = authenticate or bearer(service)

    async def department_of(request: Request) -> Department:
        department = await who(request)
        if department is None:
            raise Unauthenticated("an access token is needed")
        try:
            request.scope[HEADERS] = buckets.take(department.id, now=service.clock.now())
        except TooManyRequests:
            request.scope[HEADERS] = buckets.headers()
            raise
        return department

    @routes.get(
        "/v1/notices",
        tags=_TAGS,
        summary="本部门曾采信的证照的变更通知 / What became of licences that the department accepted",
        description=(
            "未确认的通知，先到先列；变更字段只列名称，授权范围内的另附前后内容。/ Those not acknowledged, "
            "oldest first; changed fields by name, with their values where a grant covers them."
        ),
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.NoticesAnswer}, **_problems(401, 422, 429, 503)},
    )
    async def waiting(request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 100) -> JSONResponse:
        return _Answer({"notices": await notices.waiting(await department_of(request), limit=limit)})

    @routes.post(
        "/v1/notices/{notice_id}/acknowledgement",
        tags=_TAGS,
        summary="确认已收到通知 / Acknowledge a notice",
        description="重复确认无影响。/ Doing it again changes nothing.",
        openapi_extra={"security": _REQUIRED},
        responses={200: {"model": schemas.AcknowledgedAnswer}, **_problems(401, 404, 429, 503)},
    )
    async def acknowledge(request: Request, notice_id: str) -> JSONResponse:
        department = await department_of(request)
        if not _ID.match(notice_id):
            raise NotFound("no such notice")
        return _Answer(await notices.acknowledge(notice_id, department))

    return routes


def _problems(*statuses: int) -> Mapping[int | str, dict[str, Any]]:
    return dict.fromkeys(statuses, _PROBLEM)

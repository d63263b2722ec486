"""The routes of forms: for departments, and for whoever has a consent's number and takes it back.

GET  /v1/forms                             the forms of the department's matters
GET  /v1/forms/{matter}                    one form, empty; with `consent=…` filled, which uses the consent up
POST /v1/forms/{matter}/consents           ask a holder: a link for the wallet, and the consent's number
GET  /v1/form-consents/{number}            how a consent stands
POST /v1/form-consents/{number}/revoke     take it back: needs the number and nothing else
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from signing.jose import dump_json
from verify_api.forms.consents import number_of
from verify_api.http.limits import Buckets, Limits, address_of
from verify_api.http.routes import bearer
from verify_api.pages.handling import qr_code
from yinxin.base.errors import MalformedInput, Unauthenticated
from yinxin.web.bodies import read_json_or_nothing

if TYPE_CHECKING:
    from verify_api.departments import Department
    from verify_api.forms.service import FormService
    from verify_api.http.routes import Authenticate
    from verify_api.service import VerificationService

MAX_FIELDS = 100
_TAGS: list[str | Any] = ["表单 / Forms"]


class _Answer(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dump_json(content)


def forms_router(
    forms: FormService,
    service: VerificationService,
    authenticate: Authenticate | None = None,
    *,
    limits: Limits | None = None,
) -> APIRouter:
    """The routes. `authenticate` gives a request's department, None for one without credentials."""
    routes, bounds = APIRouter(tags=_TAGS), limits or Limits()
    departments, strangers = Buckets(bounds.department), Buckets(bounds.anonymous)
    enter = authenticate or bearer(service)

    async def come(request: Request) -> Department:
        found = await enter(request)
        if found is None:
            raise Unauthenticated("an access token is needed")
        departments.take(found.id, now=service.clock.now())
        return found

    @routes.get("/v1/forms", summary="本部门事项的表单 / The forms of the department's matters")
    async def every(request: Request) -> JSONResponse:
        department = await come(request)
        return _Answer({"forms": [one.to_dict() for one in forms.forms(department)]})

    @routes.get(
        "/v1/forms/{matter}",
        summary="空白表单；携带 consent 时按同意书填写 / One form, empty or filled with a consent",
        description=(
            "同意书仅可使用一次；逐项说明来自哪份证照、哪个版本与字段。/ A consent is good once; each value "
            "says which licence, version and field it came from."
        ),
    )
    async def one(request: Request, matter: str, consent: str | None = None) -> JSONResponse:
        department = await come(request)
        if consent is None:
            return _Answer(forms.form(matter, department).to_dict())
        filled = await forms.fill(matter, number_of(consent), department)
        return _Answer({"consent": consent, **filled.to_dict()})

    @routes.post(
        "/v1/forms/{matter}/consents",
        summary="请求持证人同意填表 / Ask a holder to agree",
        description="正文可列 fields 以缩小范围。/ The body may narrow it by fields.",
    )
    async def ask(request: Request, matter: str) -> JSONResponse:
        department = await come(request)
        fields = _fields(await read_json_or_nothing(request, limit=bounds.form_bytes))
        asked = await forms.ask(matter, department, fields=fields)
        started = asked.started
        facts = {"link": started.link, "match_code": started.match_code, "qr": qr_code(started.link)}
        return _Answer({**asked.consent.to_dict(now=service.clock.now()), **facts})

    @routes.get("/v1/form-consents/{number}", summary="同意书的状态 / How a consent stands")
    async def state(request: Request, number: str) -> JSONResponse:
        department = await come(request)
        found = await forms.consent(number_of(number), department)
        return _Answer(found.to_dict(now=service.clock.now()))

    @routes.post(
        "/v1/form-consents/{number}/revoke",
        summary="凭编号撤回同意书，无需令牌 / Take a consent back by its number, without a token",
    )
    async def revoke(request: Request, number: str) -> JSONResponse:
        strangers.take(address_of(request), now=service.clock.now())
        found = await forms.revoke(number_of(number))
        return _Answer({"consent": found.number, "state": str(found.state)})

    return routes


def _fields(body: dict[str, Any]) -> list[str] | None:
    wanted = body.get("fields")
    if set(body) - {"fields"}:
        raise MalformedInput("request body", "only fields may stand in it")
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not 0 < len(wanted) <= MAX_FIELDS:
        raise MalformedInput("request body", f"fields is a list of 1 to {MAX_FIELDS} names")
    if not all(isinstance(one, str) for one in wanted):
        raise MalformedInput("request body", "fields is a list of names")
    return wanted

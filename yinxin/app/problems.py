"""Errors as HTTP says them: RFC 9457, one row for each class of ours.

This table is the only place that joins an error to a status. `title` comes from the error's class, in the
language that the caller asked for; `next` is the row's advice to a person; `reference` names the occurrence
in our log. Nothing that was sent in, and nothing of our inside, is repeated. OAuth, OpenID4VC and OCSP
answer in their own forms and never come here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from credentials.holders import HolderNotActive
from credentials.legacy.mapping_files import InvalidMapping
from credentials.licence_type import InvalidCatalogue
from yinxin.app.subjects.comparing import PlanOutdated
from yinxin.base import errors
from yinxin.base.randomness import SystemRandomness, random_text
from yinxin.base.text import Text
from yinxin.web.language import accepted
from yinxin.web.pages import pages_of, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from fastapi import FastAPI, Request, Response

    from yinxin.base.text import Language

__all__ = ["ROWS", "Row", "install", "language_of", "problem", "row_of"]

# Gives the slip for an error that is a refusal, as JSON; None for any other.
SlipOf = Callable[[errors.YinxinError], "Mapping[str, Any] | None"]
_RANDOMNESS = SystemRandomness()  # of references, which protect nothing
_LOG = logging.getLogger("yinxin.http")
PROBLEM_TYPE = "urn:yinxin:problem:"
MAX_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One class of errors: its status, what a person can do, and whether the detail may leave."""

    status: HTTPStatus
    next: Text
    says_detail: bool = True


_ASK_OPERATOR = Text("请联系服务运营方并提供参考编号", "Tell the operator of this service the reference")
_CORRECT = Text("请按说明更正后重新提交", "Correct the request and send it again")
_LATER = Text("请稍后重试", "Try again later")

ROWS: Mapping[type[errors.YinxinError], Row] = {
    errors.YinxinError: Row(HTTPStatus.INTERNAL_SERVER_ERROR, _ASK_OPERATOR, says_detail=False),
    errors.UsageError: Row(HTTPStatus.BAD_REQUEST, _CORRECT),
    errors.UnknownAlgorithm: Row(
        HTTPStatus.BAD_REQUEST, Text("请改用允许的算法", "Use one of the allowed algorithms")
    ),
    errors.UnknownProfile: Row(
        HTTPStatus.BAD_REQUEST, Text("请选用已有的证书模板", "Choose one of the certificate profiles")
    ),
    errors.UnknownLicenceType: Row(
        HTTPStatus.NOT_FOUND, Text("请从证照目录中选择类型", "Choose a type of the catalogue")
    ),
    errors.InvalidClaims: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY, Text("请更正列出的各项内容", "Correct the data that are listed")
    ),
    InvalidMapping: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY, Text("请更正列出的各项内容", "Correct the data that are listed")
    ),
    InvalidCatalogue: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY, Text("请更正列出的各项内容", "Correct the data that are listed")
    ),
    errors.MalformedInput: Row(
        HTTPStatus.BAD_REQUEST, Text("请提交原始、完整的内容", "Send the original, complete input")
    ),
    errors.TooLarge: Row(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Text("请减小后重新提交", "Send something smaller")
    ),
    errors.Unauthenticated: Row(
        HTTPStatus.UNAUTHORIZED, Text("请先取得有效的访问令牌", "Obtain a valid access token first")
    ),
    errors.NotPermitted: Row(
        HTTPStatus.FORBIDDEN, Text("如确有需要，请申请相应授权", "Apply for a grant if the task needs it")
    ),
    errors.TooManyRequests: Row(HTTPStatus.TOO_MANY_REQUESTS, _LATER),
    errors.SignerUnavailable: Row(HTTPStatus.SERVICE_UNAVAILABLE, _LATER, says_detail=False),
    errors.IssuanceRefused: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Text("请按列出的原因补正后重新申请", "Apply again when the reasons are mended"),
    ),
    HolderNotActive: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Text(
            "请核对主体变更登记；登记有误的，先办理纠正",
            "Check the events recorded of the holder; a mistaken one is undone first",
        ),
    ),
    errors.VerificationFailed: Row(
        HTTPStatus.UNPROCESSABLE_ENTITY, Text("请按各项原因的提示处理", "Follow the advice of each reason")
    ),
    errors.NotFound: Row(
        HTTPStatus.NOT_FOUND, Text("请核对标识后重试", "Check the identifier and try again")
    ),
    errors.Conflict: Row(
        HTTPStatus.CONFLICT, Text("请查询当前状态后再操作", "Look at the current state, then decide")
    ),
    PlanOutdated: Row(
        HTTPStatus.CONFLICT, Text("请重新生成方案并再次报批", "Plan again, and have it approved again")
    ),
    errors.Unreachable: Row(HTTPStatus.SERVICE_UNAVAILABLE, _LATER, says_detail=False),
}

# What the framework itself refuses: status → code, title, advice.
_FRAMEWORK: Mapping[int, tuple[str, Text, Text]] = {
    400: ("malformed_input", errors.MalformedInput.title, _CORRECT),
    401: ("unauthenticated", errors.Unauthenticated.title, ROWS[errors.Unauthenticated].next),
    403: ("not_permitted", errors.NotPermitted.title, ROWS[errors.NotPermitted].next),
    404: ("not_found", errors.NotFound.title, Text("请核对访问地址", "Check the address")),
    405: (
        "method_not_allowed",
        Text("不支持该请求方法", "The method is not allowed here"),
        Text("请改用 Allow 列出的方法", "Use a method that Allow lists"),
    ),
    408: (
        "too_slow",
        Text("请求内容传输过慢", "The request came too slowly"),
        Text("请检查网络后重新提交", "Check the connection and send it again"),
    ),
    413: ("too_large", errors.TooLarge.title, ROWS[errors.TooLarge].next),
    415: (
        "unsupported_media_type",
        Text("不支持该内容类型", "The content type is not supported"),
        Text("请改用接口说明中列出的内容类型", "Use a content type that the interface lists"),
    ),
}
_INVALID_REQUEST = Text("请求内容不符合接口要求", "The request does not follow the interface")
_INTERNAL = Text("服务内部错误", "Something went wrong inside the service")

# pydantic's kinds of error, by the beginning of their name; what was sent in is not repeated.
_FAULTS: tuple[tuple[str, Text], ...] = (
    ("missing", Text("缺少必填项", "a required value is missing")),
    ("extra_forbidden", Text("不允许出现此项", "this name is not allowed here")),
    ("string_too", Text("文本长度不合要求", "the text has the wrong length")),
    ("string_pattern", Text("文本格式不合要求", "the text is not of the required form")),
    ("string", Text("须为文本", "must be a text")),
    ("bool", Text("须为 true 或 false", "must be true or false")),
    ("int", Text("须为整数", "must be a whole number")),
    ("list", Text("须为数组", "must be a list")),
    ("too_", Text("数量不合要求", "too few or too many")),
    ("datetime", Text("须为带时区的 RFC 3339 时间", "must be an RFC 3339 time with its zone")),
    ("timezone", Text("须为带时区的 RFC 3339 时间", "must be an RFC 3339 time with its zone")),
    ("date", Text("须为 RFC 3339 日期", "must be an RFC 3339 date")),
    ("literal", Text("不是允许的取值", "not one of the allowed values")),
    ("enum", Text("不是允许的取值", "not one of the allowed values")),
    ("json", Text("不是有效的 JSON", "not valid JSON")),
)
_OTHER_FAULT = Text("取值不合要求", "the value is not allowed")


def install(app: FastAPI, *, slip_of: SlipOf | None = None) -> None:
    """Let every error of this application leave as a problem; refusals with the slip that `slip_of` gives."""
    app.state.slip_of = slip_of
    app.add_exception_handler(errors.YinxinError, _answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_framework)
    app.add_exception_handler(Exception, _answer_unexpected)


def row_of(error: errors.YinxinError) -> Row:
    """The row of an error's class, or of the nearest class above it."""
    return next(ROWS[kind] for kind in type(error).__mro__ if kind in ROWS)  # the root has a row


def problem(
    error: errors.YinxinError, language: Language = "en", *, slip: Mapping[str, Any] | None = None
) -> JSONResponse:
    """The answer that this error leaves as, with its slip where it is a refusal."""
    row = row_of(error)
    members: dict[str, Any] = {"slip": slip} if slip else {}
    if isinstance(error, errors.InvalidClaims | InvalidCatalogue | InvalidMapping):
        members["errors"] = [_fault(name, why, language) for name, why in error.faults[:MAX_FAULTS]]
    if isinstance(error, PlanOutdated):
        members["differences"] = [one.to_dict() for one in error.differences[:MAX_FAULTS]]
    if isinstance(error, errors.IssuanceRefused):
        members["reasons"] = list(error.reasons[:MAX_FAULTS])
    if isinstance(error, errors.VerificationFailed):
        ordered = sorted(error.report.reasons, key=lambda reason: reason.code)
        members["reasons"] = [reason.to_dict() for reason in ordered]
    detail = error.detail if row.says_detail else ""
    return _problem(row.status, error.code, error.title, row.next, language, detail, members, _headers(error))


def language_of(accept_language: str | None) -> Language:
    """The first of our languages by weight (RFC 9110, 12.5.4); English when neither is named."""
    return accepted(accept_language, otherwise="en")


async def _answer_ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.YinxinError):
        raise error
    slip_of: SlipOf | None = getattr(request.app.state, "slip_of", None)
    slip = slip_of(error) if slip_of else None
    answer = problem(error, _language(request), slip=slip)
    if answer.status_code >= 500:
        _LOG.error("%s %s", answer.headers["x-reference"], type(error).__name__, exc_info=error)
    if isinstance(error, errors.Unauthenticated) and pages_of(request):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other("/sign-in?" + urlencode({"next": here}) if request.method == "GET" else "/sign-in")
    advice = getattr(error, "advice", row_of(error).next)
    return _shown(request, answer, error.title, advice, _headers(error), slip)


def _shown(  # noqa: PLR0913, PLR0917 - what the page tells
    request: Request,
    answer: JSONResponse,
    title: Text,
    advice: Text,
    headers: Mapping[str, str] | None = None,
    slip: Mapping[str, Any] | None = None,
) -> Response:
    """The problem as the caller reads it: people on a page, programs as it is."""
    pages = pages_of(request)
    if pages is None:
        return answer
    return pages.answer(
        request,
        "problem.html",
        status=answer.status_code,
        headers=headers,
        title=title,
        next=advice,
        reference=answer.headers["x-reference"],
        slip=slip,
    )


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    language = _language(request)
    faults = [
        _fault(_pointer(item.get("loc", ())), _why(item), language) for item in error.errors()[:MAX_FAULTS]
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _problem(status, "invalid_request", _INVALID_REQUEST, _CORRECT, language, "", {"errors": faults})


async def _answer_framework(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    other = ("request_refused", Text("请求被拒绝", "The request is refused"), _CORRECT)
    code, title, advice = _FRAMEWORK.get(status, other)
    headers = dict(error.headers or {})
    answer = _problem(status, code, title, advice, _language(request), "", {}, headers)
    return _shown(request, answer, title, advice, headers)


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    answer = _problem(status, "internal_error", _INTERNAL, _ASK_OPERATOR, _language(request))
    _LOG.error("%s %s", answer.headers["x-reference"], type(error).__name__, exc_info=error)
    return _shown(request, answer, _INTERNAL, _ASK_OPERATOR)


def _problem(  # noqa: PLR0913, PLR0917 - the members of a problem
    status: HTTPStatus,
    code: str,
    title: Text,
    advice: Text,
    language: Language,
    detail: str = "",
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    reference = random_text(_RANDOMNESS, 9)
    body = {
        "type": PROBLEM_TYPE + code,
        "status": int(status),
        "code": code,
        "title": title.in_language(language),
        "detail": _clean(detail) or title.in_language(language),
        "next": advice.in_language(language),
        "reference": reference,
        **(members or {}),
    }
    answer_headers = {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "X-Reference": reference,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    return JSONResponse(body, int(status), answer_headers, media_type="application/problem+json")


def _headers(error: errors.YinxinError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="yinxin", error="invalid_token"'}
    wait: timedelta | None = getattr(error, "retry_after", None)
    # RFC 9110, 10.2.3: whole seconds, and never a promise that comes too early.
    return {"Retry-After": str(max(1, int(wait.total_seconds() + 0.999)))} if wait is not None else {}


def _fault(place: str, why: Text, language: Language) -> dict[str, str]:
    return {"pointer": place, "detail": why.in_language(language)}


def _why(item: Mapping[str, Any]) -> Text:
    kind = str(item.get("type", ""))
    return next((text for beginning, text in _FAULTS if kind.startswith(beginning)), _OTHER_FAULT)


def _pointer(location: tuple[object, ...]) -> str:
    """An RFC 6901 pointer into the body, or the name of a parameter."""
    steps = [str(step).replace("~", "~0").replace("/", "~1")[:80] for step in location]
    return (
        "/" + "/".join(_clean(step) for step in steps[1:])
        if steps[:1] == ["body"]
        else _clean("/".join(steps))
    )


def _clean(text: str) -> str:
    """Printable text only: what is shown to people must not steer a terminal or a page."""
    return "".join(character if character.isprintable() else "�" for character in text)[:500]


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))

"""What requests and answers look like: the types that check requests, and those of answers.

How requests are told to readers stands in `verify_api.http.request_bodies`.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from verify_api.documents import MAX_PRESENTATION_CHARACTERS
from verify_api.handover import Handover
from verify_api.http.request_bodies import DIGEST, LICENCE, MOMENT, NONCE, THUMBPRINT, TOKEN, WORD
from verify_api.questions import Question
from yinxin.base.errors import MalformedInput

_IS_MOMENT, _IS_LICENCE = re.compile(MOMENT, re.ASCII), re.compile(LICENCE)


def _check_moment(value: object) -> str:
    if not isinstance(value, str) or not _IS_MOMENT.fullmatch(value):
        raise ValueError("not a moment")
    return value


def _check_licence(value: object) -> str:
    if not isinstance(value, str) or not _IS_LICENCE.fullmatch(value):
        raise ValueError("not a number")
    return value


Word = Annotated[str, StringConstraints(strict=True, pattern=WORD)]
SessionText = Annotated[str, StringConstraints(strict=True, pattern=TOKEN, max_length=2048)]
Moment = Annotated[AwareDatetime, BeforeValidator(_check_moment)]
BothLanguages = dict[str, str]


FILES = ("document", "signature")


class _Session(BaseModel):
    """The caller's own session that an mdoc was shown in."""

    model_config = ConfigDict(extra="forbid")

    client_id: SessionText | None = None
    response_uri: SessionText | None = None
    origin: SessionText | None = None
    encryption_thumbprint: Annotated[str, StringConstraints(strict=True, pattern=THUMBPRINT)] | None = None


class _VerificationRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    document: Annotated[bytes, Field(strict=True)] | None = None
    signature: Annotated[bytes, Field(strict=True)] | None = None
    content_digest: Annotated[str, StringConstraints(strict=True, pattern=DIGEST)] | None = None
    presentation: (
        Annotated[str, StringConstraints(strict=True, pattern=TOKEN, max_length=MAX_PRESENTATION_CHARACTERS)]
        | None
    ) = None
    nonce: Annotated[str, StringConstraints(strict=True, pattern=NONCE)] | None = None
    session: _Session | None = None
    licence: Annotated[str, BeforeValidator(_check_licence)] | None = None
    licence_type: Word | None = None
    purpose: Word | None = None
    matter: Word | None = None
    claims: Annotated[list[Word], Field(max_length=64)] | None = None
    as_of: Moment | None = None
    known_at: Moment | None = None


def read_question(values: dict[str, Any]) -> Question:
    """The question in a request's values; FastAPI's `RequestValidationError` names what is wrong in it."""
    # Before each name is looked at: a hundred thousand wrong ones take a second of everybody's time.
    if len(values) > len(_VerificationRequest.model_fields):
        raise MalformedInput("request", "it has more names than there are")
    if any(value is None for value in values.values()):
        raise MalformedInput("request", "leave out what has no value")
    try:
        request = _VerificationRequest.model_validate(values)
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_context=False, include_input=False)
        located = [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        raise RequestValidationError(located) from exc
    return Question(
        document=request.document,
        signature=request.signature,
        content_digest=request.content_digest,
        presentation=request.presentation,
        nonce=request.nonce,
        session=_handover(request.session) if request.session else None,
        licence=request.licence,
        licence_type=request.licence_type,
        purpose=request.purpose or "",
        matter=request.matter or "",
        claims=tuple(dict.fromkeys(request.claims)) if request.claims is not None else None,
        as_of=request.as_of,
        known_at=request.known_at,
    )


def _handover(session: _Session) -> Handover:
    return Handover(session.client_id, session.response_uri, session.origin, session.encryption_thumbprint)


def decode_document(values: dict[str, Any]) -> dict[str, Any]:
    """A JSON request's values with the files in it decoded."""
    return {**values, **{name: _decoded(name, values[name]) for name in FILES if name in values}}


def _decoded(name: str, value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as exc:
        raise MalformedInput(name, "not base64") from exc


class _Schema(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(_Schema):
    """问题说明（RFC 9457） / What went wrong."""

    type: str
    status: int
    code: str
    title: str
    detail: str
    next: str
    reference: str


class OAuthProblem(_Schema):
    """令牌错误（RFC 6749） / Why there is no token."""

    error: str
    error_description: str | None = None


class TokenAnswer(_Schema):
    """访问令牌 / An access token."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class NonceAnswer(_Schema):
    """一次性随机数与出示对象 / A nonce, and the audience that the presentation must name."""

    nonce: str
    audience: str
    expires_at: str


class Digest(_Schema):
    """文件摘要 / The digest of what was handed in."""

    algorithm: str
    value: str


class ReasonAnswer(_Schema):
    """原因 / Why."""

    code: str
    indication: str
    clause: str
    text: BothLanguages
    next_step: BothLanguages


class StatusAnswer(_Schema):
    """现状与所查时点的状态 / The standing now, and at the moment asked about."""

    now: dict[str, Any] | None
    as_of: dict[str, Any] | None


class SlipAnswer(_Schema):
    """告知单：编号、原因、下一步、向谁咨询 / A slip: number, reason, next step, whom to ask."""

    number: str
    kind: str
    code: str
    reason: BothLanguages
    next: BothLanguages
    ask: dict[str, Any]
    at: str
    kept_until: str


class VerificationAnswer(_Schema):
    """部门核验结果 / What a department hears."""

    id: str
    subject: str
    digest: Digest
    indication: str = Field(description="当前结论 / The verdict now: passed, failed, indeterminate")
    then: str = Field(
        description="签发时或所查时点的结论 / The verdict at signing, or at the moment asked about"
    )
    en_319_102_1: dict[str, str | None] | None = Field(
        default=None,
        description="当前结论的 EN 319 102-1 用语 / The verdict now in the words of EN 319 102-1",
    )
    text: BothLanguages
    at: str
    known_at: str
    status: StatusAnswer
    reasons: list[ReasonAnswer]
    checks: list[dict[str, Any]]
    signatures: list[dict[str, Any]]
    licence: dict[str, Any] | None
    claims: dict[str, Any] = Field(description="授权范围内的字段 / Fields within the grant")
    policy: str
    snapshots: dict[str, str]
    purpose: str
    matter: str
    audit: str
    repeats: str | None = None
    acting: dict[str, Any] | None = Field(
        default=None,
        description="经办人代表持有人，依据委托书 / Who acts for the holder, under which delegation",
    )
    receipt: str = Field(description="验证回执（JWS） / The signed receipt")
    slip: SlipAnswer | None = Field(default=None, description="未通过时的告知单 / The slip, unless it passed")


class AnonymousStatus(_Schema):
    """状态 / The status."""

    state: str
    text: BothLanguages


class AnonymousAnswer(BaseModel):
    """未认证时只有结论与状态 / Without authentication: verdict and status only."""

    model_config = ConfigDict(extra="forbid")

    indication: str
    text: BothLanguages
    status: AnonymousStatus | None
    slip: SlipAnswer | None = Field(default=None, description="未通过时的告知单 / The slip, unless it passed")


class RecordAnswer(_Schema):
    """核验记录（不含证照内容） / A recorded verification, without claims."""

    id: str
    at: str
    indication: str
    then: str
    reasons: list[ReasonAnswer]
    purpose: str
    matter: str
    digest: Digest
    audit: str
    clerk: str | None = Field(
        default=None, description="经办人（柜台核验） / The clerk who asked, at a counter"
    )
    receipt: str


class NoticeAnswer(_Schema):
    """变更通知 / What became of a licence that the department accepted."""

    id: str
    licence: str
    type: str
    event: dict[str, Any] = Field(
        description="事项、生效与登记时间 / What happened, since when, recorded when"
    )
    text: BothLanguages = Field(description="该版证照的现状 / How that version stands now")
    versions: list[str] = Field(description="取代它的证照 / The licences that took its place")
    fields: list[dict[str, Any]] = Field(
        description="变更的字段；授权范围内的附前后内容 / Changed fields; with values where granted"
    )
    told_at: str


class NoticesAnswer(_Schema):
    """待确认的通知 / Notices that wait."""

    notices: list[NoticeAnswer]


class AcknowledgedAnswer(_Schema):
    """已确认 / Acknowledged."""

    id: str
    acknowledged_at: str


class Keys(_Schema):
    """公钥 / Public keys."""

    keys: list[dict[str, Any]]


class Health(_Schema):
    """运行状况 / Health."""

    status: str

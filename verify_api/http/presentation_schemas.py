"""What requests and answers of presentation sessions look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from credentials.oid4vp.transactions import TYPES
from credentials.oid4vp.vocabulary import MAX_URL_CHARACTERS
from verify_api.http.schemas import BothLanguages, VerificationAnswer, Word
from verify_api.presentations.templates import MAX_STATEMENT, MAX_TYPES, Transaction, Wish
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text


def _check_line(value: object) -> str:
    """One line of plain text, as a wallet shows it."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_STATEMENT or not value.isprintable():
        raise ValueError("not a plain line")
    return value


_Line = Annotated[str, BeforeValidator(_check_line)]
_Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Both(BaseModel):
    model_config = ConfigDict(extra="forbid")

    zh: _Line
    en: _Line

    def text(self) -> Text:
        return Text(self.zh, self.en)


class _Transaction(BaseModel):
    """持有人须一并确认的事项 / What the holder shall agree to as well."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(json_schema_extra={"enum": sorted(TYPES)})]
    statement: _Both
    details: Annotated[dict[str, _Line], Field(max_length=4)]


class PresentationWish(BaseModel):
    """请求持有人出示 / A request for a presentation."""

    model_config = ConfigDict(extra="forbid")

    purpose: Word
    matter: Word
    types: Annotated[list[_Code], Field(min_length=1, max_length=MAX_TYPES)]
    match: Literal["all", "any"] = "all"
    claims: Annotated[list[Word], Field(max_length=64)] | None = None
    reason: _Both | None = None
    device: Literal["same", "cross"] = "cross"
    return_url: (
        Annotated[str, StringConstraints(strict=True, pattern=r"^https?://", max_length=MAX_URL_CHARACTERS)]
        | None
    ) = None
    encrypted: Annotated[bool, Field(strict=True)] = True
    transaction: _Transaction | None = None
    agents: Annotated[bool, Field(strict=True)] = False
    forms: Annotated[list[Literal["sd-jwt-vc", "mdoc"]], Field(min_length=1, max_length=2)] = ["sd-jwt-vc"]


def read_wish(values: dict[str, Any]) -> Wish:
    """The wish in a request's values; FastAPI's `RequestValidationError` names what is wrong in it."""
    if any(value is None for value in values.values()):
        raise MalformedInput("request", "leave out what has no value")
    try:
        read = PresentationWish.model_validate(values)
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from exc
    agreed = read.transaction
    return Wish(
        purpose=read.purpose,
        matter=read.matter,
        types=tuple(read.types),
        any_type=read.match == "any",
        claims=tuple(dict.fromkeys(read.claims)) if read.claims is not None else None,
        reason=read.reason.text() if read.reason else None,
        same_device=read.device == "same",
        return_url=read.return_url,
        encrypted=read.encrypted,
        transaction=Transaction(agreed.type, agreed.statement.text(), agreed.details) if agreed else None,
        agents=read.agents,
        forms=tuple(dict.fromkeys(read.forms)),
    )


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class TemplatesAnswer(_Answer):
    """本部门可以请求出示的内容 / What the department may ask for."""

    templates: list[dict[str, Any]]


class StartedAnswer(_Answer):
    """已发起的出示请求 / A session that has begun."""

    id: str
    link: str = Field(description="打开电子钱包的链接 / The link that opens a wallet")
    expires_at: str
    match_code: str = Field(description="核对码，与钱包所示一致 / Two digits that the wallet shows too")
    qr: str | None = Field(default=None, description="二维码（SVG） / The link as a QR code (SVG)")


class PresentationAnswer(_Answer):
    """出示请求的进展与结果 / How a session stands."""

    id: str
    state: str
    expires_at: str
    purpose: str
    matter: str
    types: list[str]
    match_code: str
    indication: str | None = None
    reasons: list[str] | None = None
    verifications: list[str] | None = None
    error: str | None = None
    results: dict[str, list[VerificationAnswer]] | None = None


class WalletAnswer(_Answer):
    """给钱包的答复 / What a wallet hears."""

    redirect_uri: str | None = None


class WalletProblem(_Answer):
    """给钱包的错误（RFC 6749） / Why a wallet is refused."""

    error: str
    error_description: str


__all__ = [
    "BothLanguages",
    "PresentationAnswer",
    "PresentationWish",
    "StartedAnswer",
    "TemplatesAnswer",
    "WalletAnswer",
    "WalletProblem",
    "read_wish",
]

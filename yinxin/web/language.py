"""Which language a page speaks: what was chosen, else what the browser asks for, else Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from yinxin.base.text import Language

PARAMETER, COOKIE = "lang", "yinxin-language"
_YEAR_SECONDS = 365 * 24 * 3600
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


def language_of(request: Request) -> Language:
    """`?lang=` above the cookie above `Accept-Language`; Chinese when nothing of ours is named."""
    for wish in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if wish == "zh":
            return "zh"
        if wish == "en":
            return "en"
    return accepted(request.headers.get("accept-language"))


def remember_language(request: Request, answer: Response) -> None:
    """Keep a choice made by `?lang=` for the next pages."""
    if request.query_params.get(PARAMETER) in TAGS:
        language = language_of(request)
        answer.set_cookie(COOKIE, language, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")


def in_other_language(request: Request) -> str | None:
    """The address of this page in the other language; None for a page that cannot be asked for again."""
    if request.method not in {"GET", "HEAD"}:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != PARAMETER]
    other = "en" if language_of(request) == "zh" else "zh"
    return f"{request.url.path}?{urlencode([*kept, (PARAMETER, other)])}"


def accepted(header: str | None, *, otherwise: Language = "zh") -> Language:
    """The first of our languages by weight (RFC 9110, 12.5.4); `otherwise` when neither is named."""
    best: tuple[float, Language] = (0.0, otherwise)
    for item in (header or "")[:500].split(","):
        tag, _, options = item.strip().partition(";")
        name, weight = tag.strip().lower().partition("-")[0], _weight(options)
        if weight > best[0] and name in {"zh", "en"}:
            best = (weight, "zh" if name == "zh" else "en")
    return best[1]


def _weight(options: str) -> float:
    name, _, value = options.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0

"""What every page of the verifier does with a request: who may ask how often, what a form may say."""

# ruff: noqa: RUF009 - a `Limit` is a frozen value
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import segno

from verify_api.documents import MAX_DOCUMENT_BYTES
from verify_api.questions import MAX_SIGNATURE_BYTES, Question
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.errors import TooLarge, UsageError
from yinxin.base.text import Text
from yinxin.web.bodies import read_multipart
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

# Nobody who only looks something up gets a cookie; clerks have one anyway.
PUBLIC_PAGES, PAGES = Pages("verify_api.pages", remember=False), Pages("verify_api.pages")
FORM_BYTES = 64 * 1024  # what stands around a file, or a form without one
_LICENCE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,160}")


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How often, and how large a file. A camera asks several times a second."""

    public: Limit = Limit("public-page", 10, 30)
    public_all: Limit = Limit("public-page-all", 200, 1200)  # everybody together
    scan: Limit = Limit("scan", 60, 240)
    clerk: Limit = Limit("clerk", 60, 240)
    public_file_bytes: int = 3 << 20
    clerk_file_bytes: int = MAX_DOCUMENT_BYTES


class Faulty(UsageError):
    """A form that cannot be meant; `.text` is said above the form again."""

    code = "faulty_form"
    title = Text("表单填写有误", "The form is not filled in rightly")

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def count(buckets: Buckets, request: Request, *, now: datetime, caller: str | None = None) -> None:
    """Take one of the caller's turns, by address unless named; `TooManyRequests` when none is left."""
    buckets.take(caller or caller_of(request.client.host if request.client else ""), now=now)


async def read_handed_in(request: Request, *, most_bytes: int) -> dict[str, Any]:
    """A form with a file, its signature or a number; an empty place is as if it were not there."""
    limit = most_bytes + MAX_SIGNATURE_BYTES + FORM_BYTES
    values = await read_multipart(request, limit=limit, files=("document", "signature"))
    if len(values.get("document", b"")) > most_bytes:
        raise TooLarge("document", f"over {most_bytes} bytes")
    return {name: value for name, value in values.items() if value not in {"", b""}}


def question_of(values: dict[str, Any], *, purpose: str = "", matter: str = "") -> Question:
    """The question in a form; `Faulty` unless it has one of file and number.

    A signature goes with its file, or alone where it carries its content.
    """
    document, licence, signature = (values.get(name) for name in ("document", "licence", "signature"))
    if (document is None and signature is None) == (licence is None):
        raise Faulty(PAGES.text("form.one_of"))
    if licence is not None and not _LICENCE.fullmatch(licence.strip()):
        raise Faulty(PAGES.text("form.number_wrong"))
    number = licence.strip() if licence else None
    return Question(document=document, licence=number, signature=signature, purpose=purpose, matter=matter)


def qr_code(text: str) -> str:
    """A QR code as SVG, which a template may put on a page as it is: nothing of the text stands in it."""
    code = segno.make(text, micro=False, error="m")
    return str(code.svg_inline(scale=4, omitsize=True, svgclass=None, lineclass=None))

"""Request bodies, read under limits: size while it arrives, time, form, encoding; nothing touches a disk.

What a client declares is never believed: `Content-Length` is compared with what came, compressed bodies
are refused, and a file's name and type are not looked at.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, TooLarge
from yinxin.web.multipart import Parts

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

BODY_SECONDS = 30.0
MAX_FIELDS = 40
FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"


async def read_json(request: Request, *, limit: int) -> dict[str, Any]:
    """The body as a strict JSON object."""
    _require_type(request, JSON)
    return load_json_object(await read_body(request, limit=limit))


async def read_json_or_nothing(request: Request, *, limit: int) -> dict[str, Any]:
    """The body as a strict JSON object, and an empty one where there is no body."""
    body = await read_body(request, limit=limit)
    if not body:
        return {}
    _require_type(request, JSON)
    return load_json_object(body)


async def read_form(request: Request, *, limit: int) -> dict[str, str]:
    """The body as a form; a repeated name is refused (RFC 6749, 3.2)."""
    _require_type(request, FORM)
    return parse_form(await read_body(request, limit=limit))


async def read_choices(request: Request, *, limit: int) -> dict[str, list[str]]:
    """The body as a form in which a name may come several times, as ticked boxes do."""
    _require_type(request, FORM)
    found: dict[str, list[str]] = {}
    for name, value in _pairs(await read_body(request, limit=limit)):
        found.setdefault(name, []).append(value)
    return found


def parse_form(data: bytes) -> dict[str, str]:
    """Names and values of a form; `MalformedInput` for a name that comes twice."""
    pairs = _pairs(data)
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedInput("form", "a parameter is repeated")
    return dict(pairs)


async def read_multipart(
    request: Request,
    *,
    limit: int,
    files: Collection[str] = ("document",),
    lists: Collection[str] = ("claims",),
) -> dict[str, Any]:
    """The body as `multipart/form-data`: texts by name, `files` as bytes; `lists` may be repeated."""
    _require_type(request, MULTIPART)
    _, options = parse_options_header(request.headers.get("content-type", ""))
    body = await read_body(request, limit=limit)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise MalformedInput("multipart", "no boundary")
    parts = Parts(frozenset(files), frozenset(lists))
    try:
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as exc:
        raise MalformedInput("multipart", "not multipart/form-data") from exc
    if not parts.is_whole:
        raise MalformedInput("multipart", "it ends too early")
    return parts.values


async def read_body(request: Request, *, limit: int) -> bytes:
    """The whole body, or `TooLarge` as soon as it is over `limit` bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415)
    declared = _declared(request)
    if declared is not None and declared > limit:
        raise TooLarge("request body", f"over {limit} bytes")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _collect(request, limit)
    except TimeoutError as exc:
        raise HTTPException(408) from exc
    except ClientDisconnect as exc:
        raise HTTPException(400) from exc
    if declared is not None and declared != len(body):
        raise MalformedInput("request body", "not as long as Content-Length says")
    return body


def media_type(request: Request) -> str:
    """The declared media type, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_type(request: Request, wanted: str) -> None:
    if media_type(request) != wanted:
        raise MalformedInput("request body", f"the content type must be {wanted}")


def _pairs(data: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            data.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as exc:
        raise MalformedInput("form", "not a form") from exc


async def _collect(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > limit:
            raise TooLarge("request body", f"over {limit} bytes")
        body += chunk
    return bytes(body)


def _declared(request: Request) -> int | None:
    values = request.headers.getlist("content-length")
    if not values:
        return None
    if len(values) != 1 or not values[0].isascii() or not values[0].isdigit() or len(values[0]) > 18:
        raise MalformedInput("request body", "Content-Length is not a number")
    return int(values[0])

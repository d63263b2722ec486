"""Read what wallets send, under limits: size while it arrives, time, form, repeated parameters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect

from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_SECONDS = 15.0
MAX_FORM_BYTES = 32 * 1024
MAX_JSON_BYTES = 128 * 1024
MAX_FIELDS = 40


async def read_form(request: Request) -> dict[str, str]:
    """The body as a form; a repeated name is refused (RFC 6749, 3.2)."""
    _require_type(request, "application/x-www-form-urlencoded")
    return parse_form(await read_body(request, limit=MAX_FORM_BYTES))


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a strict JSON object."""
    _require_type(request, "application/json")
    return load_json_object(await read_body(request, limit=MAX_JSON_BYTES))


def parse_form(data: bytes) -> dict[str, str]:
    """Names and values of a form; `MalformedInput` for a name that comes twice."""
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as exc:
        raise MalformedInput("form", "not a form") from exc
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedInput("form", "a parameter is repeated")
    return dict(pairs)


async def read_body(request: Request, *, limit: int) -> bytes:
    """The whole body; `TooLarge` as soon as it is over `limit` bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise MalformedInput("request body", "compressed bodies are not read")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(request, limit)
    except (TimeoutError, ClientDisconnect) as exc:
        raise MalformedInput("request body", "it did not come in time") from exc


async def _collect(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge("request body", f"over {limit} bytes")
    return bytes(body)


def _require_type(request: Request, wanted: str) -> None:
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != wanted:
        raise MalformedInput("request body", f"the content type must be {wanted}")

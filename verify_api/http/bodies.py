"""Request bodies, read under limits: size while it arrives, time, form, encoding; nothing touches a disk.

What a client declares is never believed: `Content-Length` is compared with what came, compressed bodies
are refused, and a file's name and type are not looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_SECONDS = 30.0
MAX_PARTS = 32
MAX_PART_HEADER_BYTES = 4096
MAX_TEXT_PART_BYTES = 512 * 1024
FILE_FIELD = "document"


async def read_json(request: Request, *, limit: int) -> dict[str, Any]:
    """The body as a strict JSON object."""
    return load_json_object(await read_body(request, limit=limit))


async def read_form(request: Request, *, limit: int) -> dict[str, str]:
    """The body as `application/x-www-form-urlencoded`; a repeated name is refused (RFC 6749, 3.2)."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise MalformedInput("form", "application/x-www-form-urlencoded is needed")
    body = await read_body(request, limit=limit)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARTS, errors="strict"
        )
    except ValueError as exc:
        raise MalformedInput("form", "not a form") from exc
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedInput("form", "a parameter is repeated")
    return dict(pairs)


async def read_multipart(request: Request, *, limit: int) -> dict[str, Any]:
    """The body as `multipart/form-data`: texts by name, `document` as bytes; `claims` may be repeated."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    body = await read_body(request, limit=limit)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise MalformedInput("multipart", "no boundary")
    parts = _Parts()
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


async def _collect(request: Request, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge("request body", f"over {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _declared(request: Request) -> int | None:
    values = request.headers.getlist("content-length")
    if not values:
        return None
    if len(values) != 1 or not values[0].isascii() or not values[0].isdigit() or len(values[0]) > 18:
        raise MalformedInput("request body", "Content-Length is not a number")
    return int(values[0])


@dataclass
class _Parts:
    """Collects the parts that the parser finds."""

    values: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False
    _count: int = 0
    _header_name: bytearray = field(default_factory=bytearray)
    _header_value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _data: bytearray = field(default_factory=bytearray)
    _name: str = ""

    def callbacks(self) -> dict[str, Any]:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": lambda data, start, end: self._grow(self._header_name, data, start, end),
            "on_header_value": lambda data, start, end: self._grow(self._header_value, data, start, end),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise TooLarge("multipart", f"over {MAX_PARTS} parts")
        self._disposition, self._data, self._name = b"", bytearray(), ""

    def _begin_header(self) -> None:
        self._header_name, self._header_value = bytearray(), bytearray()

    @staticmethod
    def _grow(target: bytearray, data: bytes, start: int, end: int) -> None:
        if len(target) + end - start > MAX_PART_HEADER_BYTES:
            raise TooLarge("multipart", "a part's header is too long")
        target += data[start:end]

    def _end_header(self) -> None:
        name = bytes(self._header_name).lower()
        if name == b"content-disposition":
            self._disposition = bytes(self._header_value)
        if name == b"content-transfer-encoding" and bytes(self._header_value).lower() not in {
            b"binary",
            b"8bit",
            b"7bit",
        }:
            raise MalformedInput("multipart", "RFC 7578, 4.7: no transfer encoding")

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or not options.get(b"name"):
            raise MalformedInput("multipart", "a part without a name")
        self._name = _utf8(options[b"name"])

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._name != FILE_FIELD and len(self._data) + end - start > MAX_TEXT_PART_BYTES:
            raise TooLarge("multipart", f"a text is over {MAX_TEXT_PART_BYTES} bytes")
        self._data += data[start:end]

    def _end(self) -> None:
        if self._name == "claims":
            self.values.setdefault("claims", []).append(_utf8(bytes(self._data)))
            return
        if self._name in self.values:
            raise MalformedInput("multipart", "a name is repeated")
        content = bytes(self._data)
        self.values[self._name] = content if self._name == FILE_FIELD else _utf8(content)

    def _finish(self) -> None:
        self.is_whole = True


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedInput("multipart", "a text is not UTF-8") from exc

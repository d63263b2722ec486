"""What the office's JSON routes share: who calls, and how an answer leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request, Response

from signing.jose import dump_json
from yinxin.base.actor import Actor

# Gives who calls, or raises `Unauthenticated`: the office's entrance makes it.
Enter = Callable[[Request], Awaitable[Actor]]
HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(
    content: dict[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Plain JSON that nobody keeps."""
    return Response(dump_json(content), status, {**HEADERS, **(headers or {})}, "application/json")

"""The camera, where the browser reads no codes itself: one picture at a time, decoded elsewhere, not kept.

Only a link that the wallet has a task for is told back to the page's script; what else a code may say stays
unsaid, and nothing is followed from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request, Response  # noqa: TC002 - FastAPI reads the annotations
from fastapi.responses import JSONResponse

from wallet.links import task_of
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_body

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wallet.pages.desk import Desk

MAX_FRAME_BYTES = 1 << 20


def add(routes: APIRouter, desk: Desk) -> None:
    """The route, where somebody can decode."""
    read_frame = desk.read_frame
    if read_frame is None:
        return

    @routes.post("/scan")
    async def scan(request: Request) -> Response:
        await desk.scanner(request)
        width, height = (_side(request, name) for name in ("width", "height"))
        if width * height > MAX_FRAME_BYTES:
            raise MalformedInput("frame", "too large")
        frame = await read_body(request, limit=width * height)
        texts = await read_frame(width, height, frame)
        link = next((text for text in texts if task_of(text)), None)
        return JSONResponse({"found": bool(texts), "link": link}, headers={"Cache-Control": "no-store"})


def _side(request: Request, name: str) -> int:
    value = request.query_params.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 5):
        raise MalformedInput("frame", f"{name} is no number")
    return int(value)

"""Around every role's application: health, readiness, a number for each request, its log line, its metrics.

Paths may name licences and verifications, so what is logged and counted is the template of the route that
answered, never the path. A request's number is ours; what a caller calls it is not repeated.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders

from yinxin.app.observing.logs import FACTS, REQUEST
from yinxin.app.observing.metrics import METHODS, OTHER
from yinxin.app.observing.readiness import DATABASE_AWAY
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from yinxin.app.observing.metrics import Metrics
    from yinxin.app.observing.readiness import Readiness, Reason

HEALTH, READY = "/healthz", "/readyz"
READY_SECONDS = 5.0  # a database that takes longer to answer counts as away
NO_ANSWER = 499  # the caller went away before there was one
_QUIET = frozenset({HEALTH, READY})  # asked every few seconds: counted, not logged
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_RANDOMNESS = SystemRandomness()  # of numbers that protect nothing
_log = logging.getLogger("yinxin.request")


class Watched:
    """An application of a role with all this around it."""

    def __init__(self, app: ASGIApp, *, role: str, ready: Readiness, metrics: Metrics) -> None:
        self._app = app
        self._role = role
        self._ready = ready
        self._metrics = metrics
        self._known: tuple[Reason, ...] = ()
        self.open = 0  # requests that are being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, began = random_text(_RANDOMNESS, 9), time.perf_counter()
        token = REQUEST.set(number)
        status = NO_ANSWER

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = number
            await send(message)

        self.open += 1
        try:
            await self._answer(scope, receive, send_numbered)
        except Exception:
            status = 500  # the server says so after us
            raise
        finally:
            self.open -= 1
            self._tell(scope, status, time.perf_counter() - began)
            REQUEST.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"} and scope["path"] == HEALTH:
            await _say(send, 200, {"status": "ok"})
        elif scope["method"] in {"GET", "HEAD"} and scope["path"] == READY:
            await _say(send, *await self._readiness())
        else:
            await self._app(scope, receive, send)

    async def _readiness(self) -> tuple[int, dict[str, Any]]:
        try:
            found: tuple[Reason, ...] = await asyncio.wait_for(
                run_in_threadpool(self._ready.look), READY_SECONDS
            )
        except TimeoutError:
            found = (DATABASE_AWAY,)
        stopped = any(reason.stops for reason in found)
        self._metrics.ready.labels(self._role).set(not stopped)
        if found != self._known:
            self._known = found
            _log.warning("readiness changed", extra={FACTS: {"against": [reason.code for reason in found]}})
        said = {"reasons": [reason.to_dict() for reason in found]} if found else {}
        return (503, {"status": "not_ready", **said}) if stopped else (200, {"status": "ready", **said})

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = route_of(scope)
        self._metrics.count(self._role, method, route, status, seconds)
        if route not in _QUIET:
            # A record made by hand: looking for who logged it would cost more than all the rest.
            record = logging.LogRecord(_log.name, logging.INFO, "", 0, "answered", (), None)
            facts = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
            setattr(record, FACTS, facts)
            _log.handle(record)


def route_of(scope: Scope) -> str:
    """The template of the route that answered; `other` when none did."""
    if scope["path"] in _QUIET:
        return str(scope["path"])
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else OTHER


async def _say(send: Send, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content, ensure_ascii=False).encode("utf-8")
    names = {**_HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body))}
    headers = [(name.lower().encode(), value.encode()) for name, value in names.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""An application that serves verification and nothing else; `yinxin.app` runs it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders

from verify_api.http.notices import notice_router
from verify_api.http.presentations import presentation_router
from verify_api.http.routes import HEADERS, Authenticate, router
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from verify_api.http.limits import Limits
    from verify_api.notices import DepartmentNotices
    from verify_api.presentations.service import PresentationService
    from verify_api.service import VerificationService

TIDY_SECONDS = 600.0
_LOG = logging.getLogger("yinxin.verify")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


def create_app(  # noqa: PLR0913 - what an application is made of
    service: VerificationService,
    *,
    install_problems: Callable[[FastAPI], None],
    authenticate: Authenticate | None = None,
    limits: Limits | None = None,
    presentations: PresentationService | None = None,
    notices: DepartmentNotices | None = None,
    tidies: bool = True,
) -> FastAPI:
    """The application. `install_problems` says how errors leave (`yinxin.app.problems.install`).

    With `presentations` departments can ask wallets too (OpenID4VP), with `notices` they hear what becomes of
    licences that they accepted. `tidies`: whether this process forgets what is over; of
    several one is enough.

    Its life begins with the worker processes and ends with the service's `close`.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.workers.start()
        tidying = asyncio.create_task(_tidy(service, presentations)) if tidies else None
        yield
        if tidying:
            tidying.cancel()
            with suppress(asyncio.CancelledError):
                await tidying
        service.close()
        if presentations:
            presentations.close()

    app = FastAPI(
        title="印信核验服务 / yinxin verification",
        version="1",
        summary="核验电子证照与电子印章 / Verify e-licences and e-seals",
        openapi_url="/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
    )
    app.include_router(router(service, authenticate, limits=limits))
    if presentations:
        app.include_router(presentation_router(presentations, authenticate, limits=limits))
    if notices:
        app.include_router(notice_router(notices, service, authenticate, limits=limits))
    app.add_middleware(SecurityHeaders)
    install_problems(app)
    _describe_security(app, service.url)
    return app


async def _tidy(service: VerificationService, presentations: PresentationService | None) -> None:
    while True:
        try:
            await service.purge()
            if presentations:
                await presentations.purge()
        except YinxinError:  # the database is away: the next round will do
            _LOG.warning("nothing was purged", exc_info=True)
        await asyncio.sleep(TIDY_SECONDS)


class SecurityHeaders:
    """Adds the security headers that an answer has none of, and what a route left in the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**SECURITY_HEADERS, **scope.get(HEADERS, {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _describe_security(app: FastAPI, url: str) -> None:
    """Name the OAuth flow in the OpenAPI document: authentication is a function here, not a dependency."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        flow = {"tokenUrl": f"{url}/v1/token", "scopes": {"verify": "核验 / verify"}}
        schemes = {"department": {"type": "oauth2", "flows": {"clientCredentials": flow}}}
        document.setdefault("components", {})["securitySchemes"] = schemes
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way

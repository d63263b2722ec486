"""The page for anybody: a file, a number or the camera in; verdict, status and reasons out.

Nobody is known here, no cookie is set and nothing of what was handed in is kept or named in an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from verify_api.pages.frames import Frame, size_of
from verify_api.pages.handling import (
    PUBLIC_PAGES,
    Faulty,
    PageLimits,
    count,
    qr_code,
    question_of,
    read_handed_in,
)
from verify_api.pages.scanned import ScannedKind, classify, first, origin_of
from verify_api.pages.views import content_for_anybody, result_view
from yinxin.base.buckets import Buckets
from yinxin.base.errors import Conflict, MalformedInput, TooLarge, Unauthenticated
from yinxin.web.bodies import media_type, read_body
from yinxin.web.guards import require_same_origin
from yinxin.web.language import language_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from credentials.catalogue import Catalogue
    from verify_api.pages.frames import Scanner
    from verify_api.pages.scanned import Scanned
    from verify_api.service import VerificationService
    from yinxin.base.text import Text

_SAID = {
    ScannedKind.FOREIGN: "scan.foreign",
    ScannedKind.WALLET: "scan.wallet",
    ScannedKind.UNKNOWN: "scan.unknown",
}


def public_router(
    service: VerificationService,
    *,
    catalogue: Catalogue,
    scanner: Scanner,
    trusted_hosts: Collection[str] = (),
    limits: PageLimits | None = None,
) -> APIRouter:
    """`/` and `/scan`. `trusted_hosts` are addresses whose printed codes count, beside the service's own."""
    pages, bounds = PUBLIC_PAGES.router(), limits or PageLimits()
    _add_page(pages, service, catalogue, bounds)
    routes = APIRouter(include_in_schema=False)  # its answers are for a script, errors too
    _add_scan(routes, service, scanner, frozenset(map(origin_of, (service.url, *trusted_hosts))), bounds)
    for more in (pages, PUBLIC_PAGES.static_routes()):
        routes.include_router(more)
    return routes


def _add_page(
    routes: APIRouter, service: VerificationService, catalogue: Catalogue, limits: PageLimits
) -> None:
    each, together = Buckets(limits.public), Buckets(limits.public_all)
    origin, most_bytes = origin_of(service.url), limits.public_file_bytes

    def form(request: Request, status: int = 200, wrong: Text | None = None) -> Response:
        return PUBLIC_PAGES.answer(
            request,
            "public.html",
            status=status,
            camera=True,
            most_bytes=most_bytes,
            wrong=wrong,
        )

    @routes.get("/")
    async def page(request: Request) -> Response:
        return form(request)

    @routes.post("/")
    async def check(request: Request) -> Response:
        require_same_origin(request, origin)
        now = service.clock.now()
        count(each, request, now=now)
        count(together, request, now=now, caller="all")
        try:
            question = question_of(await read_handed_in(request, most_bytes=most_bytes))
            assessment, reference = await service.assess_for_anybody(question)
        except Faulty as exc:
            return form(request, 400, exc.text)
        except TooLarge:
            return form(request, 413, PUBLIC_PAGES.text("file.too_large"))
        except Unauthenticated:  # a wallet's credential: nobody here asked for it
            return form(request, 400, PUBLIC_PAGES.text("form.presentation"))
        except Conflict:  # a number that is not one licence's alone
            return form(request, 409, PUBLIC_PAGES.text("form.ambiguous"))
        content = content_for_anybody(assessment, reference)
        content |= service.slip_for_anybody(assessment, reference)
        return PUBLIC_PAGES.answer(
            request,
            "public_result.html",
            result=result_view(content, catalogue, service.snapshots),
            url=service.url,
            code=qr_code(service.url),
        )


def _add_scan(
    routes: APIRouter,
    service: VerificationService,
    scanner: Scanner,
    trusted: frozenset[str],
    limits: PageLimits,
) -> None:
    buckets, origin = Buckets(limits.scan), origin_of(service.url)

    @routes.post("/scan")
    async def scan(request: Request) -> Response:
        require_same_origin(request, origin)
        count(buckets, request, now=service.clock.now())
        frame = await _frame(request)
        found = first(classify(text, trusted=trusted) for text in await scanner.read(frame))
        return JSONResponse(_said(found, request), headers={"Cache-Control": "no-store"})


async def _frame(request: Request) -> Frame:
    values = request.query_params.multi_items()
    if sorted(name for name, _ in values) != ["height", "width"]:
        raise MalformedInput("frame", "width and height are needed")
    sides = {
        name: int(value) for name, value in values if value.isascii() and value.isdigit() and len(value) < 5
    }
    if len(sides) != 2:
        raise MalformedInput("frame", "width and height are numbers")
    if media_type(request) != "application/octet-stream":
        raise MalformedInput("frame", "the content type must be application/octet-stream")
    size = size_of(sides["width"], sides["height"])
    return Frame(sides["width"], sides["height"], await read_body(request, limit=size))


def _said(found: Scanned | None, request: Request) -> dict[str, Any]:
    """What the page's script hears. Addresses of others come as words to read, never as something to open."""
    if found is None:
        return {"found": False}
    if found.kind is ScannedKind.PRINTED:
        return {"found": True, "kind": found.kind, "next": f"/q#{found.fragment}"}
    if found.kind is ScannedKind.LICENCE:
        return {"found": True, "kind": found.kind, "licence": found.licence}
    words = PUBLIC_PAGES.text(_SAID[found.kind]).in_language(language_of(request))
    return {"found": True, "kind": found.kind, "message": words.format(host=found.host)}

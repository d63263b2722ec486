"""The pages beside the verification service: for anybody, and for staff who sign in at the counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.printed_code import code_addresses
from verify_api.pages.counters import Counter
from verify_api.pages.frames import Scanner
from verify_api.pages.printed import printed_router
from verify_api.pages.routers import PageLimits, counter_router, public_router
from yinxin.access import pages as access_pages
from yinxin.base.buckets import Limit

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from fastapi import FastAPI, Request

    from credentials.catalogue import Catalogue
    from credentials.printed_code import IssuerCertificates
    from verify_api.notices import DepartmentNotices
    from verify_api.presentations.service import PresentationService
    from verify_api.service import VerificationService
    from yinxin.access.accounts import SignedIn
    from yinxin.access.service import Access
    from yinxin.base.settings import Settings


def add_pages(  # noqa: PLR0913 - what they stand on
    app: FastAPI,
    service: VerificationService,
    *,
    settings: Settings,
    catalogue: Catalogue,
    access: Access,
    presentations: PresentationService | None,
    notices: DepartmentNotices,
    issuers: Callable[[], IssuerCertificates],
    closing: ExitStack,
) -> None:
    """Add the public pages, sign-in for staff and the counter to the verifier's application."""
    scanner = Scanner()
    closing.callback(scanner.close)
    minute = settings.anonymous_requests_per_minute
    limits = PageLimits(public=Limit("public-page", max(10, minute // 10), minute))
    counter = Counter(service, catalogue=catalogue, presentations=presentations, notices=notices)

    async def enter(request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, access)

    hosts = (settings.base_url, *settings.trusted_hosts)
    app.include_router(
        public_router(service, catalogue=catalogue, scanner=scanner, trusted_hosts=hosts, limits=limits)
    )
    app.include_router(
        printed_router(
            service, issuers=issuers, addresses=code_addresses(service.url, *hosts), catalogue=catalogue
        )
    )
    app.include_router(access_pages.router(access, start="/counter"))
    app.include_router(counter_router(counter, enter, limits=limits))

"""A city whose verification service has its pages: anybody may look, and clerks sit at the counter."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from credentials.office.notices import NoticeQueue
from verify_api.notices import DepartmentNotices
from verify_api.pages.counters import Counter
from verify_api.pages.frames import Scanner
from verify_api.pages.routers import PageLimits, counter_router, public_router
from verify_api.presentations.repository import PresentationRepository
from world.departments import AGENCY_CODE, BUREAU
from world.passkeys import Browser, enrolled
from world.presentations import AskingCity, request_id_of
from yinxin.access import pages as access_pages
from yinxin.access.pages.cookie import NAME, cookie_name
from yinxin.access.service import Access
from yinxin.base.actor import staff
from yinxin.base.buckets import Limit
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

    from world.asgi import Answer
    from yinxin.access.accounts import SignedIn

OFTEN = PageLimits(
    public=Limit("public-page", 100_000, 1e6),
    public_all=Limit("public-page-all", 100_000, 1e6),
    scan=Limit("scan", 100_000, 1e6),
    clerk=Limit("clerk", 100_000, 1e6),
)
OTHER_CODE = "12110000400000624H"


@dataclass
class CounterCity(AskingCity):
    """The city with all pages of its verifier."""

    page_limits: PageLimits = field(default_factory=lambda: OFTEN)
    trusted_hosts: tuple[str, ...] = ("https://licences.jincheng.example",)

    def make_app(self) -> FastAPI:
        app = super().make_app()
        kept = self.presentations
        self.access = Access(
            self.database, realm="staff", origin=self.url, name=Text("核验", "Verification"), clock=self.clock
        )
        self.scanner = Scanner()
        notices = DepartmentNotices(NoticeQueue(clock=self.clock), self.journal, kept._catalogue)
        self.counter = Counter(self.service, catalogue=kept._catalogue, presentations=kept, notices=notices)

        async def enter(request: Request) -> SignedIn:
            return await access_pages.require_visitor(request, self.access)

        app.include_router(
            public_router(
                self.service,
                catalogue=kept._catalogue,
                scanner=self.scanner,
                trusted_hosts=self.trusted_hosts,
                limits=self.page_limits,
            )
        )
        app.include_router(access_pages.router(self.access, start="/counter"))
        app.include_router(counter_router(self.counter, enter, limits=self.page_limits))
        return app

    def close(self) -> None:
        self.scanner.close()
        super().close()

    def browser(self, **options: Any) -> Browser:
        """Somebody's browser."""
        return Browser(self.app, self.url, **options)

    def staff_token(
        self, name: str = "clerk-17", *, organisation: str = AGENCY_CODE, roles: tuple[str, ...] = ("clerk",)
    ) -> str:
        """A member of staff who has signed in: what stands in the cookie."""
        registrar = staff(f"registrar-{organisation}", agency=organisation, roles=("registrar",))
        if not self.access.staff.list(organisation, actor=registrar):
            self.access.staff.bootstrap(
                registrar.identifier,
                name="任",
                organisation=organisation,
                actor=staff("a"),
                witness=staff("b"),
            )
        enrolment = self.access.staff.add(
            name, name="王小明", organisation=organisation, roles=roles, actor=registrar
        )
        return enrolled(self.access, enrolment)[1]

    @property
    def cookie(self) -> str:
        """What the cookie of somebody signed in is called."""
        return cookie_name(self.access.site, NAME)

    def clerk(self, name: str = "", **about: Any) -> Browser:
        """A clerk's browser."""
        browser = self.browser()
        name = name or f"clerk-{secrets.token_hex(4)}"
        browser.cookies[self.cookie] = self.staff_token(name, **about)
        return browser

    def link_on_page(self, session: str, *departments: str) -> str:
        """What the QR code on the page of a clerk's session holds."""
        with self.database.reading() as connection:
            rows = PresentationRepository(connection)
            (found,) = filter(None, (rows.find(session, department=one) for one in departments or (BUREAU,)))
        clerk = staff(found.content["clerk"], agency=AGENCY_CODE)
        begun = asyncio.run(self.counter.awaited(session, clerk=clerk))
        assert begun
        assert request_id_of(begun.link)
        return begun.link


def form(values: Mapping[str, str | bytes], *, document: str = "licence.pdf") -> tuple[dict[str, str], bytes]:
    """Headers and body of a form as a browser posts it with a file field."""
    boundary = "----" + secrets.token_hex(8)
    parts = []
    for name, value in values.items():
        is_file = isinstance(value, bytes)
        head = f'Content-Disposition: form-data; name="{name}"'
        if is_file:
            head += f'; filename="{document}"\r\nContent-Type: application/pdf'
        content = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def hand_in(browser: Browser, path: str, **values: str | bytes) -> Answer:
    """Post a form with a file field."""
    headers, body = form(values)
    return browser.request("POST", path, headers=list(headers.items()), content=body)


def choose(browser: Browser, path: str, values: list[tuple[str, str]]) -> Answer:
    """Post a form with boxes to tick."""
    return browser.post(path, data=urlencode(values).encode())


def words(answer: Answer) -> str:
    """The text of a page, as it is read aloud: without marks, spaces drawn together."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", "<main" + main)).split())

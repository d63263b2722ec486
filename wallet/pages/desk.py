"""What every route of the wallet's pages does first: who is here, may they do this, and in which thread.

Stores, signatures and the network block, so their work is done in a bounded pool of threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from credentials.oid4vp.refusal import RequestRefused
from wallet.links import host_of
from wallet.names import readable
from yinxin.access.pages import require_visitor
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import NotPermitted, TooLarge, Unreachable, YinxinError
from yinxin.web import Pages, require_same_origin
from yinxin.web.bodies import read_form

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from wallet.wallets import Wallets
    from yinxin.access.accounts import SignedIn
    from yinxin.access.service import Access
    from yinxin.base.text import Text

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 32
MAX_FORM_BYTES = 320 * 1024  # a link may hold a whole request
LIMIT = Limit("wallet-actions", burst=30, per_minute=30)
SCAN_LIMIT = Limit("wallet-pictures", burst=60, per_minute=240)
PAGES = Pages("wallet.pages")
_ADVICE: Mapping[type[YinxinError], str] = {
    NotPermitted: "wallet.advice.not_permitted",
    Unreachable: "wallet.advice.unreachable",
    TooLarge: "wallet.advice.too_large",
    RequestRefused: "wallet.advice.request_refused",
}
# What our own connection says of these could tell of our own network.
_OF_OUR_NETWORK = frozenset({NotPermitted, Unreachable})


class ProblemRow(Protocol):
    """What HTTP says of an error: `yinxin.app.problems` has a row for each class."""

    @property
    def status(self) -> int:
        """The status of the answer."""

    @property
    def next(self) -> Text:
        """What a person can do."""

    @property
    def says_detail(self) -> bool:
        """Whether the detail may leave."""


RowOf = Callable[[YinxinError], ProblemRow]
# Width, height and luminance of a picture → the texts of the codes in it.
ReadFrame = Callable[[int, int, bytes], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as a page tells it. `detail` is for who helps, and may be empty."""

    title: Text
    advice: Text
    code: str
    detail: str


class Desk:
    """Where visitors of the pages come to."""

    def __init__(  # noqa: PLR0913 - the doors, by name
        self,
        wallets: Wallets,
        access: Access,
        *,
        origin: str,
        row_of: RowOf,
        read_frame: ReadFrame | None = None,
        limit: Limit = LIMIT,
    ) -> None:
        """`origin` is what browsers call us; `limit` counts what one account sends."""
        self.wallets = wallets
        self.origin = origin
        self._access = access
        self.read_frame = read_frame
        self._row_of = row_of
        self._buckets, self._scans = Buckets(limit), Buckets(SCAN_LIMIT)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="yinxin-wallet")

    async def work(self, job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: job(*args, **kwargs))

    async def visitor(self, request: Request) -> SignedIn:
        """Who looks at a page; `Unauthenticated` leads to the sign-in page and back."""
        return await require_visitor(request, self._access)

    async def sender(self, request: Request) -> SignedIn:
        """Who sends a form: from a page of ours (else `NotPermitted`), and not too often."""
        require_same_origin(request, self.origin)
        found = await self.visitor(request)
        self._buckets.take(found.account.id, now=self.wallets.clock.now())
        return found

    async def scanner(self, request: Request) -> SignedIn:
        """Who sends a picture: as for `sender`, with a limit for pictures."""
        require_same_origin(request, self.origin)
        found = await self.visitor(request)
        self._scans.take(found.account.id, now=self.wallets.clock.now())
        return found

    @staticmethod
    async def form(request: Request) -> dict[str, str]:
        """The form that was sent; `MalformedInput` for another body, `TooLarge` for a large one."""
        return await read_form(request, limit=MAX_FORM_BYTES)

    @staticmethod
    def answer(request: Request, template: str, signed_in: SignedIn, **values: Any) -> Response:
        """A page for somebody who is signed in."""
        return PAGES.answer(request, template, signed_in=signed_in, **values)

    def link_page(
        self,
        request: Request,
        task: str,
        signed_in: SignedIn,
        *,
        link: str = "",
        error: YinxinError | None = None,
    ) -> Response:
        """The page that takes a link for a task, tells of one that was opened, or why one did not do."""
        return PAGES.answer(
            request,
            f"{task}.html",
            status=self.status_of(error) if error else 200,
            camera=True,
            signed_in=signed_in,
            current=task,
            link=link,
            host=host_of(link),
            error=self.trouble(error) if error else None,
            decodes=self.read_frame is not None,
        )

    def trouble(self, error: YinxinError) -> Trouble:
        """An error as a page tells it, with the error's own advice or the table's."""
        row = self._row_of(error)
        known = _ADVICE.get(type(error))
        advice = PAGES.text(known) if known else getattr(error, "advice", row.next)
        detail = readable(error.detail) if row.says_detail and type(error) not in _OF_OUR_NETWORK else ""
        return Trouble(error.title, advice, error.code, detail)

    def status_of(self, error: YinxinError) -> int:
        """The status of a page that tells of an error."""
        return int(self._row_of(error).status)

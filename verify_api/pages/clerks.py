"""The door of the counter: who comes in, from where, and how often."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import Request

from verify_api.pages.handling import PageLimits, count
from verify_api.pages.scanned import origin_of
from yinxin.access.accounts import SignedIn
from yinxin.base.buckets import Buckets
from yinxin.web.guards import require_same_origin

if TYPE_CHECKING:
    from verify_api.pages.counters import Counter

# Gives the signed-in account of a request, or raises `Unauthenticated`; the wiring makes it of staff sign-in.
Enter = Callable[[Request], Awaitable[SignedIn]]
ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class Clerks:
    """Lets clerks in, a bounded number of times a minute; others leave with an error."""

    def __init__(self, counter: Counter, enter: Enter, limits: PageLimits) -> None:
        self.counter, self.limits = counter, limits
        self.origin = origin_of(counter.service.url)
        self._enter, self._buckets = enter, Buckets(limits.clerk)

    async def come(self, request: Request) -> SignedIn:
        """The clerk who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self.origin)
        signed_in = await self._enter(request)
        signed_in.actor.require_role("clerk")
        count(self._buckets, request, now=self.counter.service.clock.now(), caller=signed_in.account.id)
        return signed_in


def address_of_desk(path: str, key: str) -> str:
    """A page of a desk; which department and matter is no secret, and no person's."""
    return f"{path}?{urlencode({'desk': key})}"

"""The routers of the verifier's pages, as the wiring takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_api.pages.asking import add_asking
from verify_api.pages.checking import add_checking
from verify_api.pages.clerks import Clerks, Enter
from verify_api.pages.handling import PAGES, PageLimits
from verify_api.pages.noticing import add_noticing
from verify_api.pages.public import public_router

if TYPE_CHECKING:
    from fastapi import APIRouter

    from verify_api.pages.counters import Counter

__all__ = ["Enter", "PageLimits", "counter_router", "public_router"]


def counter_router(counter: Counter, enter: Enter, *, limits: PageLimits | None = None) -> APIRouter:
    """`/counter` and all that lies below it. `enter` gives a request's signed-in account."""
    routes = PAGES.router()
    clerks = Clerks(counter, enter, limits or PageLimits())
    add_checking(routes, counter, clerks)
    add_asking(routes, counter, clerks)
    add_noticing(routes, counter, clerks)
    return routes

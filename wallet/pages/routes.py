"""All routes of the wallet's pages, on one origin that nobody else serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallet.pages import activity, delegations, licences, presenting, receiving, scanning
from wallet.pages.desk import LIMIT, PAGES, Desk

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wallet.pages.desk import ReadFrame, RowOf
    from wallet.wallets import Wallets
    from yinxin.access.service import Access
    from yinxin.base.buckets import Limit


def router(  # noqa: PLR0913 - the doors, by name
    wallets: Wallets,
    access: Access,
    *,
    origin: str,
    row_of: RowOf,
    read_frame: ReadFrame | None = None,
    limit: Limit = LIMIT,
) -> APIRouter:
    """The pages for the holders of these wallets. Sign-in has its own router (`yinxin.access.pages`).

    `origin` is the address of the wallet as browsers write it: forms from other origins are refused. `row_of`
    says what HTTP makes of an error, `read_frame` reads the codes in a picture for browsers that cannot, and
    `limit` counts the forms of one account.
    """
    desk = Desk(wallets, access, origin=origin, row_of=row_of, read_frame=read_frame, limit=limit)
    routes = PAGES.router()
    for add in (licences.add, receiving.add, presenting.add, scanning.add, delegations.add, activity.add):
        add(routes, desk)
    routes.include_router(PAGES.static_routes())
    return routes

"""Disputes at the office of this home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.app import slips
from yinxin.app.disputing import make_disputes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Disputes for the office's people and systems."""
    from credentials.office.disputes import http, pages  # noqa: PLC0415 - FastAPI takes a second

    disputes, made = make_disputes(home), slips.make_slips(home)
    return [
        http.office_router(disputes, made, enter=entrance.caller, clock=home.clock),
        pages.office_router(
            disputes, enter=entrance.visitor, origin=entrance.access.site.origin, clock=home.clock
        ),
    ]

"""Requests for correction in this home: each goes to the one source of its datum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.sources.corrections import Corrections
from yinxin.app import slips, wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def make_corrections(home: Home) -> Corrections:
    """The agency's queue."""
    return Corrections(
        wiring.catalogue(home),
        home.database,
        agency=home.settings.agency_code,
        index=wiring.holder_index(home),
        slip_of=slips.slips_of_corrections(slips.make_slips(home)),
        clock=home.clock,
    )


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Its routes for the agency's staff and systems, and its pages."""
    from credentials.sources import http, pages  # noqa: PLC0415 - FastAPI takes a second

    corrections = make_corrections(home)
    return [
        http.router(corrections, enter=entrance.caller, clock=home.clock),
        pages.router(corrections, enter=entrance.visitor, origin=entrance.access.site.origin),
    ]

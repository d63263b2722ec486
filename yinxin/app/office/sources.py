"""Requests for correction in this home: each goes to the one source of its datum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.sources.corrections import Corrections
from yinxin.app import wiring

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
        clock=home.clock,
    )


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Its routes for the agency's staff and systems."""
    from credentials.sources.http import router  # noqa: PLC0415 - FastAPI takes a second

    return [router(make_corrections(home), enter=entrance.caller, clock=home.clock)]

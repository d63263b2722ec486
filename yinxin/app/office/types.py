"""The catalogue of this home: its changes by the agency's people, on pages and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.types import Previewer, TypeOffice
from yinxin.app import wiring
from yinxin.app.office.entrance import office_proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def make_types(home: Home) -> TypeOffice:
    """The agency's catalogue and its changes."""
    from credentials.face.page import Typesetter  # noqa: PLC0415 - it brings Typst

    return TypeOffice(
        wiring.catalogue(home),
        Previewer(wiring.agency(home), home.settings.base_url, Typesetter()),
        agency=home.settings.agency_code,
        database=home.database,
        proofs=office_proofs(home),
        clock=home.clock,
    )


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Its pages, and its routes for the agency's systems."""
    from credentials.office.types import http, pages  # noqa: PLC0415 - FastAPI takes a second

    types = make_types(home)
    return [
        pages.router(
            types,
            entrance.consent,
            enter=entrance.visitor,
            origin=entrance.access.site.origin,
            passkey_script=entrance.passkey_script,
        ),
        http.router(types, enter=entrance.caller, clock=home.clock),
    ]

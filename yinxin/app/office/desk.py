"""The issuing desk of this home, and its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office import Desk
from credentials.office.bundles import Bundles
from yinxin.app import wiring
from yinxin.app.office.entrance import office_proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from signing.timestamp import Timestamper
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def make_desk(home: Home, *, timestamper: Timestamper | None = None) -> Desk:
    """The agency's desk, for its pages and for the command line."""
    return Desk(
        wiring.issuer(home, timestamper=timestamper),
        agency=home.settings.agency_code,
        catalogue=wiring.catalogue(home),
        database=home.database,
        proofs=office_proofs(home),
        clock=home.clock,
    )


def make_bundles(home: Home, *, timestamper: Timestamper | None = None) -> Bundles:
    """The agency's bundles of cases."""
    return Bundles(
        wiring.issuer(home, timestamper=timestamper),
        agency=home.settings.agency_code,
        catalogue=wiring.catalogue(home),
        database=home.database,
        proofs=office_proofs(home),
        clock=home.clock,
    )


def routers(home: Home, entrance: Entrance, *, timestamper: Timestamper | None = None) -> Sequence[APIRouter]:
    """The desk for an agency's systems, and its pages."""
    from credentials.office import http, pages  # noqa: PLC0415 - FastAPI takes a second

    desk = make_desk(home, timestamper=timestamper)
    bundles = make_bundles(home, timestamper=timestamper)
    return [
        http.router(desk, bundles, enter=entrance.caller, clock=home.clock),
        pages.router(
            desk,
            bundles,
            wiring.reading(home),
            entrance.consent,
            catalogue=wiring.catalogue(home),
            enter=entrance.visitor,
            origin=entrance.access.site.origin,
            passkey_script=entrance.passkey_script,
        ),
    ]

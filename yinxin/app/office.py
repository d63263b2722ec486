"""The office of one agency as a service: its desk, and the pages for its staff.

It has an origin and a process of its own: the agency's seal is used here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office import Desk
from credentials.office.proofs import EitherProof
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.app import wiring
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from signing.timestamp import Timestamper
    from yinxin.access.accounts import SignedIn
    from yinxin.app.home import Home


def office_app(home: Home, _stage: wiring.Stage, *, timestamper: Timestamper | None = None) -> FastAPI:
    """Sign-in and the desk's pages."""
    from credentials.office import pages  # noqa: PLC0415 - FastAPI takes a second
    from yinxin.access import pages as access_pages  # noqa: PLC0415 - the same

    access = wiring.staff_access(
        home,
        origin=home.settings.office_url,
        name=Text(home.settings.agency_name, home.settings.agency_name_en),
    )
    consent = PasskeyConsent(home.database, access.site)
    desk = make_desk(home, consent, timestamper=timestamper)

    async def enter(request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, access)

    office = pages.router(
        desk,
        consent,
        catalogue=wiring.catalogue(home),
        enter=enter,
        origin=access.site.origin,
        passkey_script=access_pages.script_address(),
    )
    return wiring.application("office", access_pages.router(access, start="/office"), office)


def make_desk(home: Home, consent: PasskeyConsent, *, timestamper: Timestamper | None = None) -> Desk:
    """The agency's desk; its people agree by passkey."""
    return Desk(
        wiring.issuer(home, timestamper=timestamper),
        agency=home.settings.agency_code,
        catalogue=wiring.catalogue(home),
        database=home.database,
        proofs=EitherProof({KIND: consent}),
        clock=home.clock,
    )

"""Older registers of this home's agency: taking them over, and sealing what they brought in when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.changes import Changes
from credentials.legacy.importing import LegacyImport
from credentials.legacy.registers import Registers
from credentials.office.notices import Notices
from verify_api.notices import RecordedAcceptances
from yinxin.app import wiring
from yinxin.app.office.entrance import office_proofs
from yinxin.app.repeating import repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from credentials.first_use import FirstUse
    from signing.timestamp import Timestamper
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance

FIRST_USE_SECONDS = 2.0


def make_registers(home: Home) -> Registers:
    """The older registers that this home's agency follows."""
    return Registers(
        agency=home.settings.agency_code,
        database=home.database,
        proofs=office_proofs(home),
        clock=home.clock,
    )


def make_import(home: Home) -> LegacyImport:
    """What takes their rows over; it needs no seal."""
    return LegacyImport(
        wiring.agency(home),
        wiring.catalogue(home),
        home.database,
        wiring.holder_index(home),
        make_registers(home),
        Changes(wiring.status_service(home), home.clock, Notices(RecordedAcceptances())),
        home.clock,
        holders=wiring.recorded_holders(home),
    )


def make_first_use(home: Home, *, timestamper: Timestamper | None = None) -> FirstUse:
    """What seals them; it needs the agency's seal."""
    return wiring.issuer(home, timestamper=timestamper).first_use


def routers(
    home: Home, entrance: Entrance, *, stage: wiring.Stage, timestamper: Timestamper | None = None
) -> Sequence[APIRouter]:
    """Older registers for an agency's systems and on pages; what others asked for is sealed meanwhile."""
    from credentials.legacy import http, pages  # noqa: PLC0415 - FastAPI takes a second

    legacy, catalogue = make_import(home), wiring.catalogue(home)
    first_use = make_first_use(home, timestamper=timestamper)
    repeat(stage, "first use", first_use.seal_wanted, every_seconds=FIRST_USE_SECONDS)
    return [
        http.router(legacy, first_use, catalogue=catalogue, enter=entrance.caller),
        pages.router(legacy, catalogue=catalogue, enter=entrance.visitor, origin=entrance.access.site.origin),
    ]

"""The office's part in delegations: guardians are registered here, on documents, by two members of staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.delegations.guardians import Guardians
from credentials.gate import Gate
from yinxin.app import wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from credentials.delegations.service import Delegations
    from credentials.office.proofs import Proofs
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def keeper(home: Home) -> Delegations:
    """The delegations of this home, for who acts for the agency (a cascade, a guardian's desk)."""
    return wiring.handing(home).delegations


def make_guardians(home: Home, proofs: Proofs) -> Guardians:
    """The desk that registers guardians."""
    gate = Gate(home.settings.agency_code, home.database, home.clock)
    return Guardians(keeper(home), gate, proofs)


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Its routes, and its pages."""
    from credentials.delegations import http, pages  # noqa: PLC0415 - FastAPI takes a second

    guardians = make_guardians(home, entrance.proofs)
    return [
        http.guardian_router(guardians, enter=entrance.caller),
        pages.router(
            guardians,
            entrance.consent,
            enter=entrance.visitor,
            origin=entrance.access.site.origin,
            passkey_script=entrance.passkey_script,
        ),
    ]

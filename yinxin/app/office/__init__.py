"""The office of one agency as a service: its door, and the rooms behind it, each wired in a module of its own.

It has an origin and a process of its own: the agency's seal is used here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.disputes.slips import SlipKind
from yinxin.app import slips, wiring
from yinxin.app.office import (
    changes,
    delegations,
    desk,
    disputes,
    legacy,
    seals,
    sources,
    subjects,
    supervision,
    types,
)
from yinxin.app.office.entrance import Entrance

if TYPE_CHECKING:
    from fastapi import FastAPI

    from signing.timestamp import Timestamper
    from yinxin.app.home import Home


def office_app(home: Home, stage: wiring.Stage, *, timestamper: Timestamper | None = None) -> FastAPI:
    """The entrance, and what every room offers."""
    entrance = Entrance(home)
    return wiring.application(
        "office",
        *entrance.routers(),
        *desk.routers(home, entrance, timestamper=timestamper),
        *changes.routers(home, entrance),
        *types.routers(home, entrance),
        *sources.routers(home, entrance),
        *subjects.routers(home, entrance, stage=stage, timestamper=timestamper),
        *seals.routers(home, entrance),
        *delegations.routers(home, entrance),
        *disputes.routers(home, entrance),
        *legacy.routers(home, entrance, stage=stage, timestamper=timestamper),
        *supervision.routers(home, entrance),
        slip_of=slips.refusals(home, SlipKind.ISSUE),
    )

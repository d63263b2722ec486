"""Custody of seals in this home's office: its pages, and its interface for programs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from yinxin.app import sealing
from yinxin.app.office.entrance import office_proofs
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from credentials.office.seals.drills import Drill
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance
    from yinxin.base.actor import Actor

_log = logging.getLogger("yinxin.seals")


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """The keeper's pages and routes."""
    from credentials.office.seals import http, pages  # noqa: PLC0415 - FastAPI takes a second

    proofs = office_proofs(home)
    seals, lost = sealing.register(home, proofs), sealing.lost_keys(home, proofs)

    def agreed(drill: Drill, actor: Actor) -> None:
        """Revoke at once where this home has the authority's key; else `yinxin seal compromise` does later."""
        try:
            sealing.revoke_lost(home, drill, actor=actor)
        except YinxinError as error:
            facts = {"drill": drill.id, "error": error.code}
            _log.error("a lost key's certificate is not revoked yet", extra={"facts": facts})

    return [
        http.router(seals, lost, enter=entrance.caller, agreed=agreed, clock=home.clock),
        pages.router(
            seals,
            lost,
            entrance.consent,
            enter=entrance.visitor,
            agreed=agreed,
            clock=home.clock,
            origin=entrance.access.site.origin,
            passkey_script=entrance.passkey_script,
        ),
    ]

"""Custody of this home's seal: the register, who may use the key in hand, and the seal that was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.seals import Adoption, Custody, Seals
from yinxin.app.ceremony import SEAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.proofs import Proofs
    from credentials.office.seals.uses import Alarm
    from yinxin.app.home import Home


def register(home: Home, proofs: Proofs) -> Seals:
    """The register of seals that this home's agency keeps."""
    return Seals(home.settings.agency_code, database=home.database, proofs=proofs, clock=home.clock)


def custody(home: Home, *, on_alarm: Callable[[Alarm], None] = lambda _alarm: None) -> Custody:
    """Custody of the home's seal key.

    A home that used its seal before there was a register goes on: the seal is entered as "in use,
    registered from before". Once people keep the register, a key that it does not know seals nothing.
    """
    settings, certificate = home.settings, home.chain(SEAL)[0]
    adoption = Adoption(settings.agency_code, database=home.database, clock=home.clock)
    name = f"{settings.agency_name}电子印章"
    adoption.adopt(certificate, name=name, owner_name=settings.agency_name, key=SEAL)
    return Custody(
        settings.agency_code,
        certificate=certificate,
        database=home.database,
        clock=home.clock,
        on_alarm=on_alarm,
    )

"""Custody of this home's seal key: what production asks before it seals, and the seal that was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.seals import Adoption, Custody
from yinxin.app.ceremony import SEAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.seals.uses import Alarm
    from signing.certificates import Certificate
    from yinxin.app.home import Home


def custody(
    home: Home,
    *,
    certificate: Certificate | None = None,
    on_alarm: Callable[[Alarm], None] = lambda _alarm: None,
) -> Custody:
    """Custody of the home's seal key, or of that of another `certificate` that the register knows.

    A home that used its seal before there was a register goes on: the seal is entered as "in use,
    registered from before". Once people keep the register, a key that it does not know seals nothing.
    """
    settings, own = home.settings, home.chain(SEAL)[0]
    adoption = Adoption(settings.agency_code, database=home.database, clock=home.clock)
    name = f"{settings.agency_name}电子印章"
    adoption.adopt(own, name=name, owner_name=settings.agency_name, key=SEAL)
    return Custody(
        settings.agency_code,
        certificate=certificate or own,
        database=home.database,
        clock=home.clock,
        on_alarm=on_alarm,
    )

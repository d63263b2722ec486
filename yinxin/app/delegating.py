"""Delegations of this home: who keeps them, who hands agents their credentials, who asks when verifying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.delegations.handing import Handing
from credentials.delegations.principals import Principals
from credentials.delegations.service import Delegations
from credentials.oid4vci.nonces import Nonces
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from credentials.copies import CopyMaker
    from yinxin.app.home import Home

NONCES = "delegations"


def make_handing(home: Home, copies: CopyMaker, *, secret: bytes) -> Handing:
    """The keeper of delegations, with what it hands out; `copies` makes the licences' part of it."""
    index = copies.index
    if index is None:
        raise TypeError("holders are found by the index only")
    randomness = SystemRandomness()
    keeper = Delegations(
        copies.url,
        database=home.database,
        index=index,
        principals=Principals(home.database, copies.catalogue, index, copies.agency, home.policy),
        nonces=Nonces(secret, NONCES, randomness=randomness),
        status=copies.status,
        clock=home.clock,
        randomness=randomness,
    )
    return Handing(keeper, copies)

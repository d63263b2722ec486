"""What a verifier looks at in a delegation: the whole chain, in time, matter, types and state.

A pure function over values that the register gave. Signatures, status lists and key binding of what was
shown are judged where credentials are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.delegations.delegation import State
from credentials.delegations.terms import require_within
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credentials.delegations.delegation import Delegation

CHAIN, SCOPE = "delegation", "delegation_scope"
_STATES = {
    State.WAITING: Reason.DELEGATION_NOT_ACCEPTED,
    State.PROPOSED: Reason.DELEGATION_NOT_ACCEPTED,
    State.DECLINED: Reason.DELEGATION_NOT_ACCEPTED,
    State.RECALLED: Reason.DELEGATION_RECALLED,
    State.RESIGNED: Reason.DELEGATION_RECALLED,
    State.EXPIRED: Reason.DELEGATION_EXPIRED,
}


def chain_checks(
    chain: Sequence[Delegation], *, at: datetime, matter: str, type_code: str
) -> tuple[Check, ...]:
    """The checks of a chain, the holder's own delegation first, the agent's last.

    Every link must be accepted and in its time, no wider than the one above it, and cover the matter and the
    licence type. The detail names delegations by their ids only.
    """
    if not chain:
        return (Check(CHAIN, Reason.DELEGATION_UNKNOWN),)
    return (_links(chain), _standing(chain, at), _scope(chain, matter, type_code))


def _links(chain: Sequence[Delegation]) -> Check:
    for depth, link in enumerate(chain):
        above = chain[:depth]
        if link.ancestors != tuple(one.id for one in above):
            return Check("delegation_chain", Reason.DELEGATION_UNKNOWN, detail=link.id)
        if any(link.principal.code != one.principal.code for one in above):
            return Check("delegation_chain", Reason.DELEGATION_UNKNOWN, detail=link.id)
        try:
            if above:
                require_within(link.terms, above[-1].terms, depth=depth + 1)
        except NotPermitted:
            return Check("delegation_chain", Reason.DELEGATION_EXCEEDED, detail=link.id)
    return Check("delegation_chain")


def _standing(chain: Sequence[Delegation], at: datetime) -> Check:
    for link in chain:
        state = link.state_at(at)
        if state is not State.ACCEPTED:
            return Check("delegation_standing", _STATES[state], detail=link.id)
        if not link.terms.holds_at(at):
            return Check("delegation_standing", Reason.NOT_YET_VALID, detail=link.id)
    return Check("delegation_standing")


def _scope(chain: Sequence[Delegation], matter: str, type_code: str) -> Check:
    good = all(link.terms.covers(matter=matter, type_code=type_code) for link in chain)
    return Check(SCOPE, None if good else Reason.DELEGATION_EXCEEDED)

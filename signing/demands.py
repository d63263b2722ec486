"""What a policy demands of a signature that is right otherwise: its level, its signer's use, what follows it.

Called by every format once a signature is judged, so that a policy means the same for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.levels import CHANGES, Level
from signing.reasons import Reason
from signing.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.policy import Policy


def demand_checks(
    policy: Policy, *, level: Level, usage: str, changes: str = "none", licence_type: str | None = None
) -> Iterator[Check]:
    """The checks of one signature.

    `usage` is the signer's ("seal" or "signature", empty when there is none), `changes` what came after it
    (`none`, `archive`, `form`, or anything worse), `licence_type` the code of the licence that it stands on.
    """
    yield from level_checks(policy, [level], licence_type=licence_type)
    demand = policy.demand_for(licence_type)
    refused = usage not in demand.usages
    wanted = " or ".join(sorted(demand.usages))
    reason = Reason.SIG_CONSTRAINTS_FAILURE if refused and usage else None
    yield Check("required_usage", reason, detail=f"{usage or 'none'}, demanded is {wanted}")
    place = CHANGES.index(changes) if changes in CHANGES else len(CHANGES)
    too_much = place > CHANGES.index(policy.allowed_changes)
    reason = Reason.DOCUMENT_CHANGED_AFTER_SIGNING if too_much and changes in CHANGES else None
    yield Check("required_changes", reason, detail=f"{changes}, allowed is {policy.allowed_changes}")


def level_checks(
    policy: Policy, levels: Iterable[Level], *, licence_type: str | None = None
) -> Iterator[Check]:
    """Whether signatures reach the level that is demanded; `timestamp_missing` where a proved time lacks."""
    wanted = policy.demand_for(licence_type).level
    for level in levels:
        if level.reaches(wanted):
            reason = None
        else:
            reason = Reason.TIMESTAMP_MISSING if level is Level.B_B else Reason.LEVEL_NOT_REACHED
        yield Check("required_level", reason, detail=f"{level}, demanded is {wanted}")

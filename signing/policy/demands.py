"""What a policy demands of a signature that is right otherwise: its level, its signer's use, what follows it.

Called by every format once a signature is judged, so that a policy means the same for each of them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from signing.policy.levels import CHANGES, Level
from signing.reasons import Reason
from signing.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from signing.policy import Policy
    from signing.policy.levels import Demand


def demand_checks(policy: Policy, *, level: Level, usage: str, changes: str = "none") -> Iterator[Check]:
    """The checks of one signature.

    `usage` is the signer's ("seal" or "signature", empty when there is none), `changes` what came after it
    (one of `CHANGES`, or anything worse).
    """
    yield from _demanded(policy.demand_for(), level, usage)
    place = CHANGES.index(changes) if changes in CHANGES else len(CHANGES)
    too_much = place > CHANGES.index(policy.allowed_changes)
    reason = Reason.DOCUMENT_CHANGED_AFTER_SIGNING if too_much and changes in CHANGES else None
    yield Check("required_changes", reason, detail=f"{changes}, allowed is {policy.allowed_changes}")


def licence_checks(
    policy: Policy, licence_type: str, signatures: Iterable[Mapping[str, Any]]
) -> Iterator[Check]:
    """What is demanded beside that of the signatures on a licence of this type, by its code.

    `signatures` are findings of a report: `field`, `level`, `usage`; time-stamps have no level.
    """
    if licence_type not in dict(policy.licence_types):
        return
    demand = policy.demand_for(licence_type)
    for one in signatures:
        if one.get("level"):
            for check in _demanded(demand, Level(one["level"]), str(one.get("usage") or "")):
                yield replace(
                    check, name=f"{one.get('field')}/{check.name}", detail=f"{licence_type}: {check.detail}"
                )


@lru_cache(maxsize=256)
def _demanded(demand: Demand, level: Level, usage: str) -> tuple[Check, ...]:
    """`timestamp_missing` where a proved time lacks, `level_not_reached` where more than that does."""
    reason = None
    if not level.reaches(demand.level):
        reason = Reason.TIMESTAMP_MISSING if level is Level.B_B else Reason.LEVEL_NOT_REACHED
    reached = Check("required_level", reason, detail=f"{level}, demanded is {demand.level}")
    refused = bool(usage) and usage not in demand.usages
    reason = Reason.SIG_CONSTRAINTS_FAILURE if refused else None
    wanted = " or ".join(sorted(demand.usages))
    return reached, Check("required_usage", reason, detail=f"{usage or 'none'}, demanded is {wanted}")

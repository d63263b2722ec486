"""The delegation's own credential: an SD-JWT VC of a type of its own, which no licence can be mistaken for.

It has no licence identifier, so that nothing takes it for a licence; it says who acts for whom, in what, and
under which other delegations. The holder's code alone can be kept back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.delegations.terms import EVERY
from credentials.vocabulary import DELEGATION, DELEGATION_VCT
from signing.reasons import Reason
from signing.report import Check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.delegations.delegation import Delegation

DISCLOSABLE = ("principal_code",)


def delegation_claims(one: Delegation, *, url: str, status: tuple[str, int], now: datetime) -> dict[str, Any]:
    """The claims, without the agent's key; `url` is the issuer."""
    return {
        "iss": url,
        "vct": DELEGATION_VCT,
        "iat": int(now.timestamp()),
        "nbf": int(one.terms.starts_at.timestamp()),
        "exp": int(one.terms.ends_at.timestamp()),
        "status": {"status_list": {"uri": status[0], "idx": status[1]}},
        DELEGATION: one.id,
        "kind": str(one.terms.kind),
        "agent_name": one.agent.name,
        "principal_name": one.principal.name,
        "principal_code": one.principal.code,
        "matters": list(one.terms.matters),
        "licence_types": list(one.terms.types),
        "may_pass_on": one.terms.may_pass_on,
        "stands_under": list(one.ancestors),
    }


def matter_check(claims: Mapping[str, Any], matter: str) -> Check:
    """Whether a verified delegation is for this matter: for who verifies without our register."""
    named = claims.get("matters")
    good = isinstance(named, list) and (EVERY in named or matter in named)
    return Check("delegation_scope", None if good else Reason.DELEGATION_EXCEEDED)

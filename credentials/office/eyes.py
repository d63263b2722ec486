"""Several eyes: who may agree to what others wrote, and whether all agreements that are needed hold.

Who wrote any part neither reviews nor approves, and who reviewed does not approve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.agreements import check_consent
from yinxin.base.errors import IssuanceRefused, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.office.agreements import Consent
    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor

CLERK, REVIEWER, APPROVER = "clerk", "reviewer", "approver"


def require_other(editors: Sequence[str], consents: Sequence[Consent], actor: Actor, role: str) -> None:
    """`NotPermitted` when the actor wrote it, or reviewed what they would approve."""
    if actor.identifier in editors:
        raise NotPermitted("nobody reviews or approves what they wrote")
    if role == APPROVER and actor.identifier in {one.by for one in consents}:
        raise NotPermitted("nobody approves what they reviewed")


def require_agreements(
    proofs: Proofs, *, digest: bytes, consents: Sequence[Consent], editors: Sequence[str], agency: str
) -> None:
    """`IssuanceRefused`, with every reason, unless a reviewer and an approver agreed to exactly this."""
    reasons = []
    for role in (REVIEWER, APPROVER):
        wanted = (role, digest.hex())
        consent = next((one for one in consents if (one.role, one.digest) == wanted), None)
        if consent is None:
            reasons.append(f"no {role} has agreed to the case as it is")
            continue
        try:
            check_consent(proofs, consent, digest=digest, agency=agency)
        except NotPermitted as exc:
            reasons.append(f"{role}: {exc.detail}")
    people = {one.by for one in consents} | set(editors)
    if len(people) < len(set(editors)) + 2:
        reasons.append("the same person wrote, reviewed or approved it")
    if reasons:
        raise IssuanceRefused(reasons=tuple(reasons))

"""What status lists say of one credential, whatever its format (draft-ietf-oauth-status-list, 6 and 8.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.reasons import Reason
from signing.report import Check, Scope
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from credentials.status_snapshot import StatusSnapshot

_MEANINGS = {VALID: None, INVALID: Reason.CREDENTIAL_REVOKED, SUSPENDED: Reason.CREDENTIAL_SUSPENDED}


@dataclass(frozen=True, slots=True)
class Status:
    """The check, the list that it looked at (None where it was not at hand), and what reports show of it."""

    check: Check
    snapshot: StatusSnapshot | None
    findings: Mapping[str, str]


def look_up(
    reference: Any, statuses: Mapping[str, StatusSnapshot], *, at: datetime, grace: timedelta
) -> Status:
    """The status that a credential's reference leads to. It counts for the verdict now.

    `grace` stretches a list's ttl while its server is away, never its `exp`.
    """
    place = status_reference(reference)
    if place is None:
        return Status(_check(Reason.STATUS_REFERENCE_INVALID, "TSL 6: no idx and uri"), None, {})
    uri, index = place
    snapshot = statuses.get(uri)
    if snapshot is None:
        missing = _check(Reason.STATUS_UNKNOWN, "the status list is not at hand")
        return Status(missing, None, {"status_list": uri})
    findings = {"status_list": uri, "status_at": snapshot.issued_at.isoformat()}
    return Status(_standing(snapshot, index, at, grace), snapshot, findings)


def status_reference(status: Any) -> tuple[str, int] | None:
    """Where the status of a credential stands, by its `status` claim; None when that leads nowhere."""
    entry = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(entry, dict):
        return None
    uri, index = entry.get("uri"), entry.get("idx")
    if not isinstance(uri, str) or type(index) is not int or index < 0:
        return None
    return uri, index


def _standing(snapshot: StatusSnapshot, index: int, at: datetime, grace: timedelta) -> Check:
    try:
        value = snapshot.status(index)
    except NotFound as exc:
        return _check(Reason.STATUS_REFERENCE_INVALID, exc.detail)
    # A revocation is final, so a list that is out of date still proves it.
    if value != INVALID and not snapshot.is_fresh(at, grace=grace):
        return _check(Reason.STATUS_STALE, f"as of {snapshot.issued_at.isoformat()}")
    return _check(_MEANINGS.get(value, Reason.STATUS_UNKNOWN), f"status {value}")


def _check(reason: Reason | None, detail: str) -> Check:
    return Check("status", reason, Scope.NOW, detail)

"""How a licence in the wallet stands now: from a verifier's report, in the words that holders read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from signing.reasons import Reason
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from wallet.copies import CopyReport


class State(StrEnum):
    """What a holder can expect of the licence when it is shown."""

    VALID = "valid"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    UNKNOWN = "unknown"
    REFUSED = "refused"


# The first that a report has settles it.
_BY_REASON: tuple[tuple[Reason, State], ...] = (
    (Reason.CREDENTIAL_REVOKED, State.REVOKED),
    (Reason.CREDENTIAL_SUSPENDED, State.SUSPENDED),
    (Reason.EXPIRED, State.EXPIRED),
    (Reason.NOT_YET_VALID, State.NOT_YET),
)
_NOT_KNOWN = frozenset({Reason.STATUS_UNKNOWN, Reason.STATUS_STALE})


@dataclass(frozen=True, slots=True)
class LicenceState:
    """The state, the time of the status list that says so (None: no list), and reasons in other cases."""

    state: State
    as_of: datetime | None = None
    reasons: tuple[Reason, ...] = ()


def state_of(report: CopyReport, licence: str, *, held: Collection[str]) -> LicenceState:
    """The state of a licence; `held` are the identifiers of all licences in the wallet.

    No status list says "superseded" (换发): a revoked licence is that when the wallet holds its next version.
    """
    reasons = tuple(sorted(report.reasons, key=lambda reason: reason.code))
    said = report.findings.get("status_at")
    as_of = datetime.fromisoformat(said) if isinstance(said, str) else None
    return LicenceState(_state(set(reasons), licence, held), as_of, reasons)


def _state(reasons: set[Reason], licence: str, held: Collection[str]) -> State:
    found = next((state for reason, state in _BY_REASON if reason in reasons), None)
    if found is State.REVOKED and _has_newer(licence, held):
        return State.SUPERSEDED
    if found is not None and reasons <= {reason for reason, _ in _BY_REASON} | _NOT_KNOWN:
        return found
    if not reasons:
        return State.VALID
    return State.UNKNOWN if reasons <= _NOT_KNOWN else State.REFUSED


def _has_newer(licence: str, held: Collection[str]) -> bool:
    mine = _parsed(licence)
    others = (_parsed(one) for one in held)
    return mine is not None and any(
        one is not None
        and (one.type_code, one.issuer, one.serial) == (mine.type_code, mine.issuer, mine.serial)
        and one.version > mine.version
        for one in others
    )


def _parsed(licence: str) -> LicenceIdentifier | None:
    try:
        return LicenceIdentifier.parse(licence)
    except MalformedInput:
        return None

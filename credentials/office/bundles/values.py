"""What a bundle of cases is, and the digest that people agree to when they agree to all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials.applications import RowFault
from credentials.office.agreements import Consent, content_digest
from credentials.office.cases import CaseState, require_step
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.office.cases import Case


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle. `total` counts the rows of its file, `faults` says why some of them are no cases.

    `digest` (hex) is over all its cases as they were when it was handed over last; `counts` are its cases by
    state. `editors` wrote any part of it: none of them reviews or approves it.
    """

    id: str
    agency: str
    number: str
    content: str  # SHA-256 (hex) of the file that it was made from
    state: CaseState
    total: int
    faults: tuple[RowFault, ...]
    editors: tuple[str, ...]
    digest: str
    changed_at: datetime
    consents: tuple[Consent, ...] = ()
    note: str = ""
    counts: Mapping[CaseState, int] = field(default_factory=dict)

    def require(self, step: str) -> None:
        """`Conflict` unless this may be done to the bundle now."""
        require_step(self.state, step)

    @property
    def faulty(self) -> int:
        """How many rows of the file are no cases."""
        return len({fault.row for fault in self.faults if fault.row > 1})


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle that was asked for, and whether it was there before."""

    bundle: Bundle
    is_new: bool


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """What one run of the seal came to: the bundle, its new licences, and rows that could not be sealed."""

    bundle: Bundle
    licences: tuple[str, ...]
    faults: tuple[RowFault, ...]

    @property
    def left(self) -> int:
        """How many cases still wait for the seal."""
        return self.bundle.counts.get(CaseState.APPROVED, 0)


def bundle_digest(bundle_id: str, agency: str, number: str, cases: Sequence[Case]) -> bytes:
    """SHA-256 over everything that people agree to: each case by its digest, in the file's order."""
    return content_digest(
        {
            "yinxin bundle": 1,
            "id": bundle_id,
            "agency": agency,
            "number": number,
            "cases": [case.digest.hex() for case in cases],
        }
    )


def fault_to_dict(fault: RowFault) -> dict[str, Any]:
    """A row's fault as JSON; `fault_from_dict` reads it."""
    return {"row": fault.row, "column": fault.column, "reason": fault.reason.to_dict()}


def fault_from_dict(value: Mapping[str, Any]) -> RowFault:
    """Read what `fault_to_dict` wrote."""
    return RowFault(value["row"], value["column"], Text(value["reason"]["zh"], value["reason"]["en"]))

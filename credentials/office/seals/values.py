"""A seal of the register (电子印章): what it is, how far it is in its life, and what may follow.

The life is that of the rules on electronic seals (电子印章管理办法, 国办发〔2025〕33号, as far as its text
was found): application, making, filing 备案, use, stop and restoration, cancellation 注销; made again on
expiry, damage, loss or leak. The register holds no key: it names the one a seal is used with, and its
certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


BEFORE = "from-before"  # who applied for, granted and used what was there before there was a register


class SealState(StrEnum):
    """How far a seal is."""

    APPLIED = "applied"
    APPROVED = "approved"
    MADE = "made"
    FILED = "filed"
    IN_USE = "in_use"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class SealKind(StrEnum):
    """What a seal stands for (the rules' third article)."""

    NAME = "name"
    DEPARTMENT = "department"
    BRANCH = "branch"
    PURPOSE = "purpose"
    PERSON = "person"


class RemakeReason(StrEnum):
    """Why a seal is made again."""

    EXPIRY = "expiry"
    DAMAGE = "damage"
    LOSS = "loss"
    LEAK = "leak"


STATE_NAMES: Mapping[SealState, Text] = {
    SealState.APPLIED: Text("已申请，待批准", "applied for, waiting for approval"),
    SealState.APPROVED: Text("已批准，待制作", "approved, to be made"),
    SealState.MADE: Text("已制作，待备案", "made, to be filed"),
    SealState.FILED: Text("已备案，待启用", "filed, to be taken into use"),
    SealState.IN_USE: Text("在用", "in use"),
    SealState.STOPPED: Text("已停用", "stopped"),
    SealState.CANCELLED: Text("已注销", "cancelled"),
}
KIND_NAMES: Mapping[SealKind, Text] = {
    SealKind.NAME: Text("法定名称章", "seal of the statutory name"),
    SealKind.DEPARTMENT: Text("内设机构章", "seal of a department"),
    SealKind.BRANCH: Text("分支机构章", "seal of a branch"),
    SealKind.PURPOSE: Text("业务专用章", "seal for one purpose"),
    SealKind.PERSON: Text("个人名章", "seal of a person"),
}
REASON_NAMES: Mapping[RemakeReason, Text] = {
    RemakeReason.EXPIRY: Text("到期", "expiry"),
    RemakeReason.DAMAGE: Text("损坏", "damage"),
    RemakeReason.LOSS: Text("丢失", "loss"),
    RemakeReason.LEAK: Text("泄露", "leak"),
}
# What may be done to a seal in each state; everything else is a conflict.
_STEPS: Mapping[str, tuple[SealState, ...]] = {
    "approve": (SealState.APPLIED,),
    "make": (SealState.APPROVED,),
    "file": (SealState.MADE,),
    "begin": (SealState.FILED,),
    "stop": (SealState.MADE, SealState.FILED, SealState.IN_USE),
    "resume": (SealState.STOPPED,),
    "grant": (SealState.MADE, SealState.FILED, SealState.IN_USE, SealState.STOPPED),
    "remake": (SealState.MADE, SealState.FILED, SealState.IN_USE, SealState.STOPPED, SealState.CANCELLED),
    "cancel": tuple(one for one in SealState if one is not SealState.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal. `agency` keeps the register, `owner` (a credit code) is whose seal it is.

    `key` names where its key is used (a home's key, a signer's URI), never the key. `certificate` is the
    SHA-256 (hex) of its certificate and `face` that of its picture. `from_before` marks a seal that was in
    use before there was a register. `leaked_since` stands once its key is given up as lost, `stopped_from`
    is where a stopped seal comes back to. `ground` and `document_number` are those of the last stop, return
    or cancellation. `step` counts changes.
    """

    id: str
    agency: str
    owner: str
    owner_name: str
    name: str
    kind: SealKind
    state: SealState
    key: str
    applied_by: str
    changed_at: datetime
    certificate: str | None = None
    not_after: datetime | None = None
    face: str | None = None
    filing_number: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    remade_for: RemakeReason | None = None
    from_before: bool = False
    leaked_since: datetime | None = None
    stopped_from: SealState | None = None
    ground: str = ""
    document_number: str = ""
    step: int = 0

    def require(self, step: str) -> None:
        """`Conflict` unless this may be done to the seal now."""
        if self.state not in _STEPS[step]:
            raise Conflict(f"the seal is {STATE_NAMES[self.state].en}")

    def require_resumable(self) -> None:
        """`Conflict` for a seal that never comes back: its key leaked, or another one took its place."""
        self.require("resume")
        if self.leaked_since is not None:
            raise Conflict("the key of this seal was given up as leaked: it is remade, never resumed")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": str(self.kind),
            "owner": {"code": self.owner, "name": self.owner_name},
            "state": str(self.state),
            "text": STATE_NAMES[self.state].to_dict(),
            "key": self.key,
            "certificate": self.certificate,
            "not_after": self.not_after.isoformat() if self.not_after else None,
            "face": self.face,
            "filing_number": self.filing_number,
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "remade_for": str(self.remade_for) if self.remade_for else None,
            "from_before": self.from_before,
            "leaked_since": self.leaked_since.isoformat() if self.leaked_since else None,
            "ground": self.ground,
            "document_number": self.document_number,
            "applied_by": self.applied_by,
            "changed_at": self.changed_at.isoformat(),
        }

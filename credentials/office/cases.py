"""A case of an issuing office (办件): what is to be made, how far it is, and who has agreed to it.

People agree to a digest over all that will be issued, and to nothing less: any edit makes another digest and
so voids what was agreed before. Storage is `credentials.office.repository`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import Consent, content_digest
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_NUMBER = 64


class WorkKind(StrEnum):
    """What a case asks for."""

    ISSUE = "issue"
    REPLACE = "replace"
    RENEW = "renew"


class CaseState(StrEnum):
    """How far a case is."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    IN_APPROVAL = "in_approval"
    APPROVED = "approved"
    SEALED = "sealed"
    WITHDRAWN = "withdrawn"


STATE_NAMES: Mapping[CaseState, Text] = {
    CaseState.DRAFT: Text("起草", "draft"),
    CaseState.IN_REVIEW: Text("待审核", "waiting for review"),
    CaseState.IN_APPROVAL: Text("待批准", "waiting for approval"),
    CaseState.APPROVED: Text("已批准，待制证", "approved, to be sealed"),
    CaseState.SEALED: Text("已制证", "sealed"),
    CaseState.WITHDRAWN: Text("已撤件", "withdrawn"),
}
# What may be done to a case in each state; everything else is a conflict.
_STEPS: Mapping[str, tuple[CaseState, ...]] = {
    "edit": (CaseState.DRAFT, CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED),
    "submit": (CaseState.DRAFT,),
    "review": (CaseState.IN_REVIEW,),
    "approve": (CaseState.IN_APPROVAL,),
    "return": (CaseState.IN_REVIEW, CaseState.IN_APPROVAL),
    "seal": (CaseState.APPROVED,),
    "withdraw": (CaseState.DRAFT, CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED),
}


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be made: a licence of a type, or the next version of one.

    `holder_key` is the JWK that the credential will be bound to, None for none. `licence` is the version that
    is replaced; it has a legal `ground` and the decision's `document_number`.
    """

    kind: WorkKind
    type_code: str
    claims: Mapping[str, Any]
    holder_key: Mapping[str, str] | None = None
    licence: str | None = None
    ground: str = ""
    document_number: str = ""

    def __post_init__(self) -> None:
        if (self.kind is WorkKind.ISSUE) != (self.licence is None):
            raise UsageError("a replacement, and nothing else, names the licence that it replaces")
        if self.licence is not None and not (self.ground.strip() and self.document_number.strip()):
            raise UsageError("a replacement needs its legal ground and the number of its document")

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "kind": str(self.kind),
            "type": self.type_code,
            "claims": dict(self.claims),
            "holder_key": dict(self.holder_key) if self.holder_key else None,
            "licence": self.licence,
            "ground": self.ground,
            "document_number": self.document_number,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Work:
        """Read what `to_dict` wrote."""
        return cls(
            WorkKind(value["kind"]),
            value["type"],
            value["claims"],
            value["holder_key"],
            value["licence"],
            value["ground"],
            value["document_number"],
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `number` is the agency's own (办件编号); `revision` counts edits; `sealed_as` is the licence.

    `editors` are all who wrote any part of it: none of them reviews or approves it.
    """

    id: str
    agency: str
    number: str
    work: Work
    state: CaseState
    revision: int
    editors: tuple[str, ...]
    changed_at: datetime
    consents: tuple[Consent, ...] = ()
    note: str = ""
    sealed_as: str | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything that people agree to."""
        content = {
            "yinxin case": 1,
            "id": self.id,
            "agency": self.agency,
            "number": self.number,
            "revision": self.revision,
            "work": self.work.to_dict(),
        }
        return content_digest(content)

    def require(self, step: str) -> None:
        """`Conflict` unless this may be done to the case now."""
        if self.state not in _STEPS[step]:
            raise Conflict(f"the case is {STATE_NAMES[self.state].en}")

    def consent(self, role: str) -> Consent | None:
        """The agreement in this role that is about the case as it is."""
        wanted = self.digest.hex()
        return next((one for one in self.consents if (one.role, one.digest) == (role, wanted)), None)


def work_digest(work: Work) -> str:
    """SHA-256 (hex) over what is to be made, whatever case asks for it."""
    return content_digest(work.to_dict()).hex()

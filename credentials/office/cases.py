"""A case of an issuing office (办件): what is to be made, how far it is, and who has agreed to it.

People agree to a digest over all that will be issued, and to nothing less: any edit makes another digest and
so voids what was agreed before. Storage is `credentials.office.repository`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import Consent, content_digest
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.licence_type import LicenceType

MAX_NUMBER = 64
MAX_WORDS = 500


class WorkKind(StrEnum):
    """What a case asks for."""

    ISSUE = "issue"
    REPLACE = "replace"
    RENEW = "renew"
    CORRECT = "correct"
    CHANGE = "change"
    MERGE = "merge"
    SPLIT = "split"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class KindRow:
    """What a work of one kind is about, and what it says. How it is done is `making.MAKERS`.

    `licences` bounds how many licences it names; a kind that names any also has a legal ground and a
    document. `states` tells whether it states claims, `details` are the names of what else it may say.
    """

    name: Text
    licences: tuple[int, int] = (0, 0)
    states: bool = True
    details: frozenset[str] = frozenset()


_ONE = (1, 1)
_EVENT = frozenset({"effective_from", "cause"})
# A further kind is a name above, a row here and a row of `making.MAKERS`; `office.details` reads details.
KINDS: Mapping[WorkKind, KindRow] = {
    WorkKind.ISSUE: KindRow(Text("新办", "a new licence")),
    WorkKind.REPLACE: KindRow(Text("换发", "a replacement"), licences=(1, 1)),
    WorkKind.RENEW: KindRow(Text("延续", "a renewal"), licences=(1, 1)),
    WorkKind.CORRECT: KindRow(Text("更正", "a correction"), licences=_ONE),
    WorkKind.CHANGE: KindRow(Text("变更", "a change"), licences=_ONE, details=frozenset({"effective_from"})),
    WorkKind.MERGE: KindRow(Text("多证合一", "a merger"), licences=(2, 20), details=frozenset({"into"})),
    WorkKind.SPLIT: KindRow(Text("分立", "a split"), licences=_ONE, details=frozenset({"parts", "goes_on"})),
    WorkKind.SUSPEND: KindRow(Text("暂停", "a suspension"), licences=_ONE, states=False, details=_EVENT),
    WorkKind.RESUME: KindRow(Text("恢复", "a resumption"), licences=_ONE, states=False, details=_EVENT),
    WorkKind.END: KindRow(
        Text("终止", "an ending"), licences=_ONE, states=False, details=_EVENT | {"ending"}
    ),
    WorkKind.UNDO: KindRow(
        Text("撤回误登", "an undoing"), licences=_ONE, states=False, details=frozenset({"event"})
    ),
}


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
    """What is to be done: a licence of a type, or something about one or several that are there.

    `holder_key` is the JWK that the credential will be bound to, None for none. `licence` is the version that
    it is about, `more_licences` are the others of a kind that is about several; there is a legal `ground`
    then, and the decision's `document_number`. `details` is what a kind says besides, as JSON. `type_version`
    is the version of the type that its claims were checked against: people agree to that one.
    """

    kind: WorkKind
    type_code: str
    claims: Mapping[str, Any]
    holder_key: Mapping[str, str] | None = None
    licence: str | None = None
    ground: str = ""
    document_number: str = ""
    more_licences: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    type_version: int | None = None

    def __post_init__(self) -> None:
        row, named = KINDS[self.kind], len(self.licences)
        fewest, most = row.licences
        if not fewest <= named <= most or len(set(self.licences)) != named:
            raise UsageError(f"{row.name.en} names {fewest} to {most} different licences, not {named}")
        if named and not (self.ground.strip() and self.document_number.strip()):
            raise UsageError(f"{row.name.en} needs its legal ground and the number of its document")
        if max(len(self.ground), len(self.document_number)) > MAX_WORDS:
            raise UsageError(f"ground and document number have at most {MAX_WORDS} characters")
        if not set(self.details) <= row.details:
            raise UsageError(f"{row.name.en} says nothing else than {sorted(row.details)}")
        if self.claims and not row.states:
            raise UsageError(f"{row.name.en} states no claims")

    @property
    def licences(self) -> tuple[str, ...]:
        """Every licence that it is about."""
        return (self.licence, *self.more_licences) if self.licence else self.more_licences

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
            **({"more_licences": list(self.more_licences)} if self.more_licences else {}),
            **({"details": dict(self.details)} if self.details else {}),
            **({"type_version": self.type_version} if self.type_version is not None else {}),
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
            tuple(value.get("more_licences", ())),
            value.get("details", {}),
            value.get("type_version"),
        )

    def require_version(self, kind: LicenceType) -> None:
        """`Conflict` when the type is at another version than the one that people agreed to."""
        if self.type_version not in {None, kind.version}:
            raise Conflict(f"the type {kind.code} changed meanwhile: edit the case, it is agreed to again")


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `number` is the agency's own (办件编号); `revision` counts edits; `sealed_as` is the licence.

    `editors` are all who wrote any part of it: none of them reviews or approves it. A case of a `bundle` was
    in that row of its file (`place`), and goes the bundle's way.
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
    bundle: str | None = None
    place: int = 0

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
        if self.bundle is not None and step not in {"edit", "withdraw"}:
            raise Conflict("the case belongs to a bundle, which goes as a whole")
        if self.bundle is not None and step == "edit" and self.state is not CaseState.DRAFT:
            raise Conflict("a case of a bundle is edited when the bundle was sent back")
        require_step(self.state, step)

    def consent(self, role: str) -> Consent | None:
        """The agreement in this role that is about the case as it is."""
        wanted = self.digest.hex()
        return next((one for one in self.consents if (one.role, one.digest) == (role, wanted)), None)


def require_number(number: str, *, longest: int = MAX_NUMBER) -> None:
    """`UsageError` unless this can be the number of a case or a bundle."""
    if not 0 < len(number) <= longest or not number.isprintable() or number != number.strip():
        raise UsageError(f"a number is readable text of at most {longest} characters")


def require_step(state: CaseState, step: str) -> None:
    """`Conflict` unless a case, or a bundle of them, that is in this state may take this step."""
    if state not in _STEPS[step]:
        raise Conflict(f"the case is {STATE_NAMES[state].en}")


def work_digest(work: Work) -> str:
    """SHA-256 (hex) over what is to be made, whatever case asks for it, whatever version its type has."""
    return content_digest(replace(work, type_version=None).to_dict()).hex()

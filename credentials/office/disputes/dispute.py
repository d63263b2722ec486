"""A dispute about a licence (证照异议): one is missing (缺证) or says something wrong (错证).

Its issuer answers: received → accepted or rejected → corrected, answered or escalated. Storage is
`credentials.office.disputes.repository`, who may do what is `.service`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import Conflict, InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.office.disputes.contacts import Contact

MAX_WORDS, MAX_FIELDS, MAX_NAME = 2000, 20, 160


class DisputeKind(StrEnum):
    """What is said to be wrong."""

    MISSING = "missing"
    WRONG = "wrong"


class DisputeState(StrEnum):
    """How far a dispute is."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"
    ANSWERED = "answered"
    ESCALATED = "escalated"


KIND_NAMES: Mapping[DisputeKind, Text] = {
    DisputeKind.WRONG: Text("错证", "a licence is wrong"),
    DisputeKind.MISSING: Text("缺证", "a licence is missing"),
}
STATE_NAMES: Mapping[DisputeState, Text] = {
    DisputeState.RECEIVED: Text("已收到，待受理", "received"),
    DisputeState.ACCEPTED: Text("已受理，核查中", "accepted, being looked into"),
    DisputeState.REJECTED: Text("不予受理", "rejected"),
    DisputeState.CORRECTED: Text("已更正", "corrected"),
    DisputeState.ANSWERED: Text("已答复", "answered"),
    DisputeState.ESCALATED: Text("已移送监察", "handed to supervision"),
}
OPEN = (DisputeState.RECEIVED, DisputeState.ACCEPTED, DisputeState.ESCALATED)
# What may be done to a dispute in each state, and what it is afterwards; everything else is a conflict.
STEPS: Mapping[str, tuple[tuple[DisputeState, ...], DisputeState]] = {
    "accept": ((DisputeState.RECEIVED,), DisputeState.ACCEPTED),
    "reject": ((DisputeState.RECEIVED,), DisputeState.REJECTED),
    "correct": ((DisputeState.ACCEPTED, DisputeState.ESCALATED), DisputeState.CORRECTED),
    "answer": ((DisputeState.ACCEPTED, DisputeState.ESCALATED), DisputeState.ANSWERED),
    "escalate": ((DisputeState.ACCEPTED, DisputeState.REJECTED), DisputeState.ESCALATED),
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What somebody says: which licence (identifier or number), or of which type and agency one is missing.

    `fields` are the names of the data that are wrong, `slip` the number of the slip that they were handed.
    `InvalidClaims` names what cannot be meant.
    """

    kind: DisputeKind
    words: str
    licence: str = ""
    type_code: str = ""
    agency: str = ""
    fields: tuple[str, ...] = ()
    slip: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", self.words.replace("\r\n", "\n").strip())
        if faults := [*_faults(self)]:
            raise InvalidClaims(faults=faults)


@dataclass(frozen=True, slots=True)
class Answer:
    """One step of a dispute: what it became, when, by whom, and in which words."""

    state: DisputeState
    at: datetime
    by: str
    words: str

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"state": str(self.state), "at": self.at.isoformat(), "by": self.by, "words": self.words}


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute, as its issuer sees it. `due_at` is the end of the term for the next answer.

    `case_id` is the desk case that corrects it and `result` the licence version that came of it. `words`
    and the answers' words are empty once they were forgotten.
    """

    number: str
    agency: str
    kind: DisputeKind
    state: DisputeState
    opened_by: str
    words: str
    received_at: datetime
    due_at: datetime
    licence: str | None = None
    type_code: str = ""
    fields: tuple[str, ...] = ()
    slip: str | None = None
    answers: tuple[Answer, ...] = ()
    case_id: str | None = None
    result: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes an answer."""
        return self.state in OPEN

    def is_overdue(self, now: datetime) -> bool:
        """Whether the term for the next answer is over."""
        return self.is_open and now >= self.due_at

    def after(self, step: str) -> DisputeState:
        """What the dispute is after this step; `Conflict` when it cannot be done now."""
        before, then = STEPS[step]
        if self.state not in before:
            raise Conflict(f"the dispute is {STATE_NAMES[self.state].en}")
        return then

    def to_dict(self, *, for_staff: bool) -> dict[str, Any]:
        """As JSON; who disputes hears no names of staff."""
        answers = [one.to_dict() for one in self.answers]
        if not for_staff:
            answers = [{name: text for name, text in one.items() if name != "by"} for one in answers]
        shown = {
            "number": self.number,
            "agency": self.agency,
            "kind": str(self.kind),
            "state": str(self.state),
            "text": STATE_NAMES[self.state].to_dict(),
            "licence": self.licence,
            "type": self.type_code,
            "fields": list(self.fields),
            "words": self.words,
            "received_at": self.received_at.isoformat(),
            "due_at": self.due_at.isoformat() if self.is_open else None,
            "answers": answers,
            "result": self.result,
        }
        return {**shown, "opened_by": self.opened_by, "case": self.case_id} if for_staff else shown


@dataclass(frozen=True, slots=True)
class Opened:
    """A dispute that was received; `secret` is shown once, and lets its opener follow it."""

    dispute: Dispute
    secret: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The licence's issuer keeps its own: there is where to go."""

    contact: Contact


def check_words(words: str, *, name: str = "words") -> str:
    """What somebody wrote, without spaces around it; `InvalidClaims` unless it can be shown as it is."""
    found = words.replace("\r\n", "\n").strip()
    if fault := _words_fault(found):
        raise InvalidClaims(faults=[(name, fault)])
    return found


def _words_fault(words: str) -> Text | None:
    if not words:
        return Text("请说明情况", "say what it is about")
    if len(words) > MAX_WORDS:
        return Text(f"不得超过 {MAX_WORDS} 字", f"at most {MAX_WORDS} characters")
    if not all(character.isprintable() or character == "\n" for character in words):
        return Text("含有无法显示的字符", "it holds characters that cannot be shown")
    return None


def _faults(complaint: Complaint) -> list[tuple[str, Text]]:
    faults = []
    if fault := _words_fault(complaint.words):
        faults.append(("words", fault))
    for name in ("licence", "type_code", "agency", "slip"):
        value = getattr(complaint, name)
        if len(value) > MAX_NAME or not value.isprintable():
            faults.append((name, Text("内容过长或无法显示", "too long, or not readable")))
    if complaint.kind is DisputeKind.WRONG and not complaint.licence.strip():
        faults.append(("licence", Text("请写明哪一件证照有误", "say which licence is wrong")))
    if complaint.kind is DisputeKind.MISSING and not (complaint.type_code and complaint.agency):
        faults.append(
            ("type_code", Text("请写明缺少的证照类型与发证机关", "say which type, and of which agency"))
        )
    names = complaint.fields
    if len(names) > MAX_FIELDS or not all(name.isidentifier() and len(name) <= 64 for name in names):
        faults.append(("fields", Text("错误项目名称不正确", "not the names of data of a licence")))
    return faults

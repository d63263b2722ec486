"""What happened to a person or an organisation, what follows from it for each thing, and what became of that.

A subject is known by its code: a credit code (GB 32100) or a citizen's number (GB 11643). The code stands in
no log and in no address; what is stored of it is sealed, and found by a blind index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import Consent, content_digest
from yinxin.base.errors import MalformedInput, UsageError
from yinxin.base.identifiers import CitizenNumber, CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_NAME, MAX_GROUND, MAX_DOCUMENT = 120, 500, 120


class EventKind(StrEnum):
    """What can happen to a subject."""

    RENAMED = "renamed"
    REPRESENTATIVE_CHANGED = "representative_changed"
    MERGED = "merged"
    DISSOLVED = "dissolved"
    DEATH_REPORTED = "death_reported"
    DEATH_CONTESTED = "death_contested"
    DEATH_CONFIRMED = "death_confirmed"
    RESTORED = "restored"


KIND_NAMES: Mapping[EventKind, Text] = {
    EventKind.RENAMED: Text("名称变更", "renamed"),
    EventKind.REPRESENTATIVE_CHANGED: Text("法定代表人变更", "legal representative changed"),
    EventKind.MERGED: Text("被合并", "merged into another"),
    EventKind.DISSOLVED: Text("终止（解散、注销登记）", "dissolved"),
    EventKind.DEATH_REPORTED: Text("死亡（待核实）", "death reported, not confirmed"),
    EventKind.DEATH_CONTESTED: Text("死亡信息有误", "death contested"),
    EventKind.DEATH_CONFIRMED: Text("死亡（已核实）", "death confirmed"),
    EventKind.RESTORED: Text("纠正误登事件", "a mistaken event undone"),
}
OF_PERSONS = frozenset({EventKind.DEATH_REPORTED, EventKind.DEATH_CONTESTED, EventKind.DEATH_CONFIRMED})
OF_ORGANISATIONS = frozenset({EventKind.REPRESENTATIVE_CHANGED, EventKind.MERGED, EventKind.DISSOLVED})
TAKING_BACK = frozenset({EventKind.DEATH_CONTESTED, EventKind.RESTORED})
"""Events that take back what an earlier one did."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person or an organisation, by its code."""

    code: str = field(repr=False)
    is_person: bool

    @classmethod
    def parse(cls, text: str) -> Subject:
        """The subject of this code; `MalformedInput`, which never repeats it."""
        try:
            return cls(CitizenNumber.parse(text).reveal(), is_person=True)
        except MalformedInput:
            pass
        try:
            return cls(CreditCode.parse(text).value, is_person=False)
        except MalformedInput:
            raise MalformedInput("subject", "neither a citizen's number nor a credit code") from None

    @property
    def shown(self) -> str:
        """The code as staff sees it: a citizen's number is masked."""
        return str(CitizenNumber.parse(self.code)) if self.is_person else self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What happened, by which decision.

    `name` is the new name (or, for a merger, the name of who takes over), `representative` the new legal
    representative, `into` the subject merged into, `undoes` the event that is taken back. `salt` is random:
    it keeps a digest of these few facts from being guessed.
    """

    kind: EventKind
    subject: Subject
    ground: str
    document_number: str
    salt: str
    name: str | None = None
    representative: str | None = None
    into: Subject | None = None
    undoes: str | None = None
    happened_on: date | None = None

    def __post_init__(self) -> None:
        for what, value, limit in (
            ("legal ground", self.ground, MAX_GROUND),
            ("document number", self.document_number, MAX_DOCUMENT),
            ("name", self.name or "-", MAX_NAME),
            ("representative's name", self.representative or "-", MAX_NAME),
        ):
            if not value.strip() or len(value) > limit or not value.isprintable():
                raise UsageError(f"the {what} is readable text of at most {limit} characters")
        self._require_fitting()

    def _require_fitting(self) -> None:
        kind, person = self.kind, self.subject.is_person
        if (person and kind in OF_ORGANISATIONS) or (not person and kind in OF_PERSONS):
            raise UsageError(
                f"{KIND_NAMES[kind].en}: not an event of {'a person' if person else 'an organisation'}"
            )
        wanted = {
            "name": kind in {EventKind.RENAMED, EventKind.MERGED},
            "representative": kind is EventKind.REPRESENTATIVE_CHANGED,
            "into": kind is EventKind.MERGED,
            "undoes": kind in TAKING_BACK,
        }
        for fact, needed in wanted.items():
            if (getattr(self, fact) is not None) != needed:
                raise UsageError(f"{KIND_NAMES[kind].en}: {'needs' if needed else 'takes no'} {fact}")
        if self.into is not None and (self.into.code == self.subject.code or self.into.is_person):
            raise UsageError("an organisation is merged into another organisation")

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in clear: for the sealed column and the digest only."""
        return {
            "kind": str(self.kind),
            "subject": self.subject.code,
            "ground": self.ground,
            "document_number": self.document_number,
            "salt": self.salt,
            "name": self.name,
            "representative": self.representative,
            "into": self.into.code if self.into else None,
            "undoes": self.undoes,
            "happened_on": self.happened_on.isoformat() if self.happened_on else None,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> EventFacts:
        """Read what `to_dict` wrote."""
        return cls(
            kind=EventKind(value["kind"]),
            subject=Subject.parse(value["subject"]),
            ground=value["ground"],
            document_number=value["document_number"],
            salt=value["salt"],
            name=value["name"],
            representative=value["representative"],
            into=Subject.parse(value["into"]) if value["into"] else None,
            undoes=value["undoes"],
            happened_on=date.fromisoformat(value["happened_on"]) if value["happened_on"] else None,
        )


class EffectKind(StrEnum):
    """What sort of thing is touched."""

    LICENCE = "licence"
    COPY = "copy"
    CERTIFICATE = "certificate"
    SEAL = "seal"
    DELEGATION = "delegation"


EFFECT_NAMES: Mapping[EffectKind, Text] = {
    EffectKind.LICENCE: Text("证照", "licence"),
    EffectKind.COPY: Text("钱包副本", "wallet copy"),
    EffectKind.CERTIFICATE: Text("证书", "certificate"),
    EffectKind.SEAL: Text("印章", "seal"),
    EffectKind.DELEGATION: Text("授权委托", "delegation"),
}


class Action(StrEnum):
    """What is done to a thing. `left` and `by_hand` are done by nobody, or by a person."""

    REISSUE = "reissue"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"
    UNDO = "undo"
    CORRECT = "correct"
    FOLLOW = "follow"
    REVOKE = "revoke"
    HOLD = "hold"
    RELEASE = "release"
    STOP = "stop"
    RESTART = "restart"
    CANCEL = "cancel"
    RECALL = "recall"
    LEFT = "left"
    BY_HAND = "by_hand"


ACTION_NAMES: Mapping[Action, Text] = {
    Action.REISSUE: Text("换发", "issued anew"),
    Action.SUSPEND: Text("暂停", "suspended"),
    Action.RESUME: Text("恢复", "resumed"),
    Action.END: Text("终止", "ended"),
    Action.UNDO: Text("撤回误登", "undone"),
    Action.CORRECT: Text("更正", "corrected"),
    Action.FOLLOW: Text("随证照变化", "follows its licence"),
    Action.REVOKE: Text("吊销证书", "revoked"),
    Action.HOLD: Text("证书冻结", "put on hold"),
    Action.RELEASE: Text("解除冻结", "released from hold"),
    Action.STOP: Text("停用", "stopped"),
    Action.RESTART: Text("恢复使用", "in use again"),
    Action.CANCEL: Text("注销印章", "cancelled"),
    Action.RECALL: Text("收回", "recalled"),
    Action.LEFT: Text("不变", "left as it is"),
    Action.BY_HAND: Text("需人工办理", "needs a person"),
}
IDLE = frozenset({Action.LEFT, Action.BY_HAND})


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event does to one thing.

    `thing` is its identifier, `name` what sort of thing people see, `why` the reason in words. `terms` say
    how (the ending's kind, the reason of a revocation), `seen` is how the thing stood when this was planned.
    No personal data in any of them.
    """

    of: EffectKind
    thing: str
    name: Text
    action: Action
    why: Text
    terms: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the plan's other effects."""
        return str(self.of), self.thing

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "of": str(self.of),
            "thing": self.thing,
            "name": self.name.to_dict(),
            "action": str(self.action),
            "why": self.why.to_dict(),
            "terms": dict(self.terms),
            "seen": dict(self.seen),
        }


class OutcomeKind(StrEnum):
    """What became of an effect."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    LEFT = "left"
    BY_HAND = "by_hand"


OUTCOME_NAMES: Mapping[OutcomeKind, Text] = {
    OutcomeKind.PENDING: Text("未办理", "not done yet"),
    OutcomeKind.DONE: Text("已办理", "done"),
    OutcomeKind.FAILED: Text("未能办理", "failed"),
    OutcomeKind.LEFT: Text("不变", "left as it is"),
    OutcomeKind.BY_HAND: Text("需人工办理", "needs a person"),
}


CHANGED, NOT_FOLLOWED, HALTED = "changed", "not_followed", "halted"
CODE_NAMES: Mapping[str, Text] = {
    CHANGED: Text("其间另有变动，未作处理", "something else happened to it meanwhile: not touched"),
    NOT_FOLLOWED: Text("副本状态与证照不一致，请核查", "its status is not that of its licence: look into it"),
    HALTED: Text("执行被叫停，未作处理", "the work was halted before it: not touched"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an effect: `code` says why it failed, `facts` name what it made. No personal data.

    A code is one of `CODE_NAMES`, or that of the error that refused it.
    """

    kind: OutcomeKind
    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> Text:
        """In words for people."""
        words = OUTCOME_NAMES[self.kind]
        if not self.code:
            return words
        why = CODE_NAMES.get(self.code, Text(f"系统拒绝（{self.code}）", f"refused ({self.code})"))
        return Text(f"{words.zh}：{why.zh}", f"{words.en}: {why.en}")

    @classmethod
    def done(cls, **facts: str) -> Outcome:
        """It was done."""
        return cls(OutcomeKind.DONE, facts=facts)

    @classmethod
    def failed(cls, code: str, **facts: str) -> Outcome:
        """It could not be done, and will not be by this event."""
        return cls(OutcomeKind.FAILED, code, facts)


@dataclass(frozen=True, slots=True)
class PlannedEffect:
    """An effect with its place in the plan and what became of it."""

    sequence: int
    effect: Effect
    outcome: Outcome
    settled_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "sequence": self.sequence,
            **self.effect.to_dict(),
            "outcome": str(self.outcome.kind),
            "says": self.outcome.text.to_dict(),
            "code": self.outcome.code,
            "facts": dict(self.outcome.facts),
            "settled_at": self.settled_at.isoformat() if self.settled_at else None,
        }


class EventState(StrEnum):
    """How far an event is."""

    PLANNED = "planned"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    WITHDRAWN = "withdrawn"


STATE_NAMES: Mapping[EventState, Text] = {
    EventState.PLANNED: Text("已拟定，待批准", "planned, to be approved"),
    EventState.APPROVED: Text("已批准，待执行", "approved, to be run"),
    EventState.RUNNING: Text("执行中", "running"),
    EventState.DONE: Text("已执行", "done"),
    EventState.WITHDRAWN: Text("已撤回", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class SubjectEvent:
    """An event of a subject with its plan.

    `planners` are all who planned it: none of them approves it. `begun_at` is when it was first run: what it
    brings about takes effect from then on. `step` counts every change.
    """

    id: str
    agency: str
    facts: EventFacts
    state: EventState
    planners: tuple[str, ...]
    planned_at: datetime
    digest: str
    step: int = 0
    consents: tuple[Consent, ...] = ()
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    run_by: str | None = None
    undone_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON for staff; a citizen's number is masked."""
        facts = self.facts
        return {
            "id": self.id,
            "kind": str(facts.kind),
            "says": KIND_NAMES[facts.kind].to_dict(),
            "subject": facts.subject.shown,
            "name": facts.name,
            "representative": facts.representative,
            "into": facts.into.shown if facts.into else None,
            "undoes": facts.undoes,
            "happened_on": facts.happened_on.isoformat() if facts.happened_on else None,
            "ground": facts.ground,
            "document_number": facts.document_number,
            "state": str(self.state),
            "digest": self.digest,
            "planned_by": list(self.planners),
            "planned_at": self.planned_at.isoformat(),
            "approved_by": [one.by for one in self.consents],
            "begun_at": self.begun_at.isoformat() if self.begun_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "undone_by": self.undone_by,
        }


def plan_digest(event_id: str, agency: str, facts: EventFacts, effects: Sequence[Effect]) -> str:
    """SHA-256 (hex) over everything that is agreed to: what happened, and what it will do to what was seen."""
    content = {
        "yinxin subject event": 1,
        "id": event_id,
        "agency": agency,
        "facts": facts.to_dict(),
        "effects": [one.to_dict() for one in effects],
    }
    return content_digest(content).hex()

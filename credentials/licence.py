"""A licence as the office speaks of it: one version, what happened to it, and what each event is called.

A licence is versioned and bitemporal. Its number stays, its version rises; old and new name each other.
An event has `effective_from`, set by the authority, and `recorded_at`, when our register learnt of it.
A correction states what was always true and holds from where the mistaken version began; a change is true
from a day (docs/explanation/decisions/0009-correction-and-change.md).
What follows for a moment that somebody asks about is `credentials.standing`; storage is
`credentials.repository`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base import clock
from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from credentials.fields import Claim

CHINA = clock.CHINA
"""An agency's days begin at midnight here; the country has one time zone."""


class EndingKind(StrEnum):
    """How a licence ends, by its legal kind."""

    EXPIRED = "expired"
    DEREGISTERED = "deregistered"
    ANNULLED = "annulled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class EventKind(StrEnum):
    """What else can happen to a licence."""

    SUSPENDED = "suspended"
    RESUMED = "resumed"
    COMMITMENT_MET = "commitment_met"
    UNDONE = "undone"


class VersionKind(StrEnum):
    """How a version came about."""

    ISSUED = "issued"
    CORRECTED = "corrected"
    CHANGED = "changed"
    RENEWED = "renewed"
    REPLACED = "replaced"
    MERGED = "merged"
    SPLIT = "split"


class Cause(StrEnum):
    """What an event follows from, where a rule of the register hangs on it."""

    DEATH_REPORTED = "death_reported"
    DEATH_CONTESTED = "death_contested"
    DEATH_CONFIRMED = "death_confirmed"


KIND_NAMES: Mapping[EndingKind | EventKind, Text] = {
    EndingKind.EXPIRED: Text("到期", "expired"),
    EndingKind.DEREGISTERED: Text("注销", "deregistered"),
    EndingKind.ANNULLED: Text("撤销", "annulled"),
    EndingKind.WITHDRAWN: Text("撤回", "withdrawn"),
    EndingKind.REVOKED: Text("吊销", "revoked"),
    EndingKind.SUPERSEDED: Text("换发", "superseded"),
    EventKind.SUSPENDED: Text("暂停", "suspended"),
    EventKind.RESUMED: Text("恢复", "resumed"),
    EventKind.COMMITMENT_MET: Text("承诺已履行", "commitment met"),
    EventKind.UNDONE: Text("撤回误登", "undone"),
}
VERSION_NAMES: Mapping[VersionKind, Text] = {
    VersionKind.ISSUED: Text("首次制发", "first issued"),
    VersionKind.CORRECTED: Text("更正", "corrected"),
    VersionKind.CHANGED: Text("变更", "changed"),
    VersionKind.RENEWED: Text("延续", "renewed"),
    VersionKind.REPLACED: Text("换发", "replaced"),
    VersionKind.MERGED: Text("合并", "merged"),
    VersionKind.SPLIT: Text("分立", "split"),
}
CAUSE_NAMES: Mapping[Cause, Text] = {
    Cause.DEATH_REPORTED: Text("死亡信息待核实", "a death that is reported and not confirmed"),
    Cause.DEATH_CONTESTED: Text("死亡信息经核实有误", "a reported death that turned out wrong"),
    Cause.DEATH_CONFIRMED: Text("死亡信息已核实", "a confirmed death"),
}
# An unconfirmed death only suspends; its confirmation ends (行政许可法 第七十条：注销), a contest resumes.
_CAUSED: Mapping[Cause, EndingKind | EventKind] = {
    Cause.DEATH_REPORTED: EventKind.SUSPENDED,
    Cause.DEATH_CONTESTED: EventKind.RESUMED,
    Cause.DEATH_CONFIRMED: EndingKind.DEREGISTERED,
}


@dataclass(frozen=True, slots=True)
class Agency:
    """Who issues (发证机关): its name and unified social credit code."""

    name: Text
    credit_code: str


PAPER_REGISTER = Text("依据纸质档案录入，未经复核", "from the paper register, not re-examined")
EXAMINED_REGISTER = Text("依据纸质档案录入，已经复核", "from the paper register, re-examined since")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a licence of an older register (存量证照) came from.

    `source` names that register, `row_digest` is a keyed digest of the row as it was there, `issued_on` the
    day that stands on the paper. `examined` says whether anybody compared it with the files since.
    """

    source: str
    row_digest: str
    imported_at: datetime
    issued_on: date
    examined: bool = False

    @property
    def words(self) -> Text:
        """What people must know of it."""
        return EXAMINED_REGISTER if self.examined else PAPER_REGISTER

    @property
    def text(self) -> Text:
        """The same, with the register."""
        return Text(f"{self.words.zh}（{self.source}）", f"{self.words.en} ({self.source})")

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "source": self.source,
            "row_digest": self.row_digest,
            "imported_at": self.imported_at.isoformat(),
            "issued_on": self.issued_on.isoformat(),
            "examined": self.examined,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Provenance:
        """Read what `to_dict` wrote."""
        imported_at = datetime.fromisoformat(value["imported_at"])
        issued_on = date.fromisoformat(value["issued_on"])
        return cls(value["source"], value["row_digest"], imported_at, issued_on, value["examined"])


@dataclass(frozen=True, slots=True)
class Licence:
    """One version of a licence.

    `identifier` is its 36904 identifier and holds the version; `number` is what stands on the paper and
    stays the same in every version. `valid_until` is the last day, None without an end. `replaces` and
    `replaced_by` are the identifiers of the neighbouring versions. `type_version` is the version of its type
    that it was issued under: its fields and its page stay those. `recorded_at` is when our register
    learnt of it, `issued_at` when it was sealed: they differ for licences brought in from an older register,
    which `provenance` tells of; until such a one is sealed, `issued_at` is when it was brought in.
    """

    identifier: str
    number: str
    type_code: str
    type_name: Text
    version: int
    agency: Agency
    holder_name: str
    holder_code: str
    claims: Mapping[str, Claim]
    issued_at: datetime
    recorded_at: datetime
    valid_from: date
    valid_until: date | None
    commitment_due: date | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    pdf_sha256: str | None = None
    type_version: int = 1
    provenance: Provenance | None = None
    erased_at: datetime | None = None
    kind: VersionKind = VersionKind.ISSUED
    effective_from: datetime | None = None
    origins: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()

    @property
    def issued_on(self) -> date:
        """The day of issue that people read: of the paper where there was one first."""
        return self.provenance.issued_on if self.provenance else agency_day(self.issued_at)

    @property
    def awaits_document(self) -> bool:
        """Whether it came from an older register and was not sealed yet."""
        return self.provenance is not None and self.pdf_sha256 is None

    @property
    def starts_at(self) -> datetime:
        """From when it holds.

        The first moment of its first day; a later version from its sealing on, unless it says from when
        (a change its day, a correction the beginning of what it corrects).
        """
        if self.effective_from is not None:
            return self.effective_from
        first = start_of_day(self.valid_from)
        return max(first, self.issued_at) if self.replaces else first

    @property
    def ends_at(self) -> datetime | None:
        """The first moment at which it is past its last day."""
        return start_of_day(self.valid_until + timedelta(days=1)) if self.valid_until else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON. It holds personal data: for the holder, the office and whoever has a grant."""
        return {
            "identifier": self.identifier,
            "number": self.number,
            "type": self.type_code,
            "name": self.type_name.to_dict(),
            "version": f"{self.version:03}",
            "agency": {"name": self.agency.name.to_dict(), "credit_code": self.agency.credit_code},
            "holder": {"name": self.holder_name, "code": self.holder_code},
            "claims": dict(self.claims),
            "issued_at": self.issued_at.isoformat(),
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "commitment_due": self.commitment_due.isoformat() if self.commitment_due else None,
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "kind": str(self.kind),
            "effective_from": self.starts_at.isoformat(),
            "origins": list(self.origins),
            "successors": list(self.successors),
            "provenance": self._told_provenance(),
            "erased_at": self.erased_at.isoformat() if self.erased_at else None,
        }

    def _told_provenance(self) -> dict[str, Any] | None:
        if self.provenance is None:
            return None
        return {**self.provenance.to_dict(), "text": self.provenance.text.to_dict()}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a licence.

    `ground` is the legal ground in words, `document_number` the decision's, `cause` what it follows from
    where that matters. `actor` is who recorded it. In a superseding `replaced_by` names the next version of
    the same number, `successors` the licences of other numbers that took its place, `version_kind` how those
    came about. `sequence` counts the events of a version as they were recorded (None before it is);
    `undoes` is the sequence of the event that an UNDONE takes back.
    """

    kind: EndingKind | EventKind
    effective_from: datetime
    recorded_at: datetime
    ground: str
    document_number: str
    actor: str
    replaced_by: str | None = None
    successors: tuple[str, ...] = ()
    version_kind: VersionKind | None = None
    cause: Cause | None = None
    undoes: int | None = None
    sequence: int | None = None

    def __post_init__(self) -> None:
        if (self.kind is EndingKind.SUPERSEDED) != bool(self.replaced_by or self.successors):
            raise UsageError("a superseding, and nothing else, names what takes the licence's place")
        if (self.kind is EventKind.UNDONE) != (self.undoes is not None):
            raise UsageError("an undoing, and nothing else, names the event that it takes back")
        if self.cause is not None and _CAUSED[self.cause] is not self.kind:
            raise UsageError(f"{CAUSE_NAMES[self.cause].en} is recorded as {_CAUSED[self.cause]} only")

    @property
    def is_ending(self) -> bool:
        """Whether it ends the licence."""
        return isinstance(self.kind, EndingKind)

    @property
    def title(self) -> Text:
        """What it is called; a superseding with how what came after was made."""
        if self.version_kind is None:
            return KIND_NAMES[self.kind]
        made = VERSION_NAMES[self.version_kind]
        return Text(f"被取代（{made.zh}）", f"superseded ({made.en})")

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without personal data as far as grounds are written without it."""
        return {
            "sequence": self.sequence,
            "kind": str(self.kind),
            "name": self.title.to_dict(),
            "effective_from": self.effective_from.isoformat(),
            "effective_on": agency_day(self.effective_from).isoformat(),
            "recorded_at": self.recorded_at.isoformat(),
            "recorded_on": agency_day(self.recorded_at).isoformat(),
            "ground": self.ground,
            "document_number": self.document_number,
            "actor": self.actor,
            "replaced_by": self.replaced_by,
            "successors": list(self.successors),
            "version_kind": str(self.version_kind) if self.version_kind else None,
            "cause": str(self.cause) if self.cause else None,
            "undoes": self.undoes,
        }


def still_counting(events: Iterable[Event]) -> list[Event]:
    """These events without those that one of them takes back, and without the takings back."""
    every = list(events)
    undone = {event.undoes for event in every if event.undoes is not None}
    return [event for event in every if event.kind is not EventKind.UNDONE and event.sequence not in undone]


def start_of_day(day: date) -> datetime:
    """The first moment of an agency's day."""
    return datetime.combine(day, time.min, CHINA)


def agency_day(moment: datetime) -> date:
    """The agency's day that a moment lies in."""
    return moment.astimezone(CHINA).date()


def agency_time(moment: datetime) -> str:
    """A moment as the agency's clocks show it, to the second, with the zone."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S} {CHINA}"


def kind_of(name: str) -> EndingKind | EventKind:
    """The kind of this stored name."""
    return EndingKind(name) if name in set(EndingKind) else EventKind(name)

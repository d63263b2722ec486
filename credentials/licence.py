"""A licence as the office speaks of it: one version, what happened to it, and what each event is called.

A licence is versioned and bitemporal. Its number stays, its version rises; old and new name each other.
An event has `effective_from`, set by the authority, and `recorded_at`, when our register learnt of it.
What follows for a moment that somebody asks about is `credentials.standing`; storage is
`credentials.repository`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.fields import Claim

CHINA = timezone(timedelta(hours=8), "UTC+8")
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
    def text(self) -> Text:
        """In words for people."""
        words = EXAMINED_REGISTER if self.examined else PAPER_REGISTER
        return Text(f"{words.zh}（{self.source}）", f"{words.en} ({self.source})")

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
    `replaced_by` are the identifiers of the neighbouring versions. `recorded_at` is when our register
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
    provenance: Provenance | None = None

    @property
    def issued_on(self) -> date:
        """The day of issue that people read: of the paper where there was one first."""
        return self.provenance.issued_on if self.provenance else agency_day(self.issued_at)

    @property
    def starts_at(self) -> datetime:
        """From when it holds: the first moment of its first day, a later version from its sealing on."""
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
            "provenance": self._told_provenance(),
        }

    def _told_provenance(self) -> dict[str, Any] | None:
        if self.provenance is None:
            return None
        return {**self.provenance.to_dict(), "text": self.provenance.text.to_dict()}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a licence.

    `ground` is the legal ground in words, `document_number` the decision's. `actor` is who recorded it;
    `replaced_by` names the next version and stands only in a superseding.
    """

    kind: EndingKind | EventKind
    effective_from: datetime
    recorded_at: datetime
    ground: str
    document_number: str
    actor: str
    replaced_by: str | None = None

    def __post_init__(self) -> None:
        if (self.kind is EndingKind.SUPERSEDED) != (self.replaced_by is not None):
            raise UsageError("a superseding, and nothing else, names the next version")

    @property
    def is_ending(self) -> bool:
        """Whether it ends the licence."""
        return isinstance(self.kind, EndingKind)


def start_of_day(day: date) -> datetime:
    """The first moment of an agency's day."""
    return datetime.combine(day, time.min, CHINA)


def agency_day(moment: datetime) -> date:
    """The agency's day that a moment lies in."""
    return moment.astimezone(CHINA).date()


def kind_of(name: str) -> EndingKind | EventKind:
    """The kind of this stored name."""
    return EndingKind(name) if name in set(EndingKind) else EventKind(name)

"""How a licence stood at a moment, as far as was known at another: a pure function over its events.

`as_of` is the moment asked about, `known_at` up to when facts count. An answer for a past `known_at` never
changes, whatever is recorded later. `standing_checks` turns the answer into the checks of a report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.licence import (
    EndingKind,
    Event,
    EventKind,
    Licence,
    VersionKind,
    agency_day,
    still_counting,
)
from signing.reasons import Reason
from signing.report import Check, Scope
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime


class State(StrEnum):
    """What a licence is at a moment."""

    UNKNOWN = "unknown"
    NOT_YET_VALID = "not_yet_valid"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    DEREGISTERED = "deregistered"
    ANNULLED = "annulled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer: the state, since when, by which event, and what became of a commitment.

    `successor` names the version that took this one's place, and how it stood, where it did not hold either.
    """

    state: State
    as_of: datetime
    known_at: datetime
    since: datetime | None = None
    event: Event | None = None
    superseded_by: str | None = None
    commitment_due: date | None = None
    commitment_met: bool = False
    successor: tuple[str, Standing] | None = None

    @property
    def holds(self) -> bool:
        """Whether the licence may be relied on at that moment."""
        return self.state is State.IN_FORCE

    @property
    def commitment_is_overdue(self) -> bool:
        """Whether a commitment's last day has passed and nobody recorded it as met."""
        if self.commitment_due is None or self.commitment_met:
            return False
        return agency_day(self.as_of) > self.commitment_due

    @property
    def commitment_text(self) -> Text | None:
        """By when a commitment is due and what became of it, in words for people."""
        if self.commitment_due is None:
            return None
        due, met, overdue = self.commitment_due, self.commitment_met, self.commitment_is_overdue
        zh = "已履行" if met else "已逾期" if overdue else "尚未履行"
        en = "met" if met else "overdue" if overdue else "still open"
        return Text(f"承诺履行期限：{_zh(due)}，{zh}", f"commitment due on {due}: {en}")

    @property
    def text(self) -> Text:
        """In words for people."""
        words = _WORDS[self.state]
        day = agency_day(self.since) if self.since else None
        if self.state is State.SUPERSEDED and self.event:
            return _and_then(_superseded(self.event), self.successor)
        if day is None or self.state in {State.UNKNOWN, State.ANNULLED}:
            return words
        return Text(f"{words.zh}（自{_zh(day)}起）", f"{words.en} since {day}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without personal data."""
        answer: dict[str, Any] = {
            "state": str(self.state),
            "text": self.text.to_dict(),
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat(),
            "since": self.since.isoformat() if self.since else None,
        }
        if self.superseded_by:
            answer["superseded_by"] = self.superseded_by
        if self.event and self.event.successors:
            answer["successors"] = list(self.event.successors)
        if self.commitment_due:
            met, overdue = self.commitment_met, self.commitment_is_overdue
            answer["commitment"] = {"due": self.commitment_due.isoformat(), "met": met, "overdue": overdue}
        return answer


def standing(
    licence: Licence, events: Iterable[Event] = (), *, as_of: datetime, known_at: datetime
) -> Standing:
    """How this version stood at `as_of`, by what was recorded up to and including `known_at`."""
    if licence.recorded_at > known_at:
        return Standing(State.UNKNOWN, as_of, known_at)
    known = sorted(
        still_counting(event for event in events if event.recorded_at <= known_at),
        key=lambda event: (event.effective_from, event.recorded_at),
    )
    state, since, event = _state(licence, known, as_of)
    met = any(one.kind is EventKind.COMMITMENT_MET and one.effective_from <= as_of for one in known)
    return Standing(
        state,
        as_of,
        known_at,
        since=since,
        event=event,
        superseded_by=event.replaced_by if event else None,
        commitment_due=licence.commitment_due,
        commitment_met=met,
    )


def followed(found: Standing, every: Mapping[str, Standing]) -> Standing:
    """The same with what became of the version that took its place, where that does not hold any more.

    `every` is how the other versions stood, by identifier, at the same moment and by the same knowledge.
    Those that were superseded in their turn are passed over, each once. Who holds a superseded version
    would else go and look for one that is void.
    """
    left, name, after = dict(every), found.superseded_by, None
    while found.state is State.SUPERSEDED and name and (after := left.pop(name, None)):
        if after.state is not State.SUPERSEDED:
            return found if after.state in _NO_NEWS else replace(found, successor=(name, after))
        name = after.superseded_by
    return found


def unknown(*, as_of: datetime, known_at: datetime) -> Standing:
    """The answer for a licence that no register of ours has."""
    return Standing(State.UNKNOWN, as_of, known_at)


def standing_checks(now: Standing, *, then: Standing | None = None) -> tuple[Check, ...]:
    """The checks that a report makes of it.

    `now` counts for the verdict now. `then` is the standing at the time of signing or the time asked about
    and counts for that verdict; without it only what holds for all time (annulled, unknown) counts there.
    """
    if then is not None:
        return (*_checks(then, Scope.THEN), *_checks(now, Scope.NOW))
    timeless = now.state in {State.ANNULLED, State.UNKNOWN, State.IN_FORCE}
    return _checks(now, Scope.BOTH if timeless else Scope.NOW)


def _state(
    licence: Licence, known: list[Event], as_of: datetime
) -> tuple[State, datetime | None, Event | None]:
    for event in known:
        # 撤销: the licence is void from the beginning, whatever day the decision names.
        if event.kind is EndingKind.ANNULLED:
            return State.ANNULLED, licence.starts_at, event
    if as_of < licence.starts_at:
        return State.NOT_YET_VALID, None, None
    past = [event for event in known if event.effective_from <= as_of]
    for event in past:
        if event.is_ending:
            return State(event.kind), event.effective_from, event
    if licence.ends_at and as_of >= licence.ends_at:
        return State.EXPIRED, licence.ends_at, None
    paused = [event for event in past if event.kind in {EventKind.SUSPENDED, EventKind.RESUMED}]
    if paused and paused[-1].kind is EventKind.SUSPENDED:
        return State.SUSPENDED, paused[-1].effective_from, paused[-1]
    return State.IN_FORCE, licence.starts_at, None


def _checks(found: Standing, scope: Scope) -> tuple[Check, ...]:
    words = found.text
    state = Check("licence_standing", _REASONS.get(found.state), scope, f"{words.zh} / {words.en}")
    promised = found.commitment_text
    if promised is None or found.state is State.UNKNOWN:
        return (state,)
    overdue = Reason.COMMITMENT_OVERDUE if found.commitment_is_overdue else None
    # A due date that passes is a fact about today; a verdict on an earlier day asks for its own standing.
    own_scope = Scope.NOW if scope is Scope.BOTH else scope
    return state, Check("licence_commitment", overdue, own_scope, f"{promised.zh} / {promised.en}")


def _superseded(event: Event) -> Text:
    """What took a licence's place, and on which day; a correction is told by the day it was made."""
    corrected = event.version_kind is VersionKind.CORRECTED
    day = agency_day(event.recorded_at if corrected else event.effective_from)
    zh, en = [], []
    if event.replaced_by:
        version = LicenceIdentifier.parse(event.replaced_by).version
        zh.append(f"由第 {version} 版取代")
        en.append(f"superseded by version {version} on {day}")
    if event.successors:
        count = len(event.successors)
        into = "并入其他证照" if event.version_kind is VersionKind.MERGED else f"分立为另外 {count} 件证照"
        zh.append(into)
        merged = event.version_kind is VersionKind.MERGED
        what = "merged into another licence" if merged else f"split into {count} other licences"
        en.append(f"{what} on {day}" if event.replaced_by else f"superseded: {what} on {day}")
    if corrected:
        return Text(
            f"真实，已于{_zh(day)}更正，{zh[0]}（更正内容自始有效）",
            f"genuine, {en[0]} (a correction: it states what was always true)",
        )
    word = "已换发" if event.replaced_by else "已被取代"
    return Text(f"真实，{word}，自{_zh(day)}起{'，并'.join(zh)}", f"genuine, {' and '.join(en)}")


def _and_then(words: Text, successor: tuple[str, Standing] | None) -> Text:
    """What became of the version that took its place; of a void one only the agency can say what counts."""
    if successor is None:
        return words
    identifier, after = successor
    version, ended = LicenceIdentifier.parse(identifier).version, after.text
    ask = _WHICH if after.state is State.ANNULLED else Text("", "")
    return Text(
        f"{words.zh}；但第 {version} 版{ended.zh}{ask.zh}",
        f"{words.en}; but version {version} is {ended.en}{ask.en}",
    )


def _zh(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


# What needs no word more than that it took the place of another.
_NO_NEWS = frozenset({State.IN_FORCE, State.NOT_YET_VALID, State.UNKNOWN})
_REASONS = {
    State.UNKNOWN: Reason.LICENCE_UNKNOWN,
    State.NOT_YET_VALID: Reason.NOT_YET_VALID,
    State.SUSPENDED: Reason.LICENCE_SUSPENDED,
    State.EXPIRED: Reason.LICENCE_EXPIRED,
    State.DEREGISTERED: Reason.LICENCE_DEREGISTERED,
    State.ANNULLED: Reason.LICENCE_ANNULLED,
    State.WITHDRAWN: Reason.LICENCE_WITHDRAWN,
    State.REVOKED: Reason.LICENCE_REVOKED,
    State.SUPERSEDED: Reason.LICENCE_SUPERSEDED,
}
_WHICH = Text("，以哪一版为准请询问发证机关", ": ask the agency which version counts")
_WORDS = {
    State.UNKNOWN: Text("证照库中没有记载", "not known to the register"),
    State.NOT_YET_VALID: Text("尚未生效", "not yet in force"),
    State.IN_FORCE: Text("有效", "in force"),
    State.SUSPENDED: Text("已暂停", "suspended"),
    State.EXPIRED: Text("已到期", "expired"),
    State.DEREGISTERED: Text("已注销", "deregistered"),
    State.ANNULLED: Text("已撤销，自始无效", "annulled, as if it had never been valid"),
    State.WITHDRAWN: Text("已撤回", "withdrawn"),
    State.REVOKED: Text("已吊销", "revoked"),
    State.SUPERSEDED: Text("真实，已换发", "genuine, superseded"),
}

"""Whatever is done to a licence, in whatever order: the register stays one that a court could read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from world.databases import with_tables
from world.pki import Pki
from world.quick import QuickOffice

from credentials.licence import Cause, EndingKind, Event, Licence
from credentials.repository import LicenceRepository
from credentials.standing import State, standing
from credentials.status_records import StatusRecords
from credentials.vocabulary import INVALID
from yinxin.base.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

LIVE = {State.IN_FORCE, State.SUSPENDED}
ENDED = {State.EXPIRED, State.DEREGISTERED, State.ANNULLED, State.WITHDRAWN, State.REVOKED}
# From one step to the next a licence's state stays, or goes where the law lets it go.
NEXT: dict[State, set[State]] = {
    State.IN_FORCE: {State.SUSPENDED, State.SUPERSEDED, *ENDED},
    State.SUSPENDED: {State.IN_FORCE, *ENDED},
    State.SUPERSEDED: set(),
    State.EXPIRED: {State.DEREGISTERED, State.ANNULLED},
    **{state: {State.IN_FORCE, State.SUSPENDED, State.EXPIRED} for state in ENDED - {State.EXPIRED}},
}


@cache
def office() -> QuickOffice:
    database = with_tables()
    return QuickOffice(Pki(), database)


def endings(kind: EndingKind) -> Callable[[QuickOffice, list[str], int], object]:
    return lambda place, names, pick: place.issuer.end(names[pick], kind, **place.why)


def undo(place: QuickOffice, names: list[str], pick: int) -> object:
    events = place.issuer.events_of(names[pick])
    return place.issuer.undo(names[pick], len(events) or 1, **place.why)


def undo_first(place: QuickOffice, names: list[str], pick: int) -> object:
    return place.issuer.undo(names[pick], 1, **place.why)


def follow(verb: str) -> Callable[[QuickOffice, list[str], int], object]:
    def act(place: QuickOffice, names: list[str], pick: int) -> object:
        claims = place.claims(f"新华路 {place.now.timestamp()} 号")
        made = getattr(place.issuer, verb)(names[pick], claims, **place.why)
        names.append(made.licence.identifier)
        return made

    return act


def merge(place: QuickOffice, names: list[str], pick: int, *, into: bool) -> object:
    both = [names[pick], names[(pick + 1) % len(names)]]
    target = both[0] if into else None
    made = place.issuer.merge(both, place.claims("合并后"), into=target, **place.why)
    names.append(made.licence.identifier)
    return made


def split(place: QuickOffice, names: list[str], pick: int, *, goes_on: bool) -> object:
    parts = [place.claims("甲处"), place.claims("乙处")]
    made = place.issuer.split(names[pick], parts, goes_on=goes_on, **place.why)
    names.extend(one.licence.identifier for one in made)
    return made


VERBS: dict[str, Callable[[QuickOffice, list[str], int], object]] = {
    "suspend": lambda place, names, pick: place.issuer.suspend(names[pick], **place.why),
    "resume": lambda place, names, pick: place.issuer.resume(names[pick], **place.why),
    "death": lambda place, names, pick: place.issuer.suspend(
        names[pick], cause=Cause.DEATH_REPORTED, **place.why
    ),
    "contest": lambda place, names, pick: place.issuer.resume(
        names[pick], cause=Cause.DEATH_CONTESTED, **place.why
    ),
    **{str(kind): endings(kind) for kind in EndingKind if kind is not EndingKind.SUPERSEDED},
    "undo": undo,
    "undo the first": undo_first,
    **{verb: follow(verb) for verb in ("correct", "change", "renew", "replace")},
    "merge": lambda place, names, pick: merge(place, names, pick, into=False),
    "merge into": lambda place, names, pick: merge(place, names, pick, into=True),
    "split": lambda place, names, pick: split(place, names, pick, goes_on=False),
    "split off": lambda place, names, pick: split(place, names, pick, goes_on=True),
}
OFTEN = [*sorted(VERBS), *["undo"] * 6, "resume", "contest", "death", "merge", "merge into"]
STEPS = st.lists(st.tuples(st.sampled_from(OFTEN), st.integers(0, 2)), min_size=6, max_size=10)


@dataclass(frozen=True)
class Picture:
    """What the register has of some licences, read at once."""

    licences: dict[str, Licence]
    events: dict[str, list[Event]]
    statuses: dict[tuple[str, int], int]

    def state(self, name: str, as_of: datetime, known_at: datetime) -> State:
        return standing(self.licences[name], self.events[name], as_of=as_of, known_at=known_at).state


def picture(place: QuickOffice, names: list[str]) -> Picture:
    with place.database.reading() as session:
        repository, statuses = LicenceRepository(session), StatusRecords(session)
        licences = {name: one for name in names if (one := repository.by_identifier(name))}
        events = {name: repository.events(name) for name in names}
        places = [(one.status_uri, one.status_index) for name in names for one in repository.copies(name)]
        values = {where: statuses.value(*where) or 0 for where in places}
    return Picture(licences, events, values)


@given(STEPS, st.data())
@settings(max_examples=15, deadline=None)
def test_no_sequence_of_events_breaks_the_register(steps: list[tuple[str, int]], data: Any) -> None:
    place = office()
    names = [place.begin().identifier, place.begin().identifier]
    asked: list[tuple[str, datetime, datetime, State]] = []
    before, at = picture(place, names), place.now
    for verb, pick in steps:
        place.clock.advance(timedelta(hours=7))
        # What has a successor is done with: nearly all that is tried on it is refused, so it comes last.
        order = sorted(names, key=lambda name: before.state(name, at, at) is State.SUPERSEDED)
        with suppress(Conflict, UsageError, NotFound):
            VERBS[verb](place, order, pick % len(order))
        names += [name for name in order if name not in names]
        seen = picture(place, names)
        states_follow(before, seen, at, place.now)
        links_are_mutual(seen)
        for name, as_of, known_at, answer in asked:
            assert seen.state(name, as_of, known_at) is answer, "what was known then has changed"
        name, known = names[pick % len(names)], place.now - timedelta(seconds=1)
        moment = place.now - timedelta(hours=data.draw(st.integers(1, 40)))
        asked.append((name, moment, known, seen.state(name, moment, known)))
        before, at = seen, place.now


def states_follow(before: Picture, after: Picture, then: datetime, now: datetime) -> None:
    """No state is skipped; no number has two licences; a copy once invalid is invalid for ever."""
    for name in before.licences:
        old, new = before.state(name, then, then), after.state(name, now, now)
        assert new is old or new in NEXT[old], (name, old, new)
    live = [one.number for name, one in after.licences.items() if after.state(name, now, now) in LIVE]
    assert len(live) == len(set(live))
    ended = {where for where, value in before.statuses.items() if value == INVALID}
    assert all(after.statuses[where] == INVALID for where in ended)


def links_are_mutual(seen: Picture) -> None:
    every = seen.licences
    for name, one in every.items():
        assert one.replaces is None or every[one.replaces].replaced_by == name
        assert one.replaced_by is None or every[one.replaced_by].replaces == name
        assert all(name in every[origin].successors for origin in one.origins)
        assert all(name in every[after].origins for after in one.successors)

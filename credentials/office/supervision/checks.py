"""What a rule can look for: each kind of check has its parameters, and says what it suspects in some lines.

Checks are told of new lines in their order and may ask for what went before (`History`). They are asked about
the same lines again without harm: what they suspect has a key, and the same key is one finding.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol

from credentials.licence import CHINA
from credentials.office.working_days import WorkingDays, national

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from credentials.office.supervision.lines import Line

SHOWN_LINES = 20
STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that a rule speaks of: `key` names it for good, `lines` show it, `count` says how often."""

    key: str
    organisation: str
    officers: tuple[str, ...]
    lines: tuple[Line, ...]
    count: int


class History(Protocol):
    """What a check may ask about lines that went before."""

    def of_cases(self, cases: Collection[str]) -> Mapping[str, Sequence[Line]]:
        """Every line of these cases so far, in their order."""
        ...

    def of_actors(
        self, actors: Collection[str], *, since: datetime, actions: Collection[str] = ()
    ) -> Mapping[str, Sequence[Line]]:
        """The lines of these people since a time; only of these actions, where named."""
        ...

    def tally(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Add to this rule's counts: (bucket, name) → how many more."""
        ...

    def counted(self, buckets: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """This rule's counts: bucket → name → how many."""
        ...

    def begin(self, due: Mapping[str, tuple[int, datetime]]) -> None:
        """These subjects must end by their term: subject → (log index, term); a later term counts."""
        ...

    def end(self, subjects: Collection[str]) -> None:
        """These ended."""
        ...

    def overdue(self, now: datetime) -> Sequence[Line]:
        """The lines by which what is over its term began; each is told once."""
        ...

    def types_of(self, cases: Collection[str]) -> Mapping[str, str]:
        """The licence types of cases."""
        ...


class Check(Protocol):
    """One kind of check with its parameters; it is told of lines with the actions that it watches."""

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        ...

    def look(self, lines: Sequence[Line], history: History) -> Iterable[Suspicion]:
        """What is suspected in these new lines."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Two steps of one case come too close: from the last of `first` to one of `then`."""

    first: tuple[str, ...]
    then: tuple[str, ...]
    seconds: int

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset(self.then)

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """One suspicion for each case."""
        ends = {line.case: line for line in lines if line.action in self.then and line.case}
        known = history.of_cases([case for case in ends if case])
        for case, end in ends.items():
            before = [one for one in known.get(case or "", ()) if one.log_index < end.log_index]
            start = next((one for one in reversed(before) if one.action in self.first), None)
            if start and end.at - start.at < timedelta(seconds=self.seconds):
                yield Suspicion(f"case:{case}", _whose(end), (start.actor, end.actor), (start, end), 1)


@dataclass(frozen=True, slots=True)
class Rate:
    """One person does something more than `more_than` times within `minutes`."""

    actions: tuple[str, ...]
    more_than: int
    minutes: int

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset(self.actions)

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """One suspicion for each person and day."""
        actors = {line.actor for line in lines if line.action in self.actions and line.actor_kind == STAFF}
        if not actors:
            return
        window, first = timedelta(minutes=self.minutes), lines[0].log_index
        since = min(line.at for line in lines) - window
        for actor, found in history.of_actors(actors, since=since, actions=self.actions).items():
            for spell in _spells(found, window, self.more_than):
                if spell[-1].log_index >= first:
                    yield Suspicion(
                        f"{actor}|{_day(spell[-1])}",
                        spell[-1].organisation,
                        (actor,),
                        _some(spell),
                        len(spell),
                    )


@dataclass(frozen=True, slots=True)
class Hours:
    """Somebody works when the office is closed."""

    actions: tuple[str, ...]
    opens: time
    closes: time
    calendar: WorkingDays = field(default_factory=national)

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset(self.actions)

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """One suspicion for each person and day."""
        del history
        found: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            if line.action in self.actions and line.actor_kind == STAFF and not self._is_open(line):
                found[f"{line.actor}|{_day(line)}"].append(line)
        for key, late in found.items():
            yield Suspicion(key, late[0].organisation, (late[0].actor,), _some(late), len(late))

    def _is_open(self, line: Line) -> bool:
        return self.calendar.is_open(line.at, opens=self.opens, closes=self.closes)


@dataclass(frozen=True, slots=True)
class Pair:
    """What one person hands in is approved by the same other one: `percent` of `at_least` in a quarter.

    It says nothing where an organisation has one approver only.
    """

    first: tuple[str, ...]
    then: tuple[str, ...]
    at_least: int
    percent: int

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset(self.then)

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """One suspicion for each two people and quarter."""
        approvals = [line for line in lines if line.action in self.then and line.case]
        if not approvals:
            return
        pairs = self._pairs(approvals, history)
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for (bucket, approver), found in pairs.items():
            counts[bucket, approver] += len(found)
            counts[_everybody(bucket), approver] += len(found)
        history.tally(counts)
        known = history.counted({name for name, _ in counts})
        for (bucket, approver), found in pairs.items():
            own, alone = known[bucket], len(known[_everybody(bucket)]) == 1
            total, share = sum(own.values()), own[approver]
            if not alone and total >= self.at_least and share * 100 >= self.percent * total:
                writer = bucket.rpartition("|")[2]
                yield Suspicion(
                    f"{bucket}|{approver}", _whose(found[-1]), (writer, approver), _some(found), share
                )

    def _pairs(self, approvals: Sequence[Line], history: History) -> Mapping[tuple[str, str], Sequence[Line]]:
        """(organisation|quarter|who handed it in, who approved) → approvals."""
        known = history.of_cases({line.case for line in approvals if line.case})
        pairs: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in approvals:
            before = [one for one in known.get(line.case or "", ()) if one.log_index < line.log_index]
            writer = next((one.actor for one in reversed(before) if one.action in self.first), None)
            if writer is not None:
                pairs[f"{line.organisation}|{_quarter(line)}|{writer}", line.actor].append(line)
        return pairs


@dataclass(frozen=True, slots=True)
class Refusals:
    """Somebody is refused `at_least` times in a row within `minutes`, with nothing else done between."""

    actions: tuple[str, ...]
    at_least: int
    minutes: int

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset(self.actions)

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """One suspicion for each who tried and day."""
        actors = {line.actor for line in lines if line.action in self.actions}
        if not actors:
            return
        window, first = timedelta(minutes=self.minutes), lines[0].log_index
        since = min(line.at for line in lines) - window
        for actor, found in history.of_actors(actors, since=since).items():
            for run in _runs(found, self.actions):
                near = [one for one in run if run[-1].at - one.at <= window]
                if len(near) >= self.at_least and near[-1].log_index >= first:
                    whose = near[-1].office or near[-1].organisation
                    yield Suspicion(f"{actor}|{_day(near[-1])}", whose, (actor,), _some(near), len(near))


@dataclass(frozen=True, slots=True)
class Overdue:
    """What begins with one of `first` does not end by one of `ends` within its term.

    The term stands in the entry itself, or is so many working days, for some licence types others.
    """

    first: tuple[str, ...]
    ends: tuple[str, ...]
    working_days: int
    by_type: Mapping[str, int] = field(default_factory=dict)
    calendar: WorkingDays = field(default_factory=national)

    @property
    def watched(self) -> frozenset[str]:
        """The actions whose lines it is told of."""
        return frozenset((*self.first, *self.ends))

    def look(self, lines: Sequence[Line], history: History) -> Iterator[Suspicion]:
        """Nothing yet: it only notes what begins and ends."""
        begins = [line for line in lines if line.action in self.first]
        types = history.types_of({line.case for line in begins if line.case}) if self.by_type else {}
        running: dict[str, tuple[int, datetime]] = {}
        ended: set[str] = set()
        for line in lines:
            if line.action in self.first:
                running[line.subject] = (line.log_index, self._term(line, types))
                ended.discard(line.subject)
            elif line.action in self.ends:
                running.pop(line.subject, None)
                ended.add(line.subject)
        history.end(ended)
        history.begin(running)
        yield from ()

    def sweep(self, now: datetime, history: History) -> Iterator[Suspicion]:
        """What is over its term by now."""
        for line in history.overdue(now):
            yield Suspicion(f"{line.subject}|{line.entry_id}", _whose(line), (), (line,), 1)

    def _term(self, line: Line, types: Mapping[str, str]) -> datetime:
        days = self.by_type.get(types.get(line.case or "", ""), self.working_days)
        return line.due or self.calendar.after(line.at, days)


KINDS: Mapping[str, type[Interval | Rate | Hours | Pair | Refusals | Overdue]] = {
    "interval": Interval,
    "rate": Rate,
    "hours": Hours,
    "pair": Pair,
    "refusals": Refusals,
    "overdue": Overdue,
}


def _spells(lines: Sequence[Line], window: timedelta, more_than: int) -> Iterator[Sequence[Line]]:
    """The first moment of each day at which too many lie within the window before it."""
    start, days = 0, set()
    ordered = sorted(lines, key=lambda line: line.at)
    for end, line in enumerate(ordered):
        while line.at - ordered[start].at > window:
            start += 1
        if end - start + 1 > more_than and _day(line) not in days:
            days.add(_day(line))
            yield ordered[start : end + 1]


def _runs(lines: Sequence[Line], actions: Collection[str]) -> Iterator[Sequence[Line]]:
    """Each run of lines of these actions, as long as it goes."""
    run: list[Line] = []
    for line in lines:
        if line.action in actions:
            run.append(line)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _some(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Enough lines to show it: the first and the last ones."""
    half = SHOWN_LINES // 2
    return tuple(lines) if len(lines) <= SHOWN_LINES else (*lines[:half], *lines[-half:])


def _whose(line: Line) -> str:
    return line.office or line.organisation


def _day(line: Line) -> str:
    return line.at.astimezone(CHINA).date().isoformat()


def _quarter(line: Line) -> str:
    day = line.at.astimezone(CHINA).date()
    return f"{day.year}Q{(day.month + 2) // 3}"


def _everybody(bucket: str) -> str:
    return bucket.rpartition("|")[0]

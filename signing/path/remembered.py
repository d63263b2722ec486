"""Answers about paths, remembered for as long as they stay the same.

An answer depends on certificates, snapshots, policy and use, which are values with names of their own, and on
two times. While a path is judged, every moment is noted at which the answer may turn into another (a
certificate begins or ends, a list is issued or outlived, an algorithm ends); up to the next of these
moments, and back to the last, the answer is the same. So nothing is remembered past the earliest next update
or expiry, and new evidence is another snapshot, which is another question.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

T = TypeVar("T")
MAX_QUESTIONS = 1024
MAX_SPANS = 4  # of one question
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# What ends with a second ends at the next one (RFC 5280, 4.1.2.5): a moment is taken for a second long.
_SECOND = timedelta(seconds=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(slots=True)
class Span:
    """From `since` on, and before `until`: around the time `at`, where an answer is the same."""

    at: datetime
    since: datetime = _BEGINNING
    until: datetime = _END

    def turn(self, moments: Iterable[datetime | None]) -> None:
        """Note moments at which the answer may turn into another; None is no moment."""
        for moment in moments:
            if moment is None:
                continue
            behind = moment + _SECOND if moment < _END - _SECOND else _END
            if self.at < moment:
                self.until = min(self.until, moment)
            elif self.at >= behind:
                self.since = max(self.since, behind)
            else:  # in the midst of a turn: good for this very time
                self.since, self.until = max(self.since, self.at), min(self.until, self.at + _INSTANT)

    def covers(self, at: datetime) -> bool:
        """Whether the answer is the same at this time."""
        return self.since <= at < self.until


@dataclass(slots=True)
class Horizon:
    """The spans of both times: the one asked about, and the one up to which evidence counts (None: any)."""

    at: Span
    known_at: Span | None

    @classmethod
    def around(cls, at: datetime, known_at: datetime | None) -> Horizon:
        """Nothing noted yet."""
        return cls(Span(at), Span(known_at) if known_at else None)

    def covers(self, at: datetime, known_at: datetime | None) -> bool:
        """Whether the answer is the same at these times."""
        if not self.at.covers(at):
            return False
        if self.known_at is None or known_at is None:
            return self.known_at is None and known_at is None
        return self.known_at.covers(known_at)


@dataclass(slots=True)
class Remembered(Generic[T]):
    """Answers by question and horizon: the least recently asked go first. For several threads."""

    _answers: OrderedDict[Hashable, tuple[tuple[Horizon, T], ...]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, question: Hashable, at: datetime, known_at: datetime | None) -> T | None:
        """The answer that was given to this question for these times, or None."""
        with self._lock:
            for horizon, answer in self._answers.get(question, ()):
                if horizon.covers(at, known_at):
                    self._answers.move_to_end(question)
                    return answer
        return None

    def keep(self, question: Hashable, horizon: Horizon, answer: T) -> None:
        """Remember an answer."""
        with self._lock:
            kept = self._answers.pop(question, ())
            self._answers[question] = ((horizon, answer), *kept[: MAX_SPANS - 1])
            if len(self._answers) > MAX_QUESTIONS:
                self._answers.popitem(last=False)

    def cache_clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._answers.clear()

    def __len__(self) -> int:
        return len(self._answers)

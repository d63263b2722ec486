"""What one refresh may wait: so long in all, so long for each host, and no more for one that is silent.

A server that answers late costs others their news, so what a round waits is bounded. An answer within half a
second costs nothing: an installation whose servers are well never meets these bounds. What was left out is asked
first in the next round of its host, and what failed is asked last; until then the last good answer serves on.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from yinxin.app.gathering.asking import host_of
from yinxin.base.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from yinxin.app.network import Fetched, Source

FREE_SECONDS = 0.5  # of one request: what lasts longer is waiting
HOST_SECONDS, ROUND_SECONDS = 15.0, 60.0
SILENCES = 2  # in a row, and a host is given up for this round; one where it was given up before
MAX_REMEMBERED = 4000  # addresses


class Patience:
    """Asks a source, as long as this round and the host have patience left; else `Unreachable`."""

    def __init__(self, source: Source, *, steady: Callable[[], float] = time.monotonic) -> None:
        """`steady` is this machine's steady clock, in seconds."""
        self._source, self._steady = source, steady
        self._round = 0
        self._answered: dict[str, int] = {}  # by address: the last round that brought an answer, 0 for none
        self._given_up: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """A new round, with new patience."""
        self._round += 1
        self._given_up_before = frozenset(self._given_up)
        self._waited: defaultdict[str, float] = defaultdict(float)  # seconds, by host
        self._silences: Counter[str] = Counter()
        self._given_up = set()
        self.left: set[str] = set()  # addresses that were not asked
        self._until = ROUND_SECONDS

    def allot(self, share: float) -> None:
        """What is asked from now on may use this share of the patience that is left, so that others have some."""
        self._until = self.waited + share * max(0.0, ROUND_SECONDS - self.waited)

    def ordered(self, urls: Iterable[str], at: Callable[[str], str] = str) -> list[str]:
        """Those that never were asked or wait longest first, those whose last request failed at the end.

        `at` gives the address that is asked for one of them.
        """

        def rank(url: str) -> tuple[bool, int]:
            answered = self._answered.get(at(url))
            return answered == 0, answered or 0

        return sorted(urls, key=rank)

    def get(self, url: str, limit: int) -> Fetched:
        """As the source does; `Unreachable` without asking where the patience is spent."""
        host = host_of(url)
        if host in self._given_up or self.waited >= self._until:
            self.left.add(url)
            raise Unreachable("left for the next round")
        began, is_answer = self._steady(), False
        try:
            found = self._source.get(url, limit)
            is_answer = True
        except Unreachable:
            self._remember(url, 0)
            raise
        finally:
            self._count(host, self._steady() - began - FREE_SECONDS, is_answer=is_answer)
        self._remember(url, self._round)
        return found

    @property
    def waited(self) -> float:
        """How many seconds this round waited."""
        return sum(self._waited.values())

    @property
    def slowest(self) -> list[str]:
        """The hosts that were waited for the longest, at most ten."""
        return sorted(self._waited, key=lambda host: -self._waited[host])[:10]

    def _count(self, host: str, late: float, *, is_answer: bool) -> None:
        if late > 0:  # who refuses at once keeps nobody waiting
            self._waited[host] += late
            self._silences[host] = 0 if is_answer else self._silences[host] + 1
        silences = 1 if host in self._given_up_before else SILENCES
        if self._waited[host] >= HOST_SECONDS or self._silences[host] >= silences:
            self._given_up.add(host)

    def _remember(self, url: str, number: int) -> None:
        self._answered.pop(url, None)
        self._answered[url] = number
        while len(self._answered) > MAX_REMEMBERED:
            del self._answered[next(iter(self._answered))]

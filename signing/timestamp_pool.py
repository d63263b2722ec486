"""Several time-stamp authorities behind one face: asked in order, left alone for a while when they fail.

An authority that failed a few times in a row rests (a circuit breaker); when its rest is over one request
tries it, and a further failure makes the next rest twice as long. What counts as a failure: no answer, a
refusal, a token that answers something else, names a policy that was not agreed, or tells a time far from
ours. Waiting is the caller's: this module never sleeps.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from signing.timestamp import parse_token
from yinxin.base.errors import Unreachable, UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from signing.timestamp import Timestamper
    from yinxin.base.clock import Clock


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How patient a pool is.

    Each `stamp` goes round the authorities `rounds` times and pauses in between, longer every time.
    After `failures` in a row an authority rests for `rest`, then twice as long, up to `longest_rest`.
    A token's time may be `offset` away from ours.
    """

    rounds: int = 2
    pause: timedelta = timedelta(seconds=1)
    failures: int = 3
    rest: timedelta = timedelta(seconds=30)
    longest_rest: timedelta = timedelta(minutes=10)
    offset: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        """`UsageError` for values that would never ask, or never rest."""
        if self.rounds < 1 or self.failures < 1 or self.rest <= timedelta(0) or self.offset < timedelta(0):
            raise UsageError("a pool asks at least once, and rests after at least one failure")


@dataclass(frozen=True, slots=True)
class StampingAuthority:
    """One authority: its name for people, how it is asked, the policies it may stamp under (none: any)."""

    name: str
    timestamper: Timestamper
    policies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AuthorityState:
    """How an authority does: failures in a row, until when it rests, what it said last."""

    name: str
    failures: int = 0
    rests_until: datetime | None = None
    last_error: str = ""


@dataclass
class _Record:
    failures: int = 0
    rest: timedelta = timedelta(0)
    rests_until: datetime | None = None
    is_being_tried: bool = False
    last_error: str = ""


@dataclass
class TimestamperPool:
    """A `Timestamper` over several authorities, the preferred one first. May be used from any thread.

    `wait` is told how long to pause between two rounds; without it the rounds follow at once.
    """

    authorities: Sequence[StampingAuthority]
    clock: Clock
    policy: PoolPolicy = field(default_factory=PoolPolicy)
    wait: Callable[[timedelta], None] = lambda _pause: None
    _records: list[_Record] = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        """`UsageError` for a pool of nobody."""
        if not self.authorities:
            raise UsageError("a pool needs a time-stamp authority")
        self._records = [_Record() for _ in self.authorities]

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        """A token of the first authority that gives a good one.

        `Unreachable` when none does: it says what each said last; `retry_after` is set when all of them rest.
        """
        for number in range(self.policy.rounds):
            if number:
                self.wait(self.policy.pause * 2 ** (number - 1))
            asked = False
            for authority, record in zip(self.authorities, self._records, strict=True):
                if not self._may_try(record):
                    continue
                asked = True
                token = self._ask(authority, record, digest, digest_algorithm)
                if token is not None:
                    return token
            if not asked:  # all of them rest: nothing changes by going round once more
                break
        raise self._nobody()

    def states(self) -> tuple[AuthorityState, ...]:
        """How each authority does, in the order of preference."""
        with self._lock:
            return tuple(
                AuthorityState(one.name, record.failures, record.rests_until, record.last_error)
                for one, record in zip(self.authorities, self._records, strict=True)
            )

    def _may_try(self, record: _Record) -> bool:
        """Whether it is not resting; of several threads one tries an authority whose rest is over."""
        with self._lock:
            if record.rests_until is None:
                return True
            if record.is_being_tried or self.clock.now() < record.rests_until:
                return False
            record.is_being_tried = True
            return True

    def _ask(
        self, authority: StampingAuthority, record: _Record, digest: bytes, algorithm: str
    ) -> bytes | None:
        try:
            token = authority.timestamper.stamp(digest, digest_algorithm=algorithm)
            self._examine(authority, token, digest, algorithm)
        except YinxinError as exc:
            self._failed(record, str(exc))
            return None
        except BaseException:
            with self._lock:
                record.is_being_tried = False
            raise
        with self._lock:
            record.failures, record.rest, record.rests_until = 0, timedelta(0), None
            record.is_being_tried, record.last_error = False, ""
        return token

    def _examine(self, authority: StampingAuthority, token: bytes, digest: bytes, algorithm: str) -> None:
        parsed = parse_token(token)
        if (parsed.digest_algorithm, parsed.digest) != (algorithm, digest):
            raise Unreachable("its token is for another digest")
        if authority.policies and parsed.policy not in authority.policies:
            raise Unreachable(f"it stamps under {parsed.policy}, which was not agreed")
        if abs(parsed.gen_time - self.clock.now()) > self.policy.offset:
            raise Unreachable(f"its clock says {parsed.gen_time.isoformat()}")

    def _failed(self, record: _Record, said: str) -> None:
        with self._lock:
            record.failures += 1
            record.is_being_tried, record.last_error = False, said[:200]
            if record.failures >= self.policy.failures:
                doubled = min(record.rest * 2, self.policy.longest_rest)
                record.rest = max(doubled, self.policy.rest)
                record.rests_until = self.clock.now() + record.rest

    def _nobody(self) -> Unreachable:
        said = [f"{one.name}: {one.last_error}" for one in self.states() if one.last_error]
        rests = [one.rests_until for one in self.states()]
        awake = [one for one in rests if one is not None]
        again = min(awake) - self.clock.now() if len(awake) == len(rests) else None
        return Unreachable(
            f"no time-stamp authority gave a token ({'; '.join(said)[:600]})", retry_after=again
        )


def any_of(
    timestampers: Mapping[str, Timestamper],
    *,
    clock: Clock,
    wait: Callable[[timedelta], None] = lambda _pause: None,
) -> Timestamper:
    """A pool of authorities by name, the first preferred. One alone is asked again, too.

    `UsageError` for none.
    """
    rows = [StampingAuthority(*row) for row in timestampers.items()]
    return TimestamperPool(rows, clock, wait=wait)

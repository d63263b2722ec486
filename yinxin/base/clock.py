"""Time comes in by the door: nothing but `SystemClock` reads the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "UTC+8")  # the clocks of agencies, all over the country


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        return datetime.now(UTC)


def pause(how_long: timedelta) -> None:
    """Do nothing for so long; at once back for what is not positive."""
    time.sleep(max(how_long.total_seconds(), 0))


class FixedClock:
    """A clock for tests: stands still until it is moved."""

    def __init__(self, *when: int) -> None:
        """Start at a date given like `datetime`'s own arguments: `FixedClock(2026, 11, 20)`."""
        self._now = datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward (or back, with a negative step)."""
        self._now += by

"""When to ask again: by what the evidence says of itself, and with patience for who does not answer."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=6)
WHEN_STALE = timedelta(minutes=5)
ISSUERS_KEPT = timedelta(days=7)
FIRST_PATIENCE = timedelta(minutes=1)
LONGEST_PATIENCE = timedelta(hours=6)
_PARTS = 8  # a list that holds for a day is asked for every three hours: mostly answered "not modified"
_TAIL = 10  # and once more when a tenth of its time is left


def due_after(
    this_update: datetime, until: datetime, *, now: datetime, max_age: timedelta | None = None
) -> datetime:
    """When evidence that holds from `this_update` to `until` is asked for again.

    `max_age` is how old the policy lets evidence be.
    """
    if until <= now:
        return now + WHEN_STALE
    span = until - this_update
    pause = min(max(span / _PARTS, SOONEST), LATEST)
    if max_age is not None:
        pause = min(pause, max(max_age / 2, SOONEST))
    return max(min(now + pause, until - span / _TAIL), now + SOONEST)


def due_after_failure(name: str, failures: int, *, now: datetime) -> datetime:
    """When to try again after so many failures in a row: later each time, and not all at the same moment."""
    pause = min(FIRST_PATIENCE * (1 << min(failures - 1, 20)), LONGEST_PATIENCE)
    spread = hashlib.sha256(name.encode()).digest()[0] / 255 / 5  # up to a fifth more, the same every time
    return now + pause * (1 + spread)


def retry_after(text: str | None, *, now: datetime) -> datetime | None:
    """What a `Retry-After` header asks for (RFC 9110, 10.2.3), as far as our patience reaches."""
    if text is None or len(text) > 40:
        return None
    try:
        if text.isascii() and text.isdigit():
            wished: datetime = now + timedelta(seconds=min(int(text), 10**6))
        else:
            wished = parsedate_to_datetime(text)
            if wished.tzinfo is None:
                return None
    except (ValueError, OverflowError):
        return None
    return min(max(wished, now), now + LONGEST_PATIENCE)

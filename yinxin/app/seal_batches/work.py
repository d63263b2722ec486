"""What a process of a batch does: seal one file, or stamp one that was sealed before.

A process opens the key once. What concerns one file only comes back as `Refused`; what concerns all of them
(the key, every authority) as `Stopped`: errors themselves do not travel.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import connection
from typing import TYPE_CHECKING

from yinxin.base.clock import SystemClock
from yinxin.base.errors import Conflict, SignerUnavailable, Unreachable, YinxinError
from yinxin.base.files import read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from signing.pdf import Seal
    from signing.timestamp import Timestamper
    from yinxin.app.seal_batches.order import Order

SEALED_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it lies on the disk now; digests are SHA-256 in hex.

    `at` is when it was sealed, `stamped_at` the time that its time-stamp tells, None for one without.
    """

    file: str
    at: datetime
    source: str
    document: str
    size_bytes: int
    stamped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that cannot be sealed or stamped, and why."""

    file: str
    at: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why nothing can be sealed or stamped now."""

    kind: str
    detail: str
    retry_after: timedelta | None = None

    def error(self) -> YinxinError:
        """As an error."""
        if self.kind == SignerUnavailable.code:
            return SignerUnavailable(self.detail)
        return Unreachable(self.detail, retry_after=self.retry_after)


Result = Made | Refused | Stopped


@dataclass
class Hand:
    """Seals and stamps with one key, opened when it is first used."""

    order: Order

    @cached_property
    def seal(self) -> Seal:
        """The seal."""
        return self.order.seal(self.order.key.open())

    @cached_property
    def timestamper(self) -> Timestamper | None:
        """The authorities."""
        return self.order.timestamper()

    def put(self, file: str, source: Path, draft: Path) -> Result:
        """Seal a file into a draft."""

        def work(now: datetime) -> Made:
            from signing.pdf.stamping import last_stamp  # noqa: PLC0415 - it brings pyHanko

            data = read_file(source)
            sealed = self.seal.apply(
                data, now=now, page=self.order.page, at=self.order.at, reason=self.order.reason
            )
            draft.parent.mkdir(parents=True, exist_ok=True)
            replace_file(draft, sealed, mode=SEALED_MODE)
            is_stamped = bool(self.order.authorities) and self.order.stamp_within is None
            told = last_stamp(sealed) if is_stamped else None
            return Made(file, now, _digest(data), _digest(sealed), len(sealed), told)

        return _told(file, work)

    def stamp(self, file: str, place: Path, document: str) -> Result:
        """Put a time-stamp into a sealed file, which has to be the one with this digest."""

        def work(now: datetime) -> Made:
            from signing.pdf.stamping import last_stamp, stamp_last  # noqa: PLC0415 - it brings pyHanko

            assert self.timestamper is not None  # noqa: S101 - an order that waits names one
            data = read_file(place)
            if _digest(data) != document:
                raise Conflict("the file was changed since it was sealed")
            stamped = stamp_last(data, self.timestamper)
            replace_file(place, stamped, mode=SEALED_MODE)
            return Made(file, now, "", _digest(stamped), len(stamped), last_stamp(stamped))

        return _told(file, work)


def begin(order: Order) -> None:
    """The beginning of a process; it ends with the one that started it, also when that is killed."""
    _hands.append(Hand(order))
    threading.Thread(target=_end_with_parent, name="yinxin-batch-end", daemon=True).start()


def put(file: str, source: Path, draft: Path) -> Result:
    """`Hand.put` in this process."""
    return _hands[0].put(file, source, draft)


def stamp(file: str, place: Path, document: str) -> Result:
    """`Hand.stamp` in this process."""
    return _hands[0].stamp(file, place, document)


_hands: list[Hand] = []  # of this process: one


def _told(file: str, work: Callable[[datetime], Made]) -> Result:
    now = SystemClock().now()
    try:
        return work(now)
    except SignerUnavailable as exc:
        return Stopped(exc.code, exc.detail)
    except Unreachable as exc:
        return Stopped(exc.code, exc.detail, exc.retry_after)
    except YinxinError as exc:
        return Refused(file, now, exc.code, exc.detail[:500])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def goes_on(source: Path, sealed: Path) -> bool:
    """Whether one file begins with all of another and goes on."""
    before, after = read_file(source), read_file(sealed)
    return len(after) > len(before) and after.startswith(before)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return _digest(read_file(path))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

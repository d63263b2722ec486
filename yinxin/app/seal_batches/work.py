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

from signing.timestamp import parse_token
from yinxin.base.clock import SystemClock
from yinxin.base.errors import Conflict, NotFound, SignerUnavailable, Unreachable, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from signing.pdf import Seal
    from signing.timestamp import Timestamper
    from yinxin.app.seal_batches.order import Order

STEP_BYTES = 4 << 20


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


class Noting:
    """A time-stamp authority that notes the time it told last."""

    def __init__(self, timestamper: Timestamper) -> None:
        self._timestamper = timestamper
        self.told: datetime | None = None

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        """A token of the authority."""
        token = self._timestamper.stamp(digest, digest_algorithm=digest_algorithm)
        self.told = parse_token(token).gen_time
        return token


@dataclass
class Hand:
    """Seals and stamps with one key, opened when it is first used."""

    order: Order

    @cached_property
    def seal(self) -> Seal:
        """The seal."""
        return self.order.seal(self.order.key.open(), self.timestamper)

    @cached_property
    def timestamper(self) -> Noting | None:
        """The authorities."""
        found = self.order.timestamper()
        return Noting(found) if found else None

    def put(self, file: str, source: Path, draft: Path) -> Result:
        """Seal a file into a draft."""

        def work(now: datetime) -> Made:
            from signing.pdf.files import seal_file  # noqa: PLC0415 - it brings pyHanko

            order, seal = self.order, self.seal
            seal = seal.with_face(order.face_of(file)) if order.faces else seal
            draft.parent.mkdir(parents=True, exist_ok=True)
            seal_file(
                seal, source, draft, now=now, replace=True, flush=False,
                page=order.page, at=order.at, reason=order.reason, addition=order.profile.addition(seal.face),
            )  # fmt: skip
            return self._made(file, now, source, draft, is_stamped=order.stamps_at_once)

        return _told(file, work)

    def stamp(self, file: str, place: Path, document: str) -> Result:
        """Put a time-stamp into a sealed file, which has to be the one with this digest."""

        def work(now: datetime) -> Made:
            from signing.pdf.files import stamp_file  # noqa: PLC0415 - it brings pyHanko

            assert self.timestamper is not None  # noqa: S101 - an order that waits names one
            if digest_of(place) != document:
                raise Conflict("the file was changed since it was sealed")
            stamp_file(place, self.timestamper)
            return self._made(file, now, None, place, is_stamped=True)

        return _told(file, work)

    def _made(self, file: str, now: datetime, source: Path | None, place: Path, *, is_stamped: bool) -> Made:
        told = self.timestamper.told if is_stamped and self.timestamper else None
        of_source = digest_of(source) if source else ""
        return Made(file, now, of_source, digest_of(place), place.stat().st_size, told)


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
    except OSError as exc:  # of reading; what cannot be written says so in our words
        return Refused(file, now, NotFound.code, str(exc.strerror)[:500])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def goes_on(source: Path, sealed: Path) -> bool:
    """Whether one file begins with all of another and goes on."""
    with source.open("rb") as before, sealed.open("rb") as after:
        while block := before.read(STEP_BYTES):
            if after.read(len(block)) != block:
                return False
        return bool(after.read(1))


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""A file that stays on the disk: it looks like bytes to who reads it, and little of it is in memory at once.

What is looked at is private: nobody else writes to it or cuts it short meanwhile. Pages of the file that were
touched are let go after every few steps, so that reading 200 MB keeps a few of them. Who slices gets bytes.
"""

from __future__ import annotations

import mmap
import tempfile
from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Self

from yinxin.base.errors import MalformedInput, TooLarge, Unreachable

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path

STEP_BYTES = 4 << 20  # read at a time
_LET_GO_AFTER = 256  # slices; each brings some 64 KB of the file into memory at most


class HeldFile(mmap.mmap):
    """A file as bytes: `len`, slices, `find`, `in`. Made by `of`; not to be changed while it is used."""

    file: IO[bytes]
    _sliced = 0

    @classmethod
    def of(cls, file: IO[bytes], size: int) -> Self:
        """The first `size` octets of an open file that holds as many; `MalformedInput` for none."""
        if size < 1:  # nothing can be mapped
            raise MalformedInput("file", "it is empty")
        made = cls(file.fileno(), size, access=mmap.ACCESS_READ)
        made.file = file
        return made

    def __getitem__(self, key: Any) -> Any:
        """An octet, or a copy of some."""
        self._sliced += 1
        if self._sliced % _LET_GO_AFTER == 0:
            self.let_go()
        return super().__getitem__(key)

    def __contains__(self, wanted: object) -> bool:
        """Whether these octets are somewhere in it."""
        return isinstance(wanted, bytes) and self.find(wanted) >= 0

    def startswith(self, wanted: bytes | tuple[bytes, ...]) -> bool:
        """As of bytes."""
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(self[: len(one)] == one for one in wanted)

    def endswith(self, wanted: bytes | tuple[bytes, ...]) -> bool:
        """As of bytes."""
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(self[max(len(self) - len(one), 0) :] == one for one in wanted)

    def find(self, wanted: Any, start: int | None = None, end: int | None = None) -> int:
        """Where they stand first, or -1."""
        begin, end, _ = slice(start, end).indices(len(self))
        for place in range(begin, end, STEP_BYTES):
            found = super().find(wanted, place, min(place + STEP_BYTES + len(wanted) - 1, end))
            self.let_go()
            if found >= 0:
                return found
        return -1

    def rfind(self, wanted: Any, start: int | None = None, end: int | None = None) -> int:
        """Where they stand last, or -1."""
        start, stop, _ = slice(start, end).indices(len(self))
        while stop > start:
            begin = max(stop - STEP_BYTES - len(wanted) + 1, start)
            found = super().rfind(wanted, begin, stop)
            self.let_go()
            if found >= 0 or begin == start:
                return found
            stop = begin + len(wanted) - 1
        return -1

    def steps(self, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """What stands there, a few megabytes at a time; each is let go when the next is asked for."""
        view, (begin, stop, _) = memoryview(self), slice(start, end).indices(len(self))
        for place in range(begin, stop, STEP_BYTES):
            yield view[place : min(place + STEP_BYTES, stop)]
            self.let_go()

    def let_go(self) -> None:
        """Give the memory of what was touched back; it is read again when it is needed."""
        if hasattr(self, "madvise"):  # not on Windows
            self.madvise(mmap.MADV_DONTNEED)


def feed(state: Any, data: bytes | memoryview | HeldFile) -> None:
    """Hash octets; those of a held file a few megabytes at a time."""
    if type(data) is bytes:
        state.update(data)
    elif isinstance(data, HeldFile):
        for part in data.steps():
            state.update(part)
    elif isinstance(data, memoryview) and isinstance(data.obj, HeldFile):
        for place in range(0, len(data), STEP_BYTES):
            state.update(data[place : place + STEP_BYTES])
            data.obj.let_go()
    else:
        state.update(data)


def count(pattern: re.Pattern[bytes], data: bytes | mmap.mmap, *, limit: int, longest: int) -> int:
    """How often a pattern stands there, up to a limit; a match has `longest` octets at most."""
    if not isinstance(data, HeldFile):
        return sum(1 for _ in islice(pattern.finditer(data), limit))
    found = 0
    for begin in range(0, len(data), STEP_BYTES):
        end = min(begin + STEP_BYTES, len(data))
        matches = pattern.finditer(data, begin, min(end + longest, len(data)))
        found += sum(1 for one in islice(matches, limit) if one.start() < end)
        data.let_go()
        if found >= limit:
            return limit
    return found


@contextmanager
def held(path: Path, *, max_bytes: int) -> Iterator[HeldFile]:
    """A private copy of a file, gone at the end.

    `TooLarge`, `MalformedInput` for an empty one, `Unreachable` where the copy cannot be kept.
    """
    try:
        with path.open("rb") as source, tempfile.TemporaryFile() as copy:
            yield HeldFile.of(copy, copied(source, copy, max_bytes=max_bytes))
    except OSError as exc:
        raise Unreachable(f"{path}: {exc.strerror}") from exc


def copied(source: IO[bytes], target: IO[bytes], *, max_bytes: int) -> int:
    """Copy a file and say how many octets it has; `TooLarge`."""
    size = 0
    while block := source.read(STEP_BYTES):
        size += len(block)
        if size > max_bytes:
            raise TooLarge("file", f"over {max_bytes} bytes")
        target.write(block)
    target.flush()
    return size

"""The entries of a revocation list: checked once as a whole, found by serial number through an index.

Lists of large authorities have a hundred thousand entries of few shapes: a serial number of so many bytes, a
time, and the same few extensions. Runs of such entries are checked by one pattern, without an object for
each; whatever has another shape is read one by one. The index is made when it is first asked for: a set of
serial numbers for each part of the list, so that who is not listed is found out by hashing alone, and who is
listed is looked for in one small part.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from signing import der
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SERIAL_BYTES = 64
MAX_SHAPES = 24
MAX_SHAPE_SERIAL_BYTES = 40  # below the tag of a SEQUENCE, which no size is mistaken for
RUN = 128  # entries in a run: what a look-up walks over
FEW_BYTES = 8192  # shorter lists are read one by one: making a pattern takes as long
SEEN_BEFORE_LEARNT = 8
PART_BYTES = 1 << 17
TAIL = 8  # octets at the end of a serial number that stand for it, where all are as long
MAX_PARTS = 64
_TIMES = {der.UTC_TIME: 13, der.GENERALIZED_TIME: 15}

# Extensions of entries as nearly all authorities write them (RFC 5280, 5.3): reason and invalidity date.
_REASON = rb"\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01[\x00-\x06\x08-\x0a]"
_INVALIDITY = rb"\x30\x18\x06\x03\x55\x1d\x18\x04\x11\x18\x0f[0-9]{14}Z"
_USUAL = {
    0: b"",
    14: rb"\x30\x0c" + _REASON,
    28: rb"\x30\x1a" + _INVALIDITY,
    40: rb"\x30\x26" + _REASON + _INVALIDITY,
}
_USUAL_PATTERNS = {size: re.compile(pattern, re.DOTALL) for size, pattern in _USUAL.items()}


class Entry(NamedTuple):
    """One entry, its parts still in DER; `extensions` is empty when it has none."""

    end: int
    serial: bytes
    time: bytes
    extensions: bytes


class _Shape(NamedTuple):
    """What entries have in common that one pattern describes."""

    serial_bytes: int
    is_padded: bool  # a zero in front, because the next bit is set
    time_tag: int
    extension_bytes: int

    @property
    def pattern(self) -> bytes:
        """The whole entry, strictly."""
        size = self.serial_bytes
        serial = rb"\x00[\x80-\xff]" if self.is_padded else rb"[\x01-\xfe]"
        time = _TIMES[self.time_tag]
        body = 2 + size + 2 + time + self.extension_bytes
        frame = b"\\x%02x\\x02\\x%02x" % (body, size)
        when = b"\\x%02x\\x%02x[0-9]{%d}Z" % (self.time_tag, time, time - 1)
        rest = b".{%d}" % (size - 1 - self.is_padded)
        return frame + serial + rest + when + _USUAL[self.extension_bytes]


class _Part(NamedTuple):
    """A part of the list: how many entries, a key for each serial number, where it starts and ends."""

    entries: int
    keys: frozenset[bytes]
    start: int
    end: int


class Entries:
    """The entries of one list, which lie in `data` from `start` to `end`; `MalformedInput` unless whole.

    `unusual` are the different extensions that entries have, but for those that the patterns above describe.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        """Check every entry."""
        self._data = data
        self._starts: list[int] = []  # of runs
        # The starts of runs of one entry that has no learnt shape, and its serial number as an INTEGER.
        self._lone: list[int] = []
        self._lone_keys: list[bytes] = []
        self._end = end
        self.unusual: set[bytes] = set()
        self._shapes: tuple[_Shape, ...] = ()
        self._read(start)

    def __len__(self) -> int:
        return sum(part.entries for part in self._parts)

    def __iter__(self) -> Iterator[Entry]:
        """All entries in their order, one by one."""
        offset = self._starts[0] if self._starts else self._end
        while offset < self._end:
            entry = read_entry(self._data, offset, self._end)
            yield entry
            offset = entry.end

    def find(self, serial: int) -> Entry | None:
        """The first entry of this serial number, or None."""
        if serial.bit_length() >= 8 * MAX_SERIAL_BYTES:
            return None
        wanted = der.integer(serial)
        key = self._key_of(wanted)
        parts = (part for part in self._parts if key in part.keys)
        return next(filter(None, (self._found(wanted, part) for part in parts)), None)

    def _found(self, wanted: bytes, part: _Part) -> Entry | None:
        """The entry of a serial number (an INTEGER in DER) that the part holds."""
        place = self._data.find(wanted, part.start, part.end)
        while place >= 0:
            entry = read_entry(self._data, self._start_before(place), self._end)
            if entry.serial == wanted[2:]:
                return entry
            # The same bytes stand elsewhere, as in an extension.
            place = self._data.find(wanted, entry.end, part.end)
        return None

    def _start_before(self, place: int) -> int:
        """Where the entry starts that a place lies in."""
        data, start = self._data, self._starts[bisect_right(self._starts, place) - 1]
        while (after := start + 2 + data[start + 1]) <= place and data[start + 1] < 0x80:
            start = after  # entries of a run have short frames
        return start

    def _key_of(self, integer: bytes) -> bytes:
        """What stands for a serial number in the sets: eight octets are hashed in half the time of twenty."""
        return integer[-TAIL:] if _have_tails(self._shapes) else integer

    def _read(self, offset: int) -> None:
        data, end, starts = self._data, self._end, self._starts
        learns = end - offset >= FEW_BYTES
        runs: re.Pattern[bytes] | None = None
        sightings: dict[_Shape, int] = {}
        while offset < end:
            starts.append(offset)
            run = runs.match(data, offset, end) if runs else None
            if run:
                offset = run.end()
                continue
            entry = read_entry(data, offset, end)
            self._lone.append(offset)
            self._lone_keys.append(bytes((der.INTEGER, len(entry.serial))) + entry.serial)
            if entry.extensions:
                self.unusual.add(entry.extensions)
            offset = entry.end
            shape = _shape_of(entry) if learns else None
            if shape and len(self._shapes) < MAX_SHAPES:
                sightings[shape] = sightings.get(shape, 0) + 1
                if sightings[shape] == SEEN_BEFORE_LEARNT:
                    self._shapes = (*self._shapes, shape)
                    runs = _run_of(self._shapes)

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        if not self._starts:
            return ()
        size = max(PART_BYTES, (self._end - self._starts[0]) // MAX_PARTS)
        bounds = [self._starts[0]]
        for start in self._starts:
            if start - bounds[-1] >= size:
                bounds.append(start)
        parts = []
        for start, end in pairwise((*bounds, self._end)):
            keys = self._keys(start, end)
            parts.append(_Part(len(keys), frozenset(keys), start, end))
        return tuple(parts)

    def _keys(self, start: int, end: int) -> list[bytes]:
        """The key of every serial number between two starts of runs."""
        first, last = bisect_left(self._lone, start), bisect_left(self._lone, end)
        keys = [self._key_of(integer) for integer in self._lone_keys[first:last]]
        if self._shapes:
            find_keys = _keys_of(self._shapes).findall
            for lone in (*self._lone[first:last], end):
                if start < lone:
                    keys += find_keys(self._data, start, lone)
                start = read_entry(self._data, lone, end).end if lone < end else end
        return keys


def read_entry(data: bytes, offset: int, end: int) -> Entry:
    """The entry at `offset`; `MalformedInput` unless it is one and ends before `end`."""
    try:
        size, body = data[offset + 1], offset + 2
        if data[offset] != der.SEQUENCE or size > 0x7F:
            tag, body, stop = der.frame(data, offset)
            if tag != der.SEQUENCE:
                raise MalformedInput("crl", "an entry is damaged")
        else:
            stop = body + size
        middle = body + 2 + data[body + 1]
        tail = middle + 2 + data[middle + 1]
        serial, time = data[body + 2 : middle], data[middle + 2 : tail]
    except IndexError as exc:
        raise MalformedInput("crl", "an entry is damaged") from exc
    if data[body] != der.INTEGER or tail > stop or stop > end or not _is_minimal(serial):
        raise MalformedInput("crl", "an entry is damaged")
    if _TIMES.get(data[middle]) != len(time) or not time[:-1].isdigit() or time[-1] != 0x5A:
        raise MalformedInput("crl", "an entry has no time")
    return _new_entry(Entry, (stop, serial, data[middle:tail], data[tail:stop]))


_new_entry = tuple.__new__  # what `Entry(…)` does, without a detour: called for every entry of short lists


def _is_minimal(serial: bytes) -> bool:
    """Whether the bytes are the one form that an integer has in DER (X.690, 8.3.2), and not too many."""
    size = len(serial)
    if not 1 < size <= MAX_SERIAL_BYTES:
        return size == 1
    return serial[0] not in {0, 0xFF} or (serial[0] ^ serial[1]) >= 0x80


def _shape_of(entry: Entry) -> _Shape | None:
    """The shape of an entry, when patterns can describe it."""
    usual, size = _USUAL_PATTERNS.get(len(entry.extensions)), len(entry.serial)
    is_short = size + len(entry.time) + len(entry.extensions) + 2 < 0x80
    if usual is None or not is_short or not usual.fullmatch(entry.extensions):
        return None
    is_padded = entry.serial[0] == 0
    if entry.serial[0] == 0xFF or (is_padded and size == 1) or size > MAX_SHAPE_SERIAL_BYTES:
        return None
    return _Shape(size, is_padded, entry.time[0], len(entry.extensions))


@lru_cache(maxsize=64)
def _run_of(shapes: tuple[_Shape, ...]) -> re.Pattern[bytes]:
    """Up to `RUN` entries of these shapes, strictly, one after another; it never goes back over one."""
    one_of = b"|".join(shape.pattern for shape in shapes)
    return re.compile(rb"(?:\x30(?:%b)){1,%d}+" % (one_of, RUN), re.DOTALL)


def _have_tails(shapes: tuple[_Shape, ...]) -> bool:
    return all(shape.serial_bytes >= TAIL for shape in shapes)


@lru_cache(maxsize=64)
def _keys_of(shapes: tuple[_Shape, ...]) -> re.Pattern[bytes]:
    """The key of each entry of a run that was checked: its serial number as an INTEGER, or the end of that.

    A search for the next INTEGER meets nothing else: times and usual extensions hold no octet 02 but the
    reason of that number, behind which the next entry's tag is no size of a serial number.
    """
    sizes = sorted({shape.serial_bytes for shape in shapes})
    tail = TAIL if _have_tails(shapes) else 0
    each = b"|".join(rb"\x%02x.{%d}" % (size, size - tail) for size in sizes)
    pattern = rb"\x02(?:%b)(%b)" % (each, b"." * tail) if tail else rb"\x02(?:%b)" % each
    return re.compile(pattern, re.DOTALL)

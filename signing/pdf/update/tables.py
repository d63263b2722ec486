"""Where the objects of a plain file stand: tables of both kinds (ISO 32000-2, 7.5.4 and 7.5.8)."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol

from signing.pdf.update.syntax import (
    Dictionary,
    NotPlain,
    first_half,
    natural,
    naturals,
    read_dictionary,
    read_object,
    read_stream,
    read_trailer,
)

MAX_SECTIONS, MAX_ROWS, MAX_UNPACKED_BYTES = 64, 20_000, 1 << 20
_ENTRY_SIZE = 20
_TABLE = re.compile(rb"xref[ ]?(?:\r\n|\n|\r)")
_SECTION = re.compile(rb"(\d{1,10}+) (\d{1,10}+)[ ]?(?:\r\n|\n|\r)")
_IN_USE = re.compile(rb"(\d{10}) 00000 n(?: \n| \r|\r\n)")
_NUMBERS = re.compile(rb"\d++")
_NOTHING = re.compile(rb"[\0\t\n\x0c\r ]*+(?:%[^\r\n]*+[\r\n][\0\t\n\x0c\r ]*+)*+")
# What of a table's dictionary belongs to the stream that it is, and not to the file.
_OF_STREAM = frozenset({b"Type", b"W", b"Index", b"Length", b"Filter", b"DecodeParms"})


class Table(Protocol):
    """A table of either kind. `free` is the number behind the last that it tells of."""

    trailer: Dictionary
    identity: bytes | None
    free: int
    is_stream: bool

    def entries(self, pdf: bytes, wanted: int) -> Dictionary:
        """The dictionary that is the object of this number; `NotPlain` for none."""


def read_table(pdf: bytes, start: int, end: int) -> Table:
    """The table that stands at `start`, with its trailer up to `end`."""
    return (
        ClassicTable(pdf, start, end) if pdf[start : start + 4] == b"xref" else StreamTable(pdf, start, end)
    )


class ClassicTable:
    """Lines of twenty octets, and a trailer."""

    __slots__ = ("_sections", "free", "identity", "trailer")
    is_stream = False

    def __init__(self, pdf: bytes, start: int, end: int) -> None:
        """Read where the sections stand, and the trailer."""
        table, self.free = _TABLE.match(pdf, start), 0
        if table is None:
            raise NotPlain
        place, self._sections = table.end(), list[tuple[int, int, int]]()
        while pdf[place : place + 7] != b"trailer":
            section = _SECTION.match(pdf, place)
            if section is None:
                raise NotPlain
            first, count = int(section[1]), int(section[2])
            if first < self.free or len(self._sections) >= MAX_SECTIONS:
                raise NotPlain  # no object may stand in two sections: readers would differ about which counts
            place, self.free = section.end(), first + count
            self._sections.append((first, self.free, place))
            place += _ENTRY_SIZE * count
        self.trailer, self.identity = read_trailer(pdf, place, end)
        if b"Type" in self.trailer:
            raise NotPlain

    def entries(self, pdf: bytes, wanted: int) -> Dictionary:
        """The dictionary that is the object of this number."""
        for first, end, place in self._sections:
            if first <= wanted < end:
                found = _IN_USE.match(pdf, place + _ENTRY_SIZE * (wanted - first))
                if found is not None:
                    return read_object(pdf, int(found[1]), wanted)
        raise NotPlain


class _Row(NamedTuple):
    """Kind 1: at this octet, of that generation. Kind 2: in this object stream, at that place in it."""

    kind: int
    where: int
    which: int


class StreamTable:
    """A table that is a stream itself, deflated or not; objects may be packed into streams too."""

    __slots__ = ("_columns", "_packs", "_sections", "_widths", "free", "identity", "trailer")
    is_stream = True

    def __init__(self, pdf: bytes, start: int, end: int) -> None:
        """Unpack the table; its rows are read when they are asked for."""
        entries, data, behind = read_stream(pdf, start, limit=MAX_UNPACKED_BYTES)
        if entries.get(b"Type") != b"/XRef" or not _NOTHING.fullmatch(pdf[behind:end]):
            raise NotPlain
        self._widths = naturals(entries.get(b"W"), 3)
        size = natural(entries.get(b"Size"))
        index = naturals(entries.get(b"Index", b"[0 %d]" % size))
        pairs = list(zip(index[::2], index[1::2], strict=True)) if len(index) % 2 == 0 else []
        self.free, base, self._sections = 0, 0, list[tuple[int, int, int]]()
        for first, count in pairs:
            if first < self.free or len(self._sections) >= MAX_SECTIONS:
                raise NotPlain
            self.free = first + count
            self._sections.append((first, self.free, base - first))
            base += count
        width = sum(self._widths)
        if not 0 < base <= MAX_ROWS or not 2 <= width <= 16 or self._widths[0] > 1:
            raise NotPlain
        self._columns = _columns(data, base, width, entries)
        self._packs: dict[int, list[tuple[int, bytes]]] = {}
        self.identity = first_half(entries.get(b"ID"))
        self.trailer = Dictionary({key: entries[key] for key in entries if key not in _OF_STREAM})

    def entries(self, pdf: bytes, wanted: int) -> Dictionary:
        """The dictionary that is the object of this number."""
        row = self._row(wanted)
        if row.kind == 1 and row.which == 0:
            return read_object(pdf, row.where, wanted)
        if row.kind != 2:
            raise NotPlain
        pack = self._row(row.where)
        if pack.kind != 1 or pack.which != 0:
            raise NotPlain
        if row.where not in self._packs:
            self._packs[row.where] = _unpacked(pdf, pack.where, row.where)
        packed = self._packs[row.where]
        if row.which >= len(packed) or packed[row.which][0] != wanted:
            raise NotPlain
        return read_dictionary(packed[row.which][1])

    def _row(self, wanted: int) -> _Row:
        for first, end, base in self._sections:
            if first <= wanted < end:
                octets = bytes([column[base + wanted] for column in self._columns])
                kind, where, _ = self._widths
                value = octets[kind : kind + where], octets[kind + where :]
                number = octets[0] if kind else 1
                return _Row(number, *(int.from_bytes(one, "big") for one in value))
        raise NotPlain


def _columns(data: bytes, rows: int, width: int, entries: Dictionary) -> list[bytes]:
    """The octets of each column, top down."""
    parameters = read_dictionary(entries[b"DecodeParms"]) if b"DecodeParms" in entries else Dictionary()
    predictor = natural(parameters.get(b"Predictor", b"1"))
    if predictor == 1:
        if len(data) != rows * width:
            raise NotPlain
        return [data[column::width] for column in range(width)]
    stride = width + 1
    plain_parts = (
        parameters.keys() <= {b"Predictor", b"Columns"} and natural(parameters.get(b"Columns")) == width
    )
    # Predictor 12 in all rows: each octet is a difference to the one above it (ISO 32000-2, 7.4.4.4).
    if predictor < 10 or not plain_parts or len(data) != rows * stride or data[::stride].strip(b"\2"):
        raise NotPlain
    return [
        bytes([value & 0xFF for value in accumulate(data[column::stride])]) for column in range(1, stride)
    ]


def _unpacked(pdf: bytes, place: int, number: int) -> list[tuple[int, bytes]]:
    """The objects of an object stream: numbers, and what is written there (ISO 32000-2, 7.5.7)."""
    entries, data, _ = read_stream(pdf, place, limit=MAX_UNPACKED_BYTES, number=number)
    count, first = natural(entries.get(b"N")), natural(entries.get(b"First"))
    heads = [int(one) for one in _NUMBERS.findall(data[:first])]
    parameters = read_dictionary(entries[b"DecodeParms"]) if b"DecodeParms" in entries else Dictionary()
    is_plain = entries.get(b"Type") == b"/ObjStm" and b"Extends" not in entries and not parameters
    if (
        not is_plain
        or count > MAX_ROWS
        or len(heads) != 2 * count
        or data[:first].strip(b"0123456789\0\t\n\x0c\r ")
    ):
        raise NotPlain
    starts = [*heads[1::2], len(data) - first]
    if sorted(starts) != starts:
        raise NotPlain
    parts = [data[first + start : first + end] for start, end in pairwise(starts)]
    return [(one, part.strip(b"\0\t\n\x0c\r ")) for one, part in zip(heads[::2], parts, strict=True)]

"""Cross-references (ISO 32000-2, 7.5.4 to 7.5.8): tables, streams, and files that have both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from signing.pdf.parsing.filters import decode
from signing.pdf.parsing.lexer import SPACE, Budget, read_value
from signing.pdf.parsing.objects import parse_object
from signing.pdf.parsing.values import Ref, Stream
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing.values import Source, Value

MAX_SECTIONS = 256
MAX_STREAM_BYTES = 32 << 20
TAIL_BYTES = 2048
FREE, IN_USE, PACKED = 0, 1, 2
NAMED_TWICE = "a cross-reference table that names an object twice"
_TAIL = re.compile(rb"startxref[" + SPACE + rb"]++([0-9]{1,10})[" + SPACE + rb"]++%%EOF[" + SPACE + rb"]*+\Z")
_LOOSE_TAIL = re.compile(rb"startxref[" + SPACE + rb"]++([0-9]{1,10})")
_TABLE = re.compile(rb"[" + SPACE + rb"]*+xref(?=[" + SPACE + rb"])")
_PART = re.compile(rb"[" + SPACE + rb"]*+([0-9]{1,10})[ \t]++([0-9]{1,10})[" + SPACE + rb"]*+")
_PLAIN_PART = re.compile(
    rb"(?:(?<=xref)|(?<=xref ))?(?:\r\n|\n|\r)?(?:0|[1-9][0-9]*+) (?:0|[1-9][0-9]*+) ?(?:\r\n|\n|\r)"
)
_ENTRY = re.compile(rb"[" + SPACE + rb"]*+([0-9]{10})[ ]([0-9]{5})[ ]([nf])(?=[" + SPACE + rb"]|t)")
_BLOCK = re.compile(rb"(?:[0-9]{10} [0-9]{5} [nf](?: [\r\n]|\r\n))*+")
_NOWHERE = (b"0000000000", b"n")
_OTHER_WAYS = ("F", "DP", "FFilter", "FDecodeParms")
_TRAILER = re.compile(rb"[" + SPACE + rb"]*+trailer")


class Entry(NamedTuple):
    """Where an object is: `IN_USE` at a place with a generation, `PACKED` in a stream at an index, `FREE`."""

    kind: int
    place: int
    detail: int


@dataclass(slots=True)
class Section:
    """One cross-reference section: where it stands, its entries, its trailer.

    `extents` are the bytes that the section itself takes up in the file. `oddity` says what in it readers
    might understand otherwise, `looseness` how it is written that some cannot read it, and repair the file.
    `own` is the object that it is, for a stream. In a hybrid file `visible` are the entries of the table
    alone, and `beside` is the stream that belongs to it.
    """

    place: int
    entries: dict[int, Entry]
    trailer: dict[str, Value]
    extents: list[tuple[int, int]] = field(default_factory=list)
    is_hybrid: bool = False
    oddity: str = ""
    looseness: str = ""
    own: Ref | None = None
    visible: dict[int, Entry] | None = None
    beside: Section | None = None


def start_of(source: Source, end: int) -> tuple[int, int, bool]:
    """What the last `startxref` says, where that stands, and whether the file ends as it should."""
    first = max(0, end - TAIL_BYTES)
    place = source.rfind(b"startxref", first, end)
    if place < 0:
        raise MalformedInput("pdf", "no startxref at its end")
    found = _TAIL.match(source, place, end)
    loose = found or _LOOSE_TAIL.match(source, place, end)
    if loose is None:
        raise MalformedInput("pdf", "startxref without a number")
    return int(loose[1]), place, found is not None


def read_sections(source: Source, start: int, end: int, budget: Budget) -> list[Section]:
    """The sections from the newest to the oldest. `MalformedInput` for loops and what is no section."""
    sections: list[Section] = []
    seen: set[int] = set()
    place: Value = start
    while place is not None:
        if type(place) is not int or not 0 <= place < end or place in seen:
            raise MalformedInput("pdf", "cross-reference sections that lead nowhere or in circles")
        if len(seen) >= MAX_SECTIONS:
            raise TooLarge("pdf", f"more than {MAX_SECTIONS} revisions")
        seen.add(place)
        section = read_section(source, place, end, budget)
        sections.append(section)
        place = section.trailer.get("Prev")
        place = int(place) if type(place) is float and place.is_integer() else place
    return sections


def read_section(source: Source, place: int, end: int, budget: Budget) -> Section:
    """The section at a place, with the stream beside it in a hybrid file."""
    opened = _TABLE.match(source, place, end)
    if opened is None:
        return _read_stream(source, place, end, budget)
    section = _read_table(source, opened, end, budget)
    beside = section.trailer.get("XRefStm")
    if beside is not None:
        if type(beside) is not int or not 0 <= beside < end:
            raise MalformedInput("pdf", "a hybrid file without its stream")
        hidden = _read_stream(source, beside, end, budget)
        section.visible, section.beside = dict(section.entries), hidden
        for number, entry in hidden.entries.items():
            if section.entries.get(number, entry).kind == FREE:
                section.entries[number] = entry
            else:
                section.entries.setdefault(number, entry)
        section.is_hybrid = True
        section.extents += hidden.extents
    return section


def _read_table(source: Source, opened: re.Match[bytes], end: int, budget: Budget) -> Section:
    entries: dict[int, Entry] = {}
    place, oddity, looseness = opened.end(), "", ""
    while (part := _PART.match(source, place, end)) is not None:
        first, count = int(part[1]), int(part[2])
        if not _PLAIN_PART.fullmatch(source, part.start(), part.end()):
            looseness = "a cross-reference table with heads that are not usual"
        place = part.end()
        budget.spend(1 + max(0, min(count, (end - place) // 18)))
        known = len(entries)
        behind = place + 20 * count
        words, place = _words(source, place, end, count)
        entries.update(_entries(first, words))
        if place != behind:
            looseness = "a cross-reference table whose entries are not twenty bytes long"
        if _NOWHERE in zip(words[::3], words[2::3], strict=True):
            looseness = "an object that is said to lie where the file begins"
        if len(entries) != known + count:
            oddity = NAMED_TWICE
    closed = _TRAILER.match(source, place, end)
    if closed is None:
        raise MalformedInput("pdf", "a cross-reference table without a trailer")
    trailer, after, twice = read_value(source, closed.end(), end, budget)
    if not isinstance(trailer, dict):
        raise MalformedInput("pdf", "a trailer that is no dictionary")
    oddity = "a trailer that names something twice" if twice else oddity
    return Section(
        opened.start(), entries, trailer, [(opened.start(), after)], oddity=oddity, looseness=looseness
    )


def _words(source: Source, place: int, end: int, count: int) -> tuple[list[bytes], int]:
    """The words of so many entries, three for each, and the place behind them."""
    block = source[place : min(end, place + 20 * count)]
    if len(block) == 20 * count and _BLOCK.fullmatch(block):
        return block.split(), place + 20 * count
    words: list[bytes] = []
    for _ in range(count):
        found = _ENTRY.match(source, place, end)
        if found is None:
            raise MalformedInput("pdf", "a cross-reference table with less than it says")
        words += found.groups()
        place = found.end()
    return words, place


def _entries(first: int, words: list[bytes]) -> Iterator[tuple[int, Entry]]:
    if first == 1 and words[1:3] == [b"65535", b"f"]:
        raise MalformedInput("pdf", "a cross-reference table that counts from one")
    for number, (place, generation, kind) in enumerate(
        zip(words[::3], words[1::3], words[2::3], strict=True), first
    ):
        if kind == b"n":
            at = int(place)
            yield number, Entry(IN_USE, at, int(generation)) if at else Entry(FREE, 0, 0)
        else:
            yield number, Entry(FREE, int(place), int(generation))


def _no_reference(_: Ref) -> Value:
    return None


def _read_stream(source: Source, place: int, end: int, budget: Budget) -> Section:
    parsed = parse_object(source, place, end, budget, number_of=_no_reference)
    stream = parsed.value
    if not isinstance(stream, Stream) or stream.entries.get("Type") != "XRef":
        raise MalformedInput("pdf", f"no cross-reference section at byte {place}")
    trailer = stream.entries
    names, parameters = filters_of(trailer)
    data = decode(source[stream.start : stream.end], names, parameters, limit=MAX_STREAM_BYTES)
    entries, twice = _unpacked(data, trailer, budget)
    oddity = parsed.oddity or NAMED_TWICE * twice
    return Section(
        place,
        entries,
        trailer,
        [(parsed.start, parsed.end)],
        oddity=oddity,
        looseness=unpacking_oddity(trailer),
        own=parsed.ref,
    )


def filters_of(entries: dict[str, Value]) -> tuple[list[Value], list[Value]]:
    """The filters of a stream and their parameters, as lists."""
    names, parameters = entries.get("Filter", []), entries.get("DecodeParms", [])
    return (
        names if isinstance(names, list) else [names],
        parameters if isinstance(parameters, list) else [parameters],
    )


def unpacking_oddity(entries: dict[str, Value]) -> str:
    """How a stream of references or objects is packed that not all readers unpack alike; else empty.

    Some take short names of the entries before the long ones, some take no parameters for a list of filters.
    """
    names, parameters = entries.get("Filter"), entries.get("DecodeParms")
    is_list = type(names) is list
    if any(key in entries for key in _OTHER_WAYS):
        return "a stream that some readers unpack otherwise"
    if parameters is not None and (type(parameters) is list) != is_list:
        return "a stream whose filters and parameters do not fit"
    if (names if is_list else [names]) not in ([None], [], ["FlateDecode"]):
        return "a stream with filters that are not usual there"
    return ""


def _unpacked(data: bytes, trailer: dict[str, Value], budget: Budget) -> tuple[dict[int, Entry], bool]:
    """The entries, and whether one number is named twice."""
    widths, size = trailer.get("W"), trailer.get("Size")
    if not isinstance(widths, list) or len(widths) != 3 or not all(map(_is_width, widths)):
        raise MalformedInput("pdf", "a cross-reference stream without widths")
    first, second, third = widths
    row = sum(widths)
    index = trailer.get("Index", [0, size])
    if (
        not isinstance(index, list)
        or len(index) % 2
        or not all(type(item) is int for item in index)
        or not row
    ):
        raise MalformedInput("pdf", "a cross-reference stream without an index")
    entries: dict[int, Entry] = {}
    place, read, named = 0, int.from_bytes, 0
    for start, count in zip(index[::2], index[1::2], strict=True):
        if count < 0 or start < 0 or count > (len(data) - place) // row:
            raise MalformedInput("pdf", "a cross-reference stream with less than it says")
        budget.spend(count)
        named += count
        for number in range(start, start + count):
            middle = place + first
            kind = read(data[place:middle], "big") if first else IN_USE
            later = middle + second
            last = later + third
            entries[number] = Entry(kind, read(data[middle:later], "big"), read(data[later:last], "big"))
            place += row
    return entries, named != len(entries)


def _is_width(value: Value) -> bool:
    return type(value) is int and 0 <= value <= 8

"""A PDF file as one revision shows it: objects by reference, streams decoded."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from signing.pdf.parsing.filters import decode
from signing.pdf.parsing.lexer import SPACE, Budget, read_value
from signing.pdf.parsing.objects import HEAD, Parsed, parse_object
from signing.pdf.parsing.values import Ref, Stream, Value
from signing.pdf.parsing.xref import (
    FREE,
    IN_USE,
    PACKED,
    Entry,
    Section,
    filters_of,
    read_sections,
    start_of,
    unpacking_oddity,
)
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing.values import Source

MAX_HOPS = 16
MAX_PACK_BYTES = 16 << 20
HEADER_BYTES = 1024
_ANY_HEAD = re.compile(rb"(?<![0-9])([0-9]{1,10})[" + SPACE + rb"]++([0-9]{1,5})[" + SPACE + rb"]++obj")
_ANY_TRAILER = re.compile(rb"trailer[" + SPACE + rb"]*+(?=<<)")

_OF_A_PACK = frozenset({"Type", "N", "First", "Filter", "DecodeParms"})

Identity = tuple[int, int, int]


class Packed(NamedTuple):
    """An object in an object stream: its number and value, and where that stands in what is unpacked."""

    number: int
    value: Value
    names_twice: bool
    place: int
    end: int


class Document:
    """A file, or its state after one revision (`as_of`)."""

    def __init__(self, source: Source, *, budget: Budget | None = None, rebuild: bool = False) -> None:
        """Read the cross-references.

        `MalformedInput` when they are not in order; with `rebuild` they are made anew from the objects that
        stand in the file, which is a guess.
        """
        self.source, self.size = source, len(source)
        self.budget = budget or Budget()
        self._parsed: dict[int, Parsed] = {}
        self._packs: dict[tuple[int, int], list[Packed]] = {}
        if source.find(b"%PDF-", 0, HEADER_BYTES) < 0:
            raise MalformedInput("pdf", "no PDF header")
        self.is_rebuilt = rebuild
        self.ends_well = True
        self.sections = self._rebuilt() if rebuild else self._read()
        self._settle()

    def _read(self) -> list[Section]:
        start, _, self.ends_well = start_of(self.source, self.size)
        return read_sections(self.source, start, self.size, self.budget)

    def _settle(self) -> None:
        self._table: dict[int, Entry] = {}
        for section in reversed(self.sections):
            self._table.update(section.entries)
        self.trailer = self.sections[0].trailer
        self._values: dict[Ref, Value] = {}
        self._own: dict[int, Parsed] = {}
        self._loading = 0

    def as_of(self, size: int) -> Document:
        """The file as it was when it had so many bytes; `MalformedInput` where that was no revision of it."""
        sections = self.sections_of(size)
        # Every state has a table of its own: time and memory for each entry.
        self.budget.spend(sum(len(section.entries) for section in sections) // 2)
        answer = object.__new__(Document)
        answer.source, answer.size, answer.budget = self.source, size, self.budget
        answer.is_rebuilt, answer.ends_well = False, True
        answer._parsed, answer._packs = self._parsed, self._packs
        answer.sections = sections
        answer._settle()
        return answer

    def by_tables_alone(self) -> Document:
        """The file as readers see it that know no streams beside tables: the other half of a hybrid one."""
        answer = object.__new__(Document)
        answer.source, answer.size, answer.budget = self.source, self.size, self.budget
        answer.is_rebuilt, answer.ends_well = self.is_rebuilt, self.ends_well
        answer._parsed, answer._packs = self._parsed, self._packs
        answer.sections = [
            one if one.visible is None else replace(one, entries=one.visible, visible=None, is_hybrid=False)
            for one in self.sections
        ]
        self.budget.spend(sum(len(one.entries) for one in answer.sections) // 2)
        answer._settle()
        return answer

    def sections_of(self, size: int) -> list[Section]:
        """The sections that the file had when it had so many bytes; raises as `as_of`."""
        start, _, clean = start_of(self.source, size)
        index = next((n for n, one in enumerate(self.sections) if one.place == start), None)
        if index is None or not clean or self.is_rebuilt:
            raise MalformedInput("pdf", "what was signed is not a revision of this file")
        return self.sections[index:]

    @property
    def root(self) -> dict[str, Value]:
        """The catalogue; `MalformedInput` where there is none."""
        root = self.resolve(self.trailer.get("Root"))
        if not isinstance(root, dict):
            raise MalformedInput("pdf", "no catalogue")
        return root

    def numbers(self) -> Iterator[tuple[int, Entry]]:
        """Every object number with its entry."""
        yield from self._table.items()

    def resolve(self, value: Value) -> Value:
        """The value itself, references followed; None for an object that is not there."""
        hops = 0
        while type(value) is Ref:
            hops += 1
            if hops > MAX_HOPS:
                raise MalformedInput("pdf", "references that lead in circles")
            value = self.load(value)
        return value

    def get(self, holder: Value, key: str) -> Value:
        """An entry of a dictionary or of a stream's, resolved; None for what is neither."""
        entries = holder.entries if type(holder) is Stream else holder
        return self.resolve(entries.get(key)) if type(entries) is dict else None

    def load(self, ref: Ref) -> Value:
        """The object of a reference, None where it is free; `MalformedInput` if another stands there."""
        try:
            return self._values[ref]
        except KeyError:
            pass
        # An object may hang on another one: its length, the stream that it is packed into, that one's length.
        self._loading += 1
        try:
            if self._loading > MAX_HOPS:
                raise MalformedInput("pdf", "an object that hangs on itself")
            value = self._values[ref] = self._load(ref)
        finally:
            self._loading -= 1
        return value

    def place_of(self, ref: Ref) -> int | None:
        """Where an object stands in the file; None for one in an object stream, and for none."""
        entry = self._table.get(ref.number)
        if entry is None or entry.kind != IN_USE or entry.detail != ref.generation:
            return None
        return self.parsed(entry.place).start  # a table may point at white space before it

    def identity(self, number: int) -> Identity | None:
        """What tells one version of an object from another; None where there is no object."""
        entry = self._table.get(number)
        if entry is None or entry.kind == FREE:
            return None
        if entry.kind == IN_USE:
            return entry.place, -1, entry.detail
        pack = self._table.get(entry.place)
        if pack is None or pack.kind != IN_USE:
            return -1, entry.detail, 0
        held = self.parsed(pack.place).value
        return pack.place, entry.detail, held.end if isinstance(held, Stream) else -1

    def is_there(self, ref: Ref) -> bool:
        """Whether an object of this number and generation is in use; nothing is read."""
        entry = self._table.get(ref.number)
        if entry is None or entry.kind not in {IN_USE, PACKED}:
            return False
        return (entry.detail if entry.kind == IN_USE else 0) == ref.generation

    def beyond_size(self) -> bool:
        """Whether there are objects in use whose number is not below the size that the trailer states."""
        size = self.trailer.get("Size")
        if type(size) is not int:
            return True
        return any(number >= size for number, entry in self._table.items() if entry.kind != FREE)

    def reference(self, number: int) -> Ref:
        """The reference to an object as this state has it."""
        entry = self._table.get(number)
        return Ref(number, entry.detail if entry and entry.kind == IN_USE else 0)

    def entry(self, number: int) -> Entry | None:
        """What the table says of an object; None where it says nothing."""
        return self._table.get(number)

    def oddity(self, number: int) -> str:
        """What about an object other readers might understand otherwise; empty where there is none."""
        entry = self._table.get(number)
        if entry is None or entry.kind not in {IN_USE, PACKED}:
            return ""
        if entry.kind == IN_USE:
            return self.parsed(entry.place).oddity
        held = self.packed(entry.place)
        twice = entry.detail < len(held) and held[entry.detail].names_twice
        return self.oddity(entry.place) or "a dictionary that names something twice" * twice

    def pack_oddity(self, pack: int) -> str:
        """What about an object stream other readers might unpack otherwise; empty where there is nothing."""
        held, place = self.packed(pack), self._table[pack].place
        stream = self.parsed(place).value
        if len({one.number for one in held}) != len(held):
            return "an object stream that names an object twice"
        if any(after.place < before.end for before, after in pairwise(held)):
            return "an object stream whose objects lie over each other"
        return unpacking_oddity(stream.entries)

    def text_of(self, number: int) -> tuple[Source, int, int]:
        """Where an object's value is written: in what, from where, up to where. The object is there."""
        entry = self._table[number]
        if entry.kind == IN_USE:
            found = self.parsed(entry.place)
            head = HEAD.match(self.source, found.start, found.end)
            return self.source, head.end() if head else found.start, found.end
        held = self.packed(entry.place)[entry.detail]
        stream = self.parsed(self._table[entry.place].place).value
        return self.decode(stream, limit=MAX_PACK_BYTES), held.place, held.end

    def parsed(self, place: int) -> Parsed:
        """The object at a place of the file, up to where this revision ends."""
        known = self._parsed.get(place) or self._own.get(place)
        if known is not None and known.end <= self.size:
            return known
        found = parse_object(self.source, place, self.size, self.budget, number_of=self.resolve)
        # Where a stream ends may lie in another object, which may be another one in another revision.
        (self._parsed if found.length is None else self._own)[place] = found
        return found

    def decode(self, stream: Stream, *, limit: int) -> bytes:
        """The content of a stream, at most `limit` bytes of it."""
        names, parameters = filters_of(
            {key: self.resolve(stream.entries.get(key)) or [] for key in ("Filter", "DecodeParms")}
        )
        names = [self.resolve(item) for item in names]
        parameters = [self.resolve(item) for item in parameters]
        return decode(self.source[stream.start : stream.end], names, parameters, limit=limit)

    def raw(self, stream: Stream) -> bytes:
        """The encoded content of a stream."""
        return self.source[stream.start : stream.end]

    def packed(self, pack: int) -> list[Packed]:
        """The objects of an object stream."""
        entry = self._table.get(pack)
        if entry is None or entry.kind != IN_USE:
            raise MalformedInput("pdf", "an object stream that is not there")
        found = self.parsed(entry.place)
        stream = found.value
        if found.ref != Ref(pack, entry.detail) or not isinstance(stream, Stream):
            raise MalformedInput("pdf", "an object stream that is none")
        return self.unpacked(stream)

    def unpacked(self, stream: Stream) -> list[Packed]:
        """The objects in an object stream, as `packed`."""
        key = stream.start, stream.end
        if key not in self._packs:
            self._packs[key] = list(self._unpack(stream))
        return self._packs[key]

    def _load(self, ref: Ref) -> Value:
        entry = self._table.get(ref.number)
        if entry is None or entry.kind not in {IN_USE, PACKED}:
            return None
        if entry.kind == PACKED:
            if ref.generation:
                return None
            held = self.packed(entry.place)
            if entry.detail >= len(held) or held[entry.detail].number != ref.number:
                raise MalformedInput("pdf", f"object {ref.number} is not where it should be")
            return held[entry.detail].value
        if entry.detail != ref.generation:
            return None
        found = self.parsed(entry.place)
        if found.ref != ref:
            raise MalformedInput("pdf", f"object {ref.number} is not where it should be")
        return found.value

    def _unpack(self, stream: Stream) -> Iterator[Packed]:
        # What is read here is remembered for all revisions: nothing of it may hang on an object that changes.
        if any(key in _OF_A_PACK and _points(value) for key, value in stream.entries.items()):
            raise MalformedInput("pdf", "an object stream that hangs on other objects")
        first, count = stream.entries.get("First"), stream.entries.get("N")
        data = self.decode(stream, limit=MAX_PACK_BYTES)
        if type(first) is not int or type(count) is not int or not 0 <= first <= len(data) or count < 0:
            raise MalformedInput("pdf", "an object stream without its index")
        heads = data[:first].split(None, 2 * count)[: 2 * count]
        if len(heads) != 2 * count or not all(item.isdigit() and len(item) <= 10 for item in heads):
            raise MalformedInput("pdf", "an object stream with less than it says")
        for number, place in zip(heads[::2], heads[1::2], strict=True):
            begin = first + int(place)
            value, end, twice = read_value(data, begin, len(data), self.budget)
            yield Packed(int(number), value, twice, begin, end)

    def _rebuilt(self) -> list[Section]:
        """One section made of all objects in the file, the last of each number, and the last trailer."""
        entries: dict[int, Entry] = {}
        packs: list[int] = []
        trailer: dict[str, Value] = {}
        for head in _ANY_HEAD.finditer(self.source):
            self.budget.spend(8)
            entries[int(head[1])] = Entry(IN_USE, head.start(), int(head[2]))
        self.sections = [Section(0, entries, {})]
        self._settle()
        for number, entry in list(entries.items()):
            value = self._tried(entry.place)
            kind = value.entries.get("Type") if isinstance(value, Stream) else None
            if kind == "XRef" and "Root" in value.entries:
                trailer = value.entries
            elif kind == "ObjStm":
                packs.append(number)
        for pack in packs:
            for index, held in enumerate(self.packed(pack)):
                entries.setdefault(held.number, Entry(PACKED, pack, index))
        for found in _ANY_TRAILER.finditer(self.source):
            value, _, _ = read_value(self.source, found.end(), self.size, self.budget)
            trailer = value if isinstance(value, dict) and "Root" in value else trailer
        if not trailer:
            raise MalformedInput("pdf", "no trailer")
        return [Section(0, entries, {key: trailer[key] for key in trailer if key != "Prev"})]

    def _tried(self, place: int) -> Value:
        try:
            return self.parsed(place).value
        except TooLarge:
            raise
        except MalformedInput:
            return None


def _points(value: Value) -> bool:
    """Whether a value is a reference, or holds one."""
    parts = list(value.values()) if type(value) is dict else value if type(value) is list else ()
    return type(value) is Ref or any(map(_points, parts))

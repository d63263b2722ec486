"""Which objects differ between two states of a file, and from where they can be reached."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from signing.pdf.parsing import IN_USE, PACKED, Ref, Stream
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.pdf.parsing import Document, Section, Value

# Entries that lead upwards, where they lead to a page or field: nobody follows them to what a thing shows.
UPWARDS = frozenset({"Parent", "P", "Pg"})


class Graph:
    """All objects of a file, in every version, and who refers to whom."""

    def __init__(self, document: Document, boundaries: list[int], roles: frozenset[int]) -> None:
        """Read every object once. `boundaries` are where revisions end, rising, the file's own end the last.

        `roles` are pages and fields: a way upwards to one of them is no way.
        """
        self._document, self._roles = document, roles
        self._referrers: defaultdict[int, set[int]] = defaultdict(set)
        self._packs: defaultdict[int, set[int]] = defaultdict(set)
        self._unread: set[int] = set()
        self._straddling: defaultdict[int, set[int]] = defaultdict(set)
        for section, boundary in zip(
            reversed(document.sections), _boundaries_of(document, boundaries), strict=True
        ):
            self._take(section, boundary)

    def changed(self, old: Document, new: Document) -> set[int]:
        """The numbers whose object is not the same one in both states, by where it stands in the file.

        Objects that did not stand wholly within the old state are among them, and those that cannot be read.
        """
        sections = new.sections[: len(new.sections) - len(old.sections)]
        candidates = {number for section in sections for number in section.entries}
        for number in list(candidates):
            candidates |= self._packs.get(number, set())
        differing = {number for number in candidates if old.identity(number) != new.identity(number)}
        for pack in self._unread:
            differing |= self._packs.get(pack, set())
        return differing | self._straddling.get(old.size, set())

    def reaching(self, numbers: set[int]) -> set[int]:
        """These objects and all from which one of them can be reached, upward entries not followed."""
        found, waiting = set(numbers), list(numbers)
        while waiting:
            for number in self._referrers.get(waiting.pop(), ()):
                if number not in found:
                    found.add(number)
                    waiting.append(number)
        return found

    def _take(self, section: Section, boundary: int) -> None:
        document = self._document
        for number, entry in section.entries.items():
            if entry.kind == PACKED:
                self._packs[entry.place].add(number)
            if entry.kind != IN_USE:
                continue
            try:
                parsed = document.parsed(entry.place)
            except TooLarge:
                raise
            except MalformedInput:
                if entry.place >= boundary:
                    self._straddling[boundary].add(number)
                continue
            if parsed.end > boundary:
                self._straddling[boundary].add(number)
            self._link(number, parsed.value)
            if isinstance(parsed.value, Stream) and parsed.value.entries.get("Type") == "ObjStm":
                self._link_packed(number, parsed.value)

    def _link_packed(self, pack: int, stream: Stream) -> None:
        try:
            held = self._document.unpacked(stream)
        except TooLarge:
            raise
        except MalformedInput:
            self._unread.add(pack)
            return
        for one in held:
            self._link(one.number, one.value)

    def _link(self, number: int, value: Value) -> None:
        for target in references(value, self._roles):
            self._referrers[target].add(number)


def references(value: Value, roles: frozenset[int]) -> Iterator[int]:
    """The numbers that a value refers to; those in `roles` are left out where the way leads upwards."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is Ref:
            yield item.number
        elif kind is list:
            waiting += item
        elif kind is Stream:
            waiting.append(item.entries)
        elif kind is dict:
            for key, entry in item.items():
                if key in UPWARDS and type(entry) is Ref:
                    if entry.number not in roles:
                        yield entry.number
                else:
                    waiting.append(entry)


def pointers(value: Value) -> Iterator[Ref]:
    """All references in a value."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is Ref:
            yield item
        elif type(item) is list:
            waiting += item
        elif type(item) is Stream:
            waiting.append(item.entries)
        elif type(item) is dict:
            waiting += item.values()


def _boundaries_of(document: Document, boundaries: list[int]) -> Iterable[int]:
    """For each section, from the oldest on, where the revision ends that it belongs to."""
    counts = []
    for boundary in boundaries:
        sections = document.sections if boundary == document.size else document.sections_of(boundary)
        counts.append(len(sections))
    for index in range(len(document.sections)):
        yield next(boundary for boundary, count in zip(boundaries, counts, strict=True) if index < count)

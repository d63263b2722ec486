"""Every byte of an update is accounted for: its objects, its table, and the marks of its end.

What stands there besides is nothing to a strict reader, but another one may find it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signing.held import STEP_BYTES, HeldFile
from signing.pdf.parsing import IN_USE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

    from signing.pdf.parsing import Document, Section

# Between objects: white space and comments; behind a table also where it starts.
_BETWEEN = re.compile(rb"(?:[\0\t\n\x0c\r ]++|%(?!PDF-)[^\r\n]*+)*+")
_ENDING = re.compile(
    rb"(?:[\0\t\n\x0c\r ]++|%(?!PDF-|%EOF)[^\r\n]*+)*+"
    rb"startxref[\0\t\n\x0c\r ]++([0-9]{1,10})[\0\t\n\x0c\r ]++%%EOF"
)


# What programs look for that repair a file: they find it within streams, strings and comments as well.
_LONGEST = 1200
_REPAIRED = re.compile(rb"obj|trailer(?:[\0\t\n\x0c\r ]{1,20}+|%[^\r\n]{0,99}+){0,9}<<")
_NUMBERS_BYTES = 56
_NUMBERS = re.compile(rb"(?<![0-9])[0-9]{1,10}[\0\t\n\x0c\r ]{1,20}+[0-9]{1,5}[\0\t\n\x0c\r ]{1,20}+\Z")


def end_of(document: Document, section: Section) -> int | None:
    """Where the revision ends whose section it is; None where the marks of an end are not behind it."""
    last = max((end for _, end in section.extents), default=section.place)
    found = _ENDING.match(document.source, last)
    return found.end() if found and int(found[1]) == section.place else None


def tiling_fault(document: Document, sections: list[Section], start: int, end: int) -> str | None:
    """What in `[start, end)` belongs to none of these sections, in plain words; None when all does."""
    ends = {place for section in sections for _, place in section.extents}
    starts = {section.place for section in sections}
    place = start
    for first, last in sorted(set(_pieces(document, sections, start, end))):
        if first < place:
            return f"two things lie over each other at byte {first}"
        if not _is_nothing(document, place, first, starts if place in ends else None):
            return f"bytes from {place} on belong to nothing"
        place = last
    if not _is_nothing(document, place, end, starts if place in ends else None):
        return f"bytes from {place} on belong to nothing"
    return _hidden(document, sections, start, end)


def _hidden(document: Document, sections: list[Section], start: int, end: int) -> str | None:
    """An object or a trailer within something else, which only a program finds that repairs the file.

    Whether one does hangs on the file: on a reference to nothing, for some.
    """
    source = document.source
    known = {first for first, _ in _pieces(document, sections, start, end)}
    known |= {source.find(b"trailer", first, last) for section in sections for first, last in section.extents}
    for place in range(start, end, STEP_BYTES):
        stop = min(place + STEP_BYTES, end)
        for found in _REPAIRED.finditer(source, place, min(stop + _LONGEST, end)):
            at = _beginning(source, found, start)
            if at is not None and at not in known:
                return f"something like an object at byte {at}"
        if isinstance(source, HeldFile):
            source.let_go()
    return None


def _beginning(source: bytes | mmap, found: re.Match[bytes], start: int) -> int | None:
    """Where an object's numbers stand before its word, or a trailer's word; None where there are no numbers.

    The word is looked for first: a signature is made of digits, and each could begin a number.
    """
    place = found.start()
    if found.end() - place > len(b"obj"):
        return place
    numbers = _NUMBERS.search(source, max(start, place - _NUMBERS_BYTES), place)
    return numbers.start() if numbers else None


def _pieces(document: Document, sections: list[Section], start: int, end: int) -> Iterator[tuple[int, int]]:
    for section in sections:
        yield from section.extents
        for entry in section.entries.values():
            if entry.kind == IN_USE and start <= entry.place < end:
                found = document.parsed(entry.place)
                yield found.start, found.end


def _is_nothing(document: Document, start: int, end: int, starts: set[int] | None) -> bool:
    source = document.source
    if starts is not None and (found := _ENDING.match(source, start, end)):
        if int(found[1]) not in starts:
            return False
        start = found.end()
    between = _BETWEEN.match(source, start, end)
    return between is not None and between.end() == end

"""What an update may not do because readers would not agree: some repair the file, some begin elsewhere.

A reader that repairs a file takes the last object of each number that it finds, whatever the tables say. So
nothing in an update may be written such that some cannot read it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signing.pdf.parsing import IN_USE, PACKED
from signing.pdf.parsing.lexer import skip_spaces
from signing.pdf.parsing.xref import NAMED_TWICE
from signing.pdf.revisions.graph import pointers
from signing.pdf.revisions.spelling import spelled, unlike
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from signing.pdf.parsing import Document, Section

_ENDING = re.compile(
    rb"(?:[\t\n\r ]++|%[^\r\n]*+)*+startxref[ ]?(?:\r\n|\n|\r)(?:0|[1-9][0-9]*+)[ ]?(?:\r\n|\n|\r)[ ]?%%EOF"
)
_LINEARIZED = re.compile(rb"/[^\0\t\n\x0c\r ()<>\[\]{}/%]{0,40}(?:inearized|#)")
_HEAD = re.compile(rb"(?<![0-9])[0-9]{1,10}[\0\t\n\x0c\r ]++[0-9]{1,5}[\0\t\n\x0c\r ]++obj")
_FOR_OTHERS = frozenset({"AdditionalStreams"})  # readers of PDF do not follow it
FRONT_BYTES = 1024  # in which the first object stands of a file that is linearized
HEADER_BYTES = 9  # one reader begins behind so many, the others with the first line that is no comment


def tables_fault(old: Document, new: Document, sections: list[Section]) -> str | None:
    """What in the tables of an update some readers cannot read, or would not look at; None when nothing."""
    fault = next(filter(None, (_section_fault(old, new, section) for section in sections)), None)
    if fault:
        return fault
    kinds = {(section.own is None, section.is_hybrid) for section in (*sections, old.sections[0])}
    if len(kinds) > 1 and _holds_hidden(old):
        return "a table of another kind behind objects that are in no table"
    if sections and (begins_elsewhere(old) or begins_elsewhere(new)):
        return "a file that readers begin to read at its front, or at its end"
    return None


def _section_fault(old: Document, new: Document, section: Section) -> str | None:
    if section.looseness:
        return section.looseness
    if _is_spelled_oddly(new, section):
        return "a table that is written in an unusual way"
    if _takes_anothers_number(new, section):
        return "a table that has the number of another object"
    if _leads_nowhere(old, new, section):
        return "a trailer that refers to what is not there"
    return None


def whole_fault(document: Document) -> str | None:
    """Why readers see different files in one, also where nothing came behind a signature; else None."""
    if document.is_rebuilt:
        return None
    if begins_elsewhere(document):
        return "a file that readers begin to read at its front, or at its end"
    if any(section.own is not None and section.oddity == NAMED_TWICE for section in document.sections):
        return NAMED_TWICE
    return None


def objects_fault(old: Document, new: Document, changed: set[int]) -> str | None:
    """What in the objects of an update not all readers read alike; None where they do."""
    packs = set()
    for number in sorted(changed):
        entry = new.entry(number)
        if entry is not None and entry.kind == PACKED and entry.place not in packs:
            packs.add(entry.place)
            if oddity := new.pack_oddity(entry.place):
                return f"object {entry.place}: {oddity}"
        if fault := unlike(old, new, number):
            return f"object {number}: {fault}"
    return None


def own_numbers(sections: list[Section]) -> frozenset[int]:
    """The numbers of tables that are objects: one reader takes them for these, whatever the table says."""
    return frozenset(section.own.number for section in sections if section.own is not None)


def _is_spelled_oddly(document: Document, section: Section) -> bool:
    """Whether the table's dictionary, or the marks of the end behind it, are not written as usual."""
    source, (start, end) = document.source, section.extents[0]
    if section.own is None:
        start = source.find(b"trailer", start, end)
    else:
        end = document.parsed(start).value.start
    return spelled(document, start, end) is not None or not _ENDING.match(source, section.extents[0][1])


def _holds_hidden(document: Document) -> bool:
    """Whether there is something like an object that no table of the file knows."""
    places = {section.extents[0][0] for section in document.sections}
    for section in document.sections:
        for entry in section.entries.values():
            if entry.kind == IN_USE and entry.place < document.size:
                places.add(document.parsed(entry.place).start)
    heads = _HEAD.finditer(document.source, 0, document.size)
    return any(head.start() not in places for head in heads)


def _leads_nowhere(old: Document, new: Document, section: Section) -> bool:
    """Whether a trailer refers to nothing where the one before did not: some readers repair the file then."""
    before = old.trailer
    return any(
        not new.is_there(ref)
        for key, value in section.trailer.items()
        if key not in _FOR_OTHERS and value != before.get(key)
        for ref in pointers(value)
    )


def _takes_anothers_number(document: Document, section: Section) -> bool:
    if section.own is None or document.identity(section.own.number) is None:
        return False
    return document.place_of(section.own) != section.extents[0][0]


def begins_elsewhere(document: Document) -> bool:
    """Whether the file is linearized by its own words, as long as they say, and has its table elsewhere.

    Annex F of ISO 32000-2: readers go by the table behind the first object then, not by the one at the end.
    """
    for place in {0, HEADER_BYTES}:
        begin = skip_spaces(document.source, place, document.size)
        try:
            first = document.parsed(begin)
        except TooLarge:
            raise
        except MalformedInput:
            # Others may read it.
            if _LINEARIZED.search(document.source, begin, min(begin + FRONT_BYTES, document.size)):
                return True
            continue
        if type(first.value) is not dict or "Linearized" not in first.value:
            continue
        stated = document.resolve(first.value.get("L"))
        behind = skip_spaces(document.source, first.end, document.size)
        if first.oddity or (stated == document.size and document.sections[0].place != behind):
            return True
    return False

"""Indirect objects where they stand in the file (ISO 32000-2, 7.3.10), and streams behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.held import HeldFile
from signing.pdf.parsing.lexer import SPACE, Budget, read_value, skip_spaces
from signing.pdf.parsing.values import Ref, Stream
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.pdf.parsing.values import Source, Value

HEAD = re.compile(rb"[" + SPACE + rb"]*+([0-9]{1,10})[" + SPACE + rb"]++([0-9]{1,5})[" + SPACE + rb"]++obj")
_STREAM = re.compile(rb"[" + SPACE + rb"]*+stream(\r\n|\n|\r)")
_END_STREAM = re.compile(rb"[" + SPACE + rb"]*+endstream")
_END = re.compile(rb"[" + SPACE + rb"]*+endobj")


@dataclass(frozen=True, slots=True)
class Parsed:
    """An object as it stands at a place: who it says it is, its value, where it begins and ends.

    `oddity` says what other readers might understand otherwise; empty for a clean object. `length` is the
    reference that its stream's length stands in, if it does.
    """

    ref: Ref
    value: Value
    start: int
    end: int
    oddity: str = ""
    length: Ref | None = None


def parse_object(
    source: Source, place: int, end: int, budget: Budget, *, number_of: Callable[[Ref], Value]
) -> Parsed:
    """The object at a place; `number_of` resolves a stream's length. `MalformedInput` if there is none."""
    head = HEAD.match(source, place, end)
    if head is None:
        raise MalformedInput("pdf", f"no object at byte {place}")
    value, after, twice = read_value(source, head.end(), end, budget)
    oddity, length = "a dictionary that names something twice" if twice else "", None
    opened = _STREAM.match(source, after, end) if isinstance(value, dict) else None
    if opened is not None:
        given = value.get("Length")
        length = given if isinstance(given, Ref) else None
        size = number_of(length) if length else given
        value, after, fault = _stream(source, end, value, opened, size)
        oddity = oddity or fault
    closed = _END.match(source, after, end)
    if closed is None:
        after = skip_spaces(source, after, end)
        closed = _END.match(source, after, end)
        oddity = oddity or "an object that does not end" * (closed is None)
    final = closed.end() if closed else after
    return Parsed(Ref(int(head[1]), int(head[2])), value, head.start(1), final, oddity, length)


def _stream(
    source: Source, end: int, entries: dict[str, Value], opened: re.Match[bytes], size: Value
) -> tuple[Stream, int, str]:
    start, oddity = opened.end(), ""
    if opened[1] == b"\r":
        oddity = "a stream that begins with a carriage return alone"
    if type(size) is int and 0 <= size <= end - start:
        closed = _END_STREAM.match(source, start + size, end)
        if isinstance(source, HeldFile):
            source.let_go()  # each look behind a long stream brings megabytes of the file into memory
        if closed is not None:
            return Stream(entries, start, start + size), closed.end(), oddity
    place = source.find(b"endstream", start, end)
    if place < 0:
        raise MalformedInput("pdf", "a stream without end")
    return Stream(entries, start, place), place + 9, "a stream of another length than it says"

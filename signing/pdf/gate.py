"""The byte-level gate: what a PDF signature leaves out, looked at on the raw bytes.

It stands before any library's verdict. A signature may leave out of the file exactly one thing: the hex
string of its own /Contents. Everything here is read from the file as it lies there; the only facts taken
from a parser are which object is a signature, and what it says its byte range and contents are.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CONTENTS_BYTES = 1 << 20
MAX_DICTIONARY_BYTES = 1 << 18  # of a signature dictionary, on either side of its contents
MAX_TAIL_BYTES = 1024  # behind the end mark of a revision
_END = b"%%EOF"
_WHITESPACE = b"\0\t\n\x0c\r "
_SPACE = rb"(?:[\0\t\n\x0c\r ]|%[^\r\n]*+)*+"
_OPENING = re.compile(rb"\d{1,10}+%b\d{1,5}+%bobj%b<<" % (_SPACE, _SPACE, _SPACE))
_CLOSING = re.compile(_SPACE + rb"endobj")
# ISO 32000-2, 7.2 and 7.3: names, other regular characters, hex strings, brackets, and where a string begins.
_REGULAR = rb"[^\0-\x20()<>\[\]{}/%]"
_TOKEN = re.compile(
    rb"%b(/%b*+|%b++|<<|>>|<[0-9A-Fa-f\0\t\n\x0c\r ]*+>|[\[\](])" % (_SPACE, _REGULAR, _REGULAR)
)
_STRING_PART = re.compile(rb"\\[\0-\xff]|[()]")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_CLOSERS = {b"<<": b">>", b"[": b"]"}


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap that passed the gate: the signed ranges are `[0, start)` and `[end, covered)`."""

    start: int
    end: int
    covered: int
    whole_file: bool

    def signed(self, pdf: bytes) -> tuple[memoryview, memoryview]:
        """The two signed ranges."""
        view = memoryview(pdf)
        return view[: self.start], view[self.end : self.covered]


def examine(pdf: bytes, *, byte_range: object, contents: bytes, offset: int | None) -> Gap | str:
    """The gap of one signature, or in plain words why the gate stays shut.

    `byte_range` and `contents` are what a parser read in the signature dictionary, `offset` where in the
    file its object starts (None when it lies in an object stream).
    """
    numbers = _numbers(byte_range)
    if numbers is None:
        return "the byte range is not four numbers"
    first, start, end, length = numbers
    if first != 0 or not 0 < start < end or length < 0 or end + length > len(pdf):
        return "the byte range does not fit the file"
    covered = end + length
    fault = _gap_fault(pdf, start, end, contents) or _place_fault(pdf, start, end, offset)
    if fault is None and not pdf[max(end, covered - MAX_TAIL_BYTES) : covered].rstrip(_WHITESPACE).endswith(
        _END
    ):
        fault = "the signed part does not end where a revision ends"
    return fault or Gap(start, end, covered, covered == len(pdf))


def overlap(gaps: list[Gap]) -> bool:
    """Whether the gaps of different signatures touch each other: none of them can be meant so."""
    ordered = sorted(gaps, key=lambda gap: gap.start)
    return any(later.start < earlier.end for earlier, later in pairwise(ordered))


def _numbers(byte_range: object) -> tuple[int, int, int, int] | None:
    if not isinstance(byte_range, (list, tuple)) or len(byte_range) != 4:
        return None
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in byte_range):
        return None
    first, start, end, length = (int(item) for item in byte_range)
    return first, start, end, length


def _gap_fault(pdf: bytes, start: int, end: int, contents: bytes) -> str | None:
    if not 4 <= end - start <= 2 * MAX_CONTENTS_BYTES + 2:
        return "the byte range leaves out too little or too much"
    if pdf[start] != 0x3C or pdf[end - 1] != 0x3E:
        return "the byte range leaves out more or less than one hex string"
    if not _is_hex_of(pdf[start + 1 : end - 1], contents):
        return "what the byte range leaves out is not the signature's own contents"
    return None


def _is_hex_of(text: bytes, contents: bytes) -> bool:
    try:
        return binascii.unhexlify(text) == contents
    except (binascii.Error, ValueError):
        return False


def _place_fault(pdf: bytes, start: int, end: int, offset: int | None) -> str | None:
    """The gap must be the value of the one /Contents of the signature's own object."""
    if offset is None or not 0 <= offset < start:
        return "the signature dictionary is not signed itself"
    opened = _OPENING.match(pdf, offset, start)
    head = pdf[offset:start]
    if opened is None or not head.rstrip(_WHITESPACE).endswith(b"/Contents"):
        return "the gap is not the contents of the signature dictionary"
    if len(head) > MAX_DICTIONARY_BYTES:
        return "the signature dictionary is too long"
    # The dictionary with an empty string in the gap: what is read below is what the signature covers.
    return _contents_fault(
        head + b"<>" + pdf[end : end + MAX_DICTIONARY_BYTES], opened.end() - offset, len(head)
    )


def _contents_fault(data: bytes, begin: int, gap: int) -> str | None:
    """Look through a dictionary whose entries begin at `begin` for its own keys, up to its object's end."""
    is_place, keys, last, closers = False, 0, b"", [b">>"]
    for place, text in _tokens(data, begin):
        is_own = len(closers) == 1
        if place == gap:
            is_place = is_own and last == b"/Contents"
        if is_own and text.startswith(b"/") and _meant(text) == b"/Contents":
            keys += 1
        if text in _CLOSERS:
            closers.append(_CLOSERS[text])
        elif text in {b">>", b"]"} and closers.pop() != text:
            return "the signature dictionary cannot be read"
        if not closers:
            if not is_place:
                return "the gap is not the contents of the signature dictionary"
            if keys != 1:
                return "the signature dictionary names its contents twice"
            return (
                None
                if _CLOSING.match(data, place + 2)
                else "the signature dictionary is not an object of its own"
            )
        last = text
    return "the signature dictionary cannot be read"


def _tokens(data: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """The tokens from a place on and where they stand, strings as `()`; it stops at what is none."""
    while found := _TOKEN.match(data, place):
        place, text = found.end(), found[1]
        if text == b"(":
            place, text = _string_end(data, place), b"()"
        yield found.start(1), text


def _string_end(data: bytes, place: int) -> int:
    """Where a string ends whose opening parenthesis is behind us; the end of the data if it does not."""
    depth = 1
    for part in _STRING_PART.finditer(data, place):
        depth += {b"(": 1, b")": -1}.get(part[0], 0)
        if not depth:
            return part.end()
    return len(data)


def _meant(name: bytes) -> bytes:
    """A name as it is meant: `#` and two digits stand for an octet (ISO 32000-2, 7.3.5)."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name)

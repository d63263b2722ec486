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

MAX_CONTENTS_BYTES = 1 << 20
_END = b"%%EOF"
_WHITESPACE = b"\0\t\n\x0c\r "
_CONTENTS_KEY = re.compile(rb"/Contents(?![A-Za-z0-9_.#+-])")


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
    if fault is None and not pdf[end:covered].rstrip(_WHITESPACE).endswith(_END):
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
    head = pdf[offset:start]
    tail_end = pdf.find(b"endobj", end)
    tail = pdf[end : tail_end if tail_end >= 0 else end]
    if b"endobj" in head or not head.rstrip(_WHITESPACE).endswith(b"/Contents"):
        return "the gap is not the contents of the signature dictionary"
    if tail_end < 0 or len(_CONTENTS_KEY.findall(head)) + len(_CONTENTS_KEY.findall(tail)) != 1:
        return "the signature dictionary names its contents twice"
    return None

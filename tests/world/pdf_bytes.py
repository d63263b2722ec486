"""Where a signature stands in the bytes of a PDF, read and written anew as an attacker does."""

from __future__ import annotations

import re


def byte_range(pdf: bytes) -> tuple[int, int, int, int]:
    found = re.findall(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)\s*\]", pdf)[-1]
    first, start, end, length = (int(number) for number in found)
    return first, start, end, length


def with_byte_range(pdf: bytes, *numbers: int) -> bytes:
    match = list(re.finditer(rb"/ByteRange\s*\[[^\]]*\] *", pdf))[-1]
    text = b"/ByteRange [%d %d %d %d]" % numbers
    return pdf[: match.start()] + text.ljust(match.end() - match.start()) + pdf[match.end() :]


def contents_of(pdf: bytes) -> bytes:
    _, start, end, _ = byte_range(pdf)
    return bytes.fromhex(pdf[start + 1 : end - 1].decode())


def with_contents(pdf: bytes, contents: bytes) -> bytes:
    _, start, end, _ = byte_range(pdf)
    return pdf[: start + 1] + contents.ljust((end - start - 2) // 2, b"\0").hex().encode() + pdf[end - 1 :]

"""CBOR in forms that RFC 8949 allows and nobody needs: indefinite lengths, numbers with zeros ahead."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from signing.cbor import Tag, encode

if TYPE_CHECKING:
    from collections.abc import Callable


class Writer:
    """Writes a value in a form that is well-formed, and chosen: lengths, widths, pieces, order of names.

    `number(most)` chooses from 0 to `most`; 0 is the longest road each time but for widths.
    """

    def __init__(self, number: Callable[[int], int]) -> None:
        self.number = number

    def head(self, major: int, argument: int) -> bytes:
        widths = [
            w
            for w, most in ((0, 24), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64))
            if argument < most
        ]
        width = widths[self.number(len(widths) - 1)]
        if not width:
            return bytes([major << 5 | argument])
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")

    def string(self, major: int, pieces: list[bytes]) -> bytes:
        if self.number(1):
            raw = b"".join(pieces)
            return self.head(major, len(raw)) + raw
        body = b"".join(self.head(major, len(one)) + one for one in pieces)
        return bytes([major << 5 | 31]) + body + b"\xff"

    def write(self, value: Any) -> bytes:  # noqa: PLR0911 - one for each kind
        if value is None or isinstance(value, bool):
            return encode(value)
        if isinstance(value, int):
            return self.head(0, value) if value >= 0 else self.head(1, ~value)
        if isinstance(value, float):
            return encode(value) if self.number(1) else b"\xfb" + struct.pack(">d", value)
        if isinstance(value, bytes):
            cut = self.number(len(value))
            return self.string(2, [value[:cut], value[cut:]])
        if isinstance(value, str):
            return self.string(3, [one.encode() for one in value])
        if isinstance(value, Tag):
            return self.head(6, value.number) + self.write(value.value)
        if isinstance(value, dict):
            rows = [self.write(key) + self.write(one) for key, one in value.items()]
            return self.several(5, rows[::-1] if self.number(1) else rows)
        return self.several(4, [self.write(one) for one in value])

    def several(self, major: int, rows: list[bytes]) -> bytes:
        if self.number(1):
            return self.head(major, len(rows)) + b"".join(rows)
        return bytes([major << 5 | 31]) + b"".join(rows) + b"\xff"

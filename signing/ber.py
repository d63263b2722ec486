"""Read BER where standards let it in: a structure with indefinite lengths, written anew as DER.

CMS in a PDF ought to be DER (EN 319 142-1, 4.1), yet one file in ten of other makers holds BER, lengths
left open and octet strings in pieces (X.690, 8.1.3.6 and 8.7). What is signed of such a structure is its DER
form (RFC 5652, 5.4), so nothing is weaker for it. The strict readers go on with what comes out here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing import der
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH, MAX_ELEMENTS = 32, 20_000
_END = b"\0\0"
_CONSTRUCTED, _PIECES = 0x20, 0x24


def to_der(data: bytes) -> tuple[bytes, int]:
    """The first element of `data` as DER, and the offset behind it.

    Lengths become definite and minimal, octet strings in pieces one piece; the order of sets stays. Raises
    `MalformedInput`, and `TooLarge` for what is nested too deep or has too many elements.
    """
    try:
        return _Walk(data).element(0, len(data), 0)
    except IndexError as exc:
        raise MalformedInput("ber", "ends too early") from exc


class _Walk:
    """One walk over a structure; every element counts against the bound."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_ELEMENTS

    def element(self, place: int, limit: int, depth: int) -> tuple[bytes, int]:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise TooLarge("ber", f"over {MAX_ELEMENTS} elements, or {MAX_DEPTH} in each other")
        tag, start, end = self._frame(place, limit)
        if not tag & _CONSTRUCTED:
            if end is None:
                raise MalformedInput("ber", "a primitive element without a length")
            return der.tlv(tag, self._data[start:end]), end
        parts, behind = self._parts(start, limit if end is None else end, depth, is_open=end is None)
        return _joined(tag, parts), behind

    def _parts(self, place: int, limit: int, depth: int, *, is_open: bool) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        while is_open or place < limit:
            if is_open and self._data[place : min(place + 2, limit)] == _END:
                return parts, place + 2
            part, place = self.element(place, limit, depth + 1)
            parts.append(part)
        return parts, place

    def _frame(self, place: int, limit: int) -> tuple[int, int, int | None]:
        """The tag, where the content starts and where it ends; no end for an indefinite length."""
        tag, size = self._data[place], self._data[place + 1]
        start = place + 2
        if tag & 0x1F == 0x1F or tag == 0:
            raise MalformedInput("ber", "a tag that is not used here")
        if size == 0x80:
            return tag, start, None
        if size & 0x80:
            count = size & 0x7F
            size, start = int.from_bytes(self._data[start : start + count], "big"), start + count
        if start + size > limit:
            raise MalformedInput("ber", "ends too early")
        return tag, start, start + size


def _joined(tag: int, parts: Iterable[bytes]) -> bytes:
    if tag != _PIECES:
        return der.tlv(tag, *parts)
    return der.octet_string(b"".join(der.read_exactly(part, der.OCTET_STRING).content for part in parts))

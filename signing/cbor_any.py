"""CBOR in any well-formed encoding (RFC 8949, 3 and 5.1), for what others sign where no rule fixes the form.

`signing.cbor` reads what ISO/IEC 18013-5, 8.1 and our own codes prescribe: definite lengths, shortest
forms. A CWT is under no such rule (RFC 8392; RFC 9052, 9), so lengths may be indefinite and numbers longer
than they need be here. What the bytes mean is as strict as there: nothing twice, nothing after the end, the
same limits and the same values, so that a claim has one meaning whichever way it was written.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from signing.cbor import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, Tag, read_whole
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)  # RFC 8949, 3.1
_SIMPLE = {20: False, 21: True, 22: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_INDEFINITE, _BREAK = 31, 0xFF


def decode_any(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> Any:
    """The one value that these bytes are; `MalformedInput` for anything else, `TooLarge` over a limit.

    Values are those of `signing.cbor.decode`; any tag may stand anywhere and comes out as a `Tag`.
    """
    if not isinstance(data, bytes):
        raise MalformedInput("cbor", "no bytes")
    if len(data) > max_bytes:
        raise TooLarge("cbor", f"over {max_bytes} bytes")
    reader = _Reader(data, max_items)
    return read_whole(reader, max_depth)


class _Reader:
    """One pass over the bytes; an IndexError says that they end inside an item."""

    __slots__ = ("data", "items", "place")

    def __init__(self, data: bytes, items: int) -> None:
        self.data, self.items, self.place = data, items, 0

    def item(self, depth: int) -> Any:
        """The item that begins here; `depth` is how much deeper it may nest."""
        if depth < 0:
            raise TooLarge("cbor", "nested too deeply")
        self.items -= 1
        if self.items < 0:
            raise TooLarge("cbor", "too many items")
        first = self.data[self.place]
        self.place += 1
        major, kind = first >> 5, first & 31
        if major == _OTHER:
            return self._simple(kind)
        if kind == _INDEFINITE:
            return self._indefinite(major, depth)
        count = self._argument(kind)
        if major in {_UNSIGNED, _NEGATIVE}:
            return count if major == _UNSIGNED else ~count
        if major in {_BYTES, _TEXT}:
            return self._string(major, count)
        if major == _TAG:
            return Tag(count, self.item(depth - 1))
        return self._collected(major, depth, range(count))

    def _argument(self, kind: int) -> int:
        if kind < 24:
            return kind
        if kind > 27:
            raise MalformedInput("cbor", "a reserved length, or an indefinite one where there is none")
        return int.from_bytes(self._take(1 << kind - 24), "big")

    def _take(self, size: int) -> bytes:
        start = self.place
        self.place = end = start + size
        if end > len(self.data):
            raise MalformedInput("cbor", "cut off")
        return self.data[start:end]

    def _string(self, major: int, size: int) -> bytes | str:
        raw = self._take(size)
        return raw.decode() if major == _TEXT else raw

    def _indefinite(self, major: int, depth: int) -> Any:
        """Up to the break: pieces of a string, or the items of an array or a map (3.2.2 and 3.2.3)."""
        if major in {_BYTES, _TEXT}:
            pieces = [self._piece(major) for _ in self._until_break()]
            return b"".join(pieces) if major == _BYTES else b"".join(pieces).decode()
        if major in {_ARRAY, _MAP}:
            return self._collected(major, depth, self._until_break())
        raise MalformedInput("cbor", "an indefinite length where there is none")

    def _until_break(self) -> Iterator[None]:
        while self.data[self.place] != _BREAK:
            yield None
        self.place += 1

    def _piece(self, major: int) -> bytes:
        """3.2.3: a piece is of the string's own kind and has a length; a text's has whole characters."""
        first = self.data[self.place]
        self.place += 1
        if first >> 5 != major or first & 31 == _INDEFINITE:
            raise MalformedInput("cbor", "a piece of a string is of another kind")
        raw = self._take(self._argument(first & 31))
        if major == _TEXT:
            raw.decode()
        return raw

    def _collected(self, major: int, depth: int, turns: Any) -> list[Any] | dict[int | str, Any]:
        if major == _ARRAY:
            return [self.item(depth - 1) for _ in turns]
        answer: dict[int | str, Any] = {}
        for _ in turns:
            key = self.item(depth - 1)
            if type(key) is not int and type(key) is not str:
                raise MalformedInput("cbor", "a key is neither a whole number nor a text")
            if key in answer:
                raise MalformedInput("cbor", "a key is repeated")
            answer[key] = self.item(depth - 1)
        return answer

    def _simple(self, kind: int) -> Any:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind not in _FLOATS:
            raise MalformedInput("cbor", "a simple value that is not expected")
        value = struct.unpack(_FLOATS[kind], self._take(1 << kind - 24))[0]
        if not math.isfinite(value):
            raise MalformedInput("cbor", "not a finite number")
        return value

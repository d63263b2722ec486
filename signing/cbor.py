"""CBOR (RFC 8949), read strictly under limits and written deterministically (4.2.1).

Own code, because what signed bytes need is mostly refusal: one encoding for each value, nothing twice,
nothing after the end. `cbor2` has options for part of that, but takes longer forms of numbers and bytes after
the end, and makes objects of tags; it is what the tests compare this with.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_ITEMS = 50_000
ANY_TAG = range(1 << 64)
"""Every number that a tag can have."""

Value = Any
"""None, bool, int (64 bits), float, bytes, str, list, dict (keys int or str), or `Tag`."""

_FALSE, _TRUE, _NULL = 0xF4, 0xF5, 0xF6
_SIMPLE = {_FALSE: False, _TRUE: True, _NULL: None}
_FLOATS = {0xF9: (">e", 2), 0xFA: (">f", 4), 0xFB: (">d", 8)}
_WIDTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}  # bytes, least value
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)  # major types, RFC 8949, 3.1
_KEYS = {_UNSIGNED, _NEGATIVE, _TEXT}
_TEXT_LENGTHS = tuple(first - 0x60 if 0x60 <= first < 0x78 else -1 for first in range(256))  # by first byte
_EMBEDDED = bytes([_TAG << 5 | 24, 24])  # RFC 8949, 3.4.5.1
_SHORT_EMBEDDED = _EMBEDDED + bytes([_BYTES << 5 | 24])


@dataclass(frozen=True, slots=True)
class Tag:
    """A value with a tag's number: what it means is for the caller."""

    number: int
    value: Value


_new_tag = Tag.__new__
_set_number, _set_value = Tag.__dict__["number"].__set__, Tag.__dict__["value"].__set__


def _tag(number: int, value: Value) -> Tag:
    """The same as `Tag(number, value)`, in a third of the time: a message holds as many as elements."""
    made: Tag = _new_tag(Tag)
    _set_number(made, number)
    _set_value(made, value)
    return made


class Encoded(bytes):
    """Bytes that are the encoding of a value already: `encode` lets them stand as they are."""

    __slots__ = ()


def decode(  # noqa: PLR0913 - limits by the door
    data: bytes,
    *,
    tags: Collection[int] = (),
    deterministic: bool = False,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_items: int = MAX_ITEMS,
) -> Value:
    """The one value that these bytes are; `MalformedInput` for anything else, `TooLarge` over a limit.

    Lengths are definite and every whole number has its shortest form; maps repeat no key and have whole
    numbers or texts as keys; text is UTF-8; numbers have 64 bits, no NaN, no infinity; of simple values only
    false, true and null. `tags` are the numbers that may stand anywhere; any other is refused. With
    `deterministic` the keys of each map are in the order of their bytes too, and other numbers have their
    shortest form (4.2.1), so that a value has one encoding.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise MalformedInput("cbor", "no bytes")
    if len(data) > max_bytes:
        raise TooLarge("cbor", f"over {max_bytes} bytes")
    reader = _Reader(bytes(data), _contained(tags), max_depth, max_items, deterministic=deterministic)
    return read_whole(reader, max_depth)


class Reader(Protocol):
    """One pass over some bytes; an IndexError says that they end inside an item."""

    data: bytes
    place: int

    def item(self, depth: int) -> Value:
        """The item that begins here; `depth` is how much deeper it may nest."""


def read_whole(reader: Reader, depth: int) -> Value:
    """The one value that all of a reader's bytes are; raises as `decode`."""
    try:
        value = reader.item(depth)
    except IndexError as exc:
        raise MalformedInput("cbor", "cut off") from exc
    except UnicodeDecodeError as exc:
        raise MalformedInput("cbor", "a text is not UTF-8") from exc
    if reader.place != len(reader.data):
        raise MalformedInput("cbor", "bytes after the end")
    return value


def encode(value: Value) -> bytes:
    """The deterministic encoding of a value; `UsageError` for what has none here."""
    return _encoded(value, MAX_DEPTH)


def embedded(content: bytes) -> Encoded:
    """The encoding of CBOR that is encoded already, as a byte string inside CBOR (tag 24)."""
    return Encoded(b"".join((_EMBEDDED, _head(_BYTES, len(content)), content)))


def _contained(tags: Collection[int]) -> frozenset[int] | range:
    return tags if isinstance(tags, range | frozenset) else frozenset(tags)  # a range is never spread


class _Reader:
    """One pass over the bytes."""

    __slots__ = ("data", "depth", "deterministic", "items", "place", "tags")

    def __init__(
        self, data: bytes, tags: frozenset[int] | range, depth: int, items: int, *, deterministic: bool
    ) -> None:
        self.data, self.tags, self.depth, self.items = data, tags, depth, items
        self.deterministic = deterministic
        self.place = 0

    def item(self, depth: int) -> Value:  # noqa: C901 - one branch for each form
        """The item that begins here; an IndexError says that the bytes end inside it."""
        data, start = self.data, self.place
        first = data[start]
        argument, self.place = first & 31, start + 1
        if argument > 23 and first < 0xE0:
            if argument == 24:  # one byte more: most lengths over 23, digests among them
                argument = data[start + 1]
                self.place = start + 2
                if argument < 24:
                    raise MalformedInput("cbor", "not the shortest form")
            else:
                argument = self._argument(argument)
        if first < 0x40:
            return argument if first < 0x20 else ~argument
        if first < 0x80:
            start = self.place
            self.place = end = start + argument
            if end > len(data):
                raise MalformedInput("cbor", "cut off")
            return data[start:end] if first < 0x60 else data[start:end].decode()
        if first > 0xDF:
            return self._simple(first)
        if depth < 1:
            raise TooLarge("cbor", f"nested deeper than {self.depth}")
        if first < 0xC0:
            return self._array(argument, depth - 1) if first < 0xA0 else self._map(argument, depth - 1)
        if self.tags is not ANY_TAG and argument not in self.tags:  # a range as wide is slow to ask
            raise MalformedInput("cbor", f"tag {argument} is not expected")
        return _tag(argument, self.item(depth - 1))

    def _array(self, count: int, depth: int) -> list[Value]:
        self.items -= count
        if self.items < 0 or count > len(self.data) - self.place:
            self._refuse_count(count)
        answer: list[Value] = []
        if depth > 0 and (self.tags is ANY_TAG or 24 in self.tags):
            self._take_embedded(answer, count)
        for _ in range(count - len(answer)):
            answer.append(self.item(depth))  # noqa: PERF401 - it may hold the beginning already
        return answer

    def _take_embedded(self, answer: list[Value], count: int) -> None:
        """The encoded CBOR, up to 255 bytes each, that an array begins with: what long lists are made of."""
        data, place = self.data, self.place
        while len(answer) < count and data.startswith(_SHORT_EMBEDDED, place) and data[place + 3] > 23:
            start = place + 4
            place = start + data[place + 3]
            answer.append(_tag(24, data[start:place]))
        if place > len(data):
            raise MalformedInput("cbor", "cut off")
        self.place = place

    def _take(self, size: int) -> bytes:
        start = self.place
        self.place = end = start + size
        if end > len(self.data):
            raise MalformedInput("cbor", "cut off")
        return self.data[start:end]

    def _map(self, count: int, depth: int) -> dict[int | str, Value]:  # noqa: C901, PLR0912 - see below
        """The pairs of a map. What most of them are is read here: a call costs more than reading it."""
        answer: dict[int | str, Value] = {}
        before, data, size, place = b"", self.data, len(self.data), self.place
        self.items -= 2 * count
        if self.items < 0 or 2 * count > size - place:
            self._refuse_count(2 * count)
        if count > 2 and data[place] < 0x18 and (digests := self._digests(count)):
            return digests
        deterministic = self.deterministic
        key: int | str
        for _ in range(count):
            start = place
            first = data[start]
            length = _TEXT_LENGTHS[first]
            if length >= 0:
                place = start + 1 + length
                if place > size:
                    raise MalformedInput("cbor", "cut off")
                key = data[start + 1 : place].decode()
            elif first < 0x18:  # a small number
                place, key = start + 1, first
            else:
                self.place = start
                key, place = self._key(first), self.place
            if key in answer:
                raise MalformedInput("cbor", "a key is repeated")
            if deterministic:
                here = data[start:place]
                if here < before:
                    raise MalformedInput("cbor", "keys are not in order")
                before = here
            first = data[place]
            length = _TEXT_LENGTHS[first]
            if length >= 0 or 0x3F < first < 0x58:  # a short text, or short bytes
                start = place + 1
                place = start + (first & 31)
                if place > size:
                    raise MalformedInput("cbor", "cut off")
                answer[key] = data[start:place].decode() if length >= 0 else data[start:place]
            elif first < 0x18:  # a small number
                answer[key] = first
                place += 1
            elif 0x9F < first < 0xB8 and depth > 0:  # a short map
                self.place = place + 1
                answer[key], place = self._map(first & 31, depth - 1), self.place
            else:
                self.place = place
                answer[key], place = self.item(depth), self.place
        self.place = place
        return answer

    def _digests(self, count: int) -> dict[int | str, Value] | None:
        """A map of small numbers to byte strings of one length, as digests are; None where it is another."""
        data, start = self.data, self.place
        width = data[start + 2] + 3
        if data[start + 1] != 0x58 or width < 27:
            return None
        rows = data[start : start + width * count]
        keys, ends = rows[::width], range(width, width * count + 1, width)
        heads = rows[1::width] + rows[2::width]
        if heads != b"\x58" * count + bytes((width - 3,)) * count or max(keys) > 23 or len(rows) != ends[-1]:
            return None
        if len(set(keys)) != count or (self.deterministic and bytes(sorted(keys)) != keys):
            return None
        self.place = start + len(rows)
        return dict(zip(keys, [rows[end - width + 3 : end] for end in ends], strict=True))

    def _key(self, first: int) -> int | str:
        if first >> 5 not in _KEYS:
            raise MalformedInput("cbor", "a key is neither a whole number nor a text")
        key: int | str = self.item(0)
        return key

    def _argument(self, kind: int) -> int:
        """A number that follows in 2, 4 or 8 bytes, where none fewer would do."""
        if kind > 27:  # 28 to 30 are reserved, 31 is an indefinite length
            raise MalformedInput("cbor", "an indefinite or reserved length")
        width, least = _WIDTHS[kind]
        number = int.from_bytes(self._take(width), "big")
        if number < least:
            raise MalformedInput("cbor", "not the shortest form")
        return number

    def _simple(self, first: int) -> Value:
        if first in _SIMPLE:
            return _SIMPLE[first]
        if first not in _FLOATS:
            raise MalformedInput("cbor", "a simple value that is not expected")
        form, width = _FLOATS[first]
        value = struct.unpack(form, self._take(width))[0]
        if not math.isfinite(value):
            raise MalformedInput("cbor", "not a finite number")
        if self.deterministic and len(_float(value)) != width + 1:
            raise MalformedInput("cbor", "not the shortest form")
        return value

    def _refuse_count(self, more: int) -> NoReturn:
        """Every item takes a byte at least: a length that promises more than there is ends here."""
        if more > len(self.data) - self.place:
            raise MalformedInput("cbor", "cut off")
        raise TooLarge("cbor", "too many items")


def _encoded(value: Value, depth: int) -> bytes:
    if depth < 0:
        raise UsageError(f"CBOR nested deeper than {MAX_DEPTH}")
    write = _WRITERS.get(type(value)) or _writer_of_base(value)
    return write(value, depth)


def _writer_of_base(value: Value) -> _Writer:
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write
    raise UsageError(f"CBOR has no form here for {type(value).__name__}")


def _write_text(value: str, _depth: int) -> bytes:
    try:
        raw = value.encode()
    except UnicodeEncodeError as exc:
        raise UsageError("half of a surrogate pair is no character") from exc
    return _head(_TEXT, len(raw)) + raw


def _write_bytes(value: bytes, _depth: int) -> bytes:
    return _head(_BYTES, len(value)) + value


def _write_map(value: dict[Any, Value], depth: int) -> bytes:
    if not all(type(key) in {int, str} for key in value):
        raise UsageError("a key is a whole number or a text")
    rows = [(_encoded(key, 0), _encoded(item, depth - 1)) for key, item in value.items()]
    rows.sort(key=itemgetter(0))
    return b"".join([_head(_MAP, len(rows)), *chain.from_iterable(rows)])


def _write_array(value: Sequence[Value], depth: int) -> bytes:
    return b"".join([_head(_ARRAY, len(value)), *[_encoded(item, depth - 1) for item in value]])


def _write_tag(value: Tag, depth: int) -> bytes:
    return _head(_TAG, value.number) + _encoded(value.value, depth - 1)


def _write_number(value: int, _depth: int) -> bytes:
    return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, ~value)


_Writer = Callable[[Any, int], bytes]
_WRITERS: dict[type, _Writer] = {
    str: _write_text,
    bytes: _write_bytes,
    bytearray: lambda value, depth: _write_bytes(bytes(value), depth),
    bool: lambda value, _: bytes([_TRUE if value else _FALSE]),
    int: _write_number,
    dict: _write_map,
    list: _write_array,
    tuple: _write_array,
    NoneType: lambda _value, _depth: bytes([_NULL]),
    float: lambda value, _: _float(value),
    Tag: _write_tag,
    Encoded: lambda value, _: value,
}


# Nearly every number in a message is small, so its one or two bytes are kept.
_SMALL = tuple(
    tuple(bytes([major << 5 | n] if n < 24 else [major << 5 | 24, n]) for n in range(1 << 8))
    for major in range(8)
)


def _head(major: int, argument: int) -> bytes:
    if 0 <= argument < 1 << 8:
        return _SMALL[major][argument]
    if argument < 0:
        raise UsageError("a tag has no negative number")
    for kind, (width, _) in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes([major << 5 | kind]) + argument.to_bytes(width, "big")
    raise UsageError("CBOR numbers have 64 bits here")


def _float(value: float) -> bytes:
    """The shortest of the three forms that keeps the value (4.2.1)."""
    if not math.isfinite(value):
        raise UsageError("NaN and infinity have no place in signed data")
    for first, (form, _) in _FLOATS.items():
        try:
            raw = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, raw)[0] == value:
            return bytes([first]) + raw
    raise AssertionError("every float is its own double")  # pragma: no cover

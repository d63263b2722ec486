"""DER, by hand: a tiny encoder and a strict reader of tag-length-value.

Certificates of keys that `cryptography` does not know (SM2), time-stamp tokens and OCSP answers need a
few structures, and hand-made DER is many times faster than object models; a `Template` also keeps what
stays the same between two of them. The reader refuses what DER forbids (indefinite and non-minimal lengths)
and whatever runs past its end; it never goes deeper than its caller asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
_REMEMBERED_SIZES = 32  # of fillings, for each template


class Element(NamedTuple):
    """One tag-length-value: its tag, its content, and its whole encoding."""

    tag: int
    content: bytes
    encoded: bytes


def tlv(tag: int, *parts: bytes) -> bytes:
    """The encoding of `tag` around the concatenated parts."""
    content = b"".join(parts)
    size = len(content)
    return (bytes((tag, size)) if size < 0x80 else _head(tag, size)) + content


def _head(tag: int, size: int) -> bytes:
    """Tag and length."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of already encoded parts."""
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """SET OF, in the order that DER prescribes (X.690, 11.6)."""
    return tlv(SET, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """`[number] EXPLICIT` around encoded parts (number below 31)."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """INTEGER."""
    return tlv(INTEGER, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def octet_string(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\0", value)


def boolean(*, value: bool) -> bytes:
    """BOOLEAN."""
    return tlv(BOOLEAN, b"\xff" if value else b"\0")


def null() -> bytes:
    """NULL."""
    return b"\x05\0"


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return tlv(OID, bytes(content))


def generalized_time(when: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds (RFC 5280, 4.1.2.5.2)."""
    return tlv(GENERALIZED_TIME, when.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def time(when: datetime) -> bytes:
    """Time as certificates write it: UTCTime until 2049, then GeneralizedTime (RFC 5280, 4.1.2.5)."""
    when = when.astimezone(UTC)
    if 1950 <= when.year < 2050:
        return tlv(UTC_TIME, when.strftime("%y%m%d%H%M%SZ").encode())
    return generalized_time(when)


class Hole(NamedTuple):
    """A place in a `Template` that is filled by name, with one encoded element, several, or none."""

    name: str


class Template:
    """A constructed element with holes: what stays the same is encoded once, lengths are counted anew.

    `parts` are encodings, holes, and templates that hold them. Filling gives the bytes that encoding from
    scratch would give. For fillings of the same sizes, what stands between the holes is remembered.
    """

    __slots__ = ("_holes", "_parts", "_remembered", "_tag")

    def __init__(self, tag: int, *parts: bytes | Hole | Template) -> None:
        """Join what stays the same."""
        self._tag = tag
        joined: list[bytes | Hole | Template] = []
        for part in parts:
            if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
                joined[-1] += part
            else:
                joined.append(part)
        self._parts = tuple(joined)
        self._holes: tuple[str, ...] = tuple(_names(self._parts))
        self._remembered: dict[tuple[int, ...], bytes] = {}

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The element with every hole filled by its name; a hole without a value is a `KeyError`."""
        filling = tuple([values[name] for name in self._holes])
        sizes = tuple(map(len, filling))
        between = self._remembered.get(sizes)
        if between is None:
            between = b"".join(_between(self._tag, self._parts, iter(sizes))[0])
            if len(self._remembered) < _REMEMBERED_SIZES:
                self._remembered[sizes] = between
        return between % filling

    @property
    def parts(self) -> tuple[bytes | Hole | Template, ...]:
        """What it consists of."""
        return self._parts

    @property
    def tag(self) -> int:
        """The tag around it."""
        return self._tag


def _names(parts: tuple[bytes | Hole | Template, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Hole):
            yield part.name
        elif isinstance(part, Template):
            yield from _names(part.parts)


def _between(
    tag: int, parts: tuple[bytes | Hole | Template, ...], sizes: Iterator[int]
) -> tuple[list[bytes], int]:
    """The encoding for holes of these sizes, with `%b` for each, and how long it is when filled."""
    encoded, size = list[bytes](), 0
    for part in parts:
        if isinstance(part, bytes):
            encoded.append(part.replace(b"%", b"%%"))
            size += len(part)
        elif isinstance(part, Hole):
            encoded.append(b"%b")
            size += next(sizes)
        else:
            inner, filled = _between(part.tag, part.parts, sizes)
            encoded += inner
            size += filled
    head = _head(tag, size)
    return [head.replace(b"%", b"%%"), *encoded], len(head) + size


def frame(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Of the element at `offset`: its tag, where its content starts, and where it ends.

    `MalformedInput` unless it is DER. For whoever walks over large structures without copying them.
    """
    try:
        tag, size = data[offset], data[offset + 1]
        start = offset + 2
        if tag & 0x1F == 0x1F:
            raise MalformedInput("der", "high tag numbers are not used here")
        if size == 0x82 and data[start]:  # most long lengths: two octets, the first not zero
            size, start = data[start] << 8 | data[start + 1], start + 2
        elif size & 0x80:
            size, start = _long_length(data, size & 0x7F, start)
    except IndexError as exc:
        raise MalformedInput("der", "ends too early") from exc
    if start + size > len(data):
        raise MalformedInput("der", "ends too early")
    return tag, start, start + size


def _long_length(data: bytes, count: int, start: int) -> tuple[int, int]:
    """A length of several octets (X.690, 8.1.3.5 and 10.1), and where the content starts."""
    if count == 0 or count > 4:
        raise MalformedInput("der", "indefinite or oversize length")
    raw = data[start : start + count]
    size = int.from_bytes(raw, "big")
    if len(raw) != count or size < 0x80 or raw[0] == 0:
        raise MalformedInput("der", "length is not minimal")
    return size, start + count


def read(data: bytes, offset: int = 0) -> tuple[Element, int]:
    """The element at `offset` and the offset behind it; `MalformedInput` when it is not DER."""
    tag, start, end = frame(data, offset)
    return _element(Element, (tag, data[start:end], data[offset:end])), end


# What `Element(…)` does, without the detour over a Python function: nothing is called as often.
_element = tuple.__new__


def read_exactly(data: bytes, tag: int) -> Element:
    """The one element that `data` consists of; it must have this tag."""
    element, end = read(data)
    if element.tag != tag or end != len(data):
        raise MalformedInput("der", f"expected one element of tag {tag:#x}")
    return element


def read_whole(data: bytes) -> Element:
    """The one element, of whatever tag, that `data` consists of."""
    element, end = read(data)
    if end != len(data):
        raise MalformedInput("der", "expected one element")
    return element


def children(element: Element) -> Iterator[Element]:
    """The elements inside a constructed one, in order."""
    return iter(elements(element))


def elements(element: Element) -> list[Element]:
    """The same as a list: what is read of every signature is read by this."""
    found: list[Element] = []
    content, make, add = element.content, _element, found.append
    offset, whole = 0, len(content)
    while offset < whole:
        start = offset + 2
        if (
            start <= whole
            and (size := content[offset + 1]) < 0x80
            and (tag := content[offset]) & 0x1F != 0x1F
        ):
            end = start + size  # nearly all of them: a short length
            if end > whole:
                raise MalformedInput("der", "ends too early")
        else:
            tag, start, end = frame(content, offset)
        add(make(Element, (tag, content[start:end], content[offset:end])))
        offset = end
    return found


def read_oid(element: Element) -> str:
    """The dotted text of an OBJECT IDENTIFIER."""
    if element.tag != OID or not element.content or element.content[-1] & 0x80 or len(element.content) > 64:
        raise MalformedInput("der", "not an object identifier")
    return _dotted(element.content)


@lru_cache(maxsize=1024)
def _dotted(content: bytes) -> str:
    arcs: list[int] = []
    value, is_first = 0, True
    for octet in content:
        if is_first and octet == 0x80:  # X.690, 8.19.2: the fewest octets
            raise MalformedInput("der", "object identifier is not minimal")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
        is_first = not octet & 0x80
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_integer(element: Element) -> int:
    """The value of an INTEGER, which must be minimal."""
    content = element.content
    if element.tag not in {INTEGER, ENUMERATED} or not content:
        raise MalformedInput("der", "not an integer")
    if len(content) > 1 and content[0] in {0, 0xFF} and (content[0] ^ content[1]) < 0x80:
        raise MalformedInput("der", "integer is not minimal")
    return int.from_bytes(content, "big", signed=True)


def read_bit_string(element: Element) -> bytes:
    """The octets of a BIT STRING without unused bits."""
    if element.tag != BIT_STRING or not element.content or element.content[0] != 0:
        raise MalformedInput("der", "not a bit string of whole octets")
    return element.content[1:]


def read_time(element: Element) -> datetime:
    """UTCTime or GeneralizedTime as RFC 5280 allows them: seconds, `Z`, no fraction."""
    text = element.content
    if element.tag == UTC_TIME and len(text) == 13:
        text = (b"19" if text >= b"50" else b"20") + text
    elif element.tag != GENERALIZED_TIME or len(text) != 15:
        raise MalformedInput("der", "not a time")
    if not text[:14].isdigit() or text[14] != 0x5A:
        raise MalformedInput("der", "not a time")
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    try:
        return datetime(year, month, day, int(text[8:10]), int(text[10:12]), int(text[12:14]), tzinfo=UTC)
    except ValueError as exc:
        raise MalformedInput("der", "not a time") from exc

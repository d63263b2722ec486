"""An issuer's items (ISO/IEC 18013-5, 8.3.2.1.2.2) as most issuers write them, read along their bytes.

Nearly every item has its four members in one of two orders, each with its shortest form: that of the standard
and that of deterministic CBOR. Such an item is taken apart by position, which is most of what a verifier
spends on an element otherwise. Whatever is written in another way, or is wrong, is left to the general reader
(`credentials.mdoc.structures`), which takes all that is allowed and says what is not: what both read is the
same, and only that reader refuses.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from credentials.mdoc.limits import MAX_BYTES, MAX_DEPTH, TAGS
from signing.cbor import MAX_ITEMS, decode, embedded
from yinxin.base.errors import MalformedInput


class Item(NamedTuple):
    """An IssuerSignedItem: one element, and `encoded`, the bytes whose digest is signed."""

    digest_id: int
    identifier: str
    value: Any
    encoded: bytes


_RANDOM = rb"frandom(?:\x50.{16}|\x58\x18.{24}|\x58\x20.{32})"
_NUMBER = rb"hdigestID(?:([\x00-\x17])|\x18([\x18-\xff]))"
_VALUE, _NAME = b"lelementValue", b"qelementIdentifier"
_SHORT = rb"([\x60-\x77].*)"  # a short text, whose head says how long it is
# RFC 8949, 4.2.1: shorter names first; and the order in which the standard lists them.
_SHORT_SORTED = re.compile(rb"\xa4" + _RANDOM + _NUMBER + _VALUE + _SHORT + _NAME + _SHORT, re.DOTALL)
_SORTED = re.compile(rb"\xa4" + _RANDOM + _NUMBER + _VALUE, re.DOTALL)
_LISTED = re.compile(rb"\xa4" + _NUMBER + _RANDOM + _NAME, re.DOTALL)
_MAP_ITEMS = 8  # names and values: what the map around the element takes of the limits


def usual_item(content: bytes) -> Item | None:
    """The item that these bytes are, where it is written as most are; None: ask the general reader."""
    if len(content) > MAX_BYTES:
        return None
    try:
        if (match := _SHORT_SORTED.fullmatch(content)) and _are_whole(match[3], match[4]):
            value, name = match[3][1:].decode(), match[4][1:].decode()
        elif match := _SORTED.match(content):
            value, name = _value_and_name(content, match.end())
        elif match := _LISTED.match(content):
            name, end = _short_text(content, match.end())
            value = _value(content[end + len(_VALUE) :])
            if content[end : end + len(_VALUE)] != _VALUE:
                return None
        else:
            return None
    except (MalformedInput, UnicodeDecodeError, IndexError):
        return None
    number = match[1] or match[2]
    if not name:
        return None
    size = len(content)
    encoded = b"\xd8\x18\x58%c%b" % (size, content) if 24 <= size < 256 else embedded(content)
    return tuple.__new__(Item, (number[0], name, value, encoded))  # as Item(…), in half the time


def _are_whole(first: bytes, second: bytes) -> bool:
    """Whether two short texts are as long as their heads say: then they end there for every reader."""
    return first[0] == 0x5F + len(first) and second[0] == 0x5F + len(second)


def _value_and_name(content: bytes, start: int) -> tuple[Any, str]:
    """The element's value, and its name behind it up to the end."""
    if 0x60 <= content[start] <= 0x78:  # a text, as most elements are
        value, end = _short_text(content, start)
    else:
        # Where one whole value ends, there it ends for every reader: nothing is guessed.
        end = content.rfind(_NAME)
        value = _value(content[start:end])
    if content[end : end + len(_NAME)] != _NAME:
        raise MalformedInput("cbor", "in another order")
    name, end = _short_text(content, end + len(_NAME))
    if end != len(content):
        raise MalformedInput("cbor", "bytes after the end")
    return value, name


def _short_text(content: bytes, start: int) -> tuple[str, int]:
    """A text of at most 255 bytes, and where it ends."""
    size, begins = content[start] - 0x60, start + 1
    if size == 24:
        size, begins = content[begins], begins + 1
        if size < 24:
            raise MalformedInput("cbor", "not the shortest form")
    elif not 0 <= size < 24:
        raise MalformedInput("cbor", "no short text")
    end = begins + size
    if end > len(content):
        raise MalformedInput("cbor", "cut off")
    return content[begins:end].decode(), end


def _value(encoded: bytes) -> Any:
    """A value of any form, under what the limits leave inside the item's map."""
    if 0x60 <= (encoded[0] if encoded else 0) <= 0x78:
        text, end = _short_text(encoded, 0)
        if end == len(encoded):
            return text
    return decode(
        encoded, tags=TAGS, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH - 1, max_items=MAX_ITEMS - _MAP_ITEMS
    )

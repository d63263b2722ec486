"""Dictionaries of PDF in bytes, read by one regular expression; values stay as they are written.

Taken is less than PDF allows: no comments inside, no names with `#`, no key twice, six levels at most.
Nothing is guessed: whatever else stands there is `NotPlain`. Every repetition is possessive, so that a match
takes time in proportion to what it reads.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

MAX_DEPTH, MAX_OBJECT_BYTES = 6, 8192
_REMEMBERED = 256  # dictionaries, and values in them
_SPACE = rb"[\0\t\n\x0c\r ]*+"
_NAME = rb"[^\0-\x20\x7f-\xff()<>\[\]{}/%#]++"
_STRING = rb"\((?:[^()\\]|\\[\s\S])*+\)"
_HEX = rb"<[0-9A-Fa-f\0\t\n\x0c\r ]*+>"
_REFERENCE = rb"\d{1,10}+[\0\t\n\x0c\r ]++\d{1,5}+[\0\t\n\x0c\r ]++R(?![^\0\t\n\x0c\r ()<>\[\]{}/%])"


def _inside(depth: int) -> bytes:
    """What stands between brackets: anything that is balanced."""
    deeper = rb"|<<%b>>|\[%b\]" % (_inside(depth - 1), _inside(depth - 1)) if depth else b""
    return rb"(?:[^()<>\[\]{}%%]++|%b|%b%b)*+" % (_STRING, _HEX, deeper)


_NESTED = _inside(MAX_DEPTH - 2)
_VALUE = rb"(?:%b|[-+.\d]++|/%b|true|false|null|%b|%b|<<%b>>|\[%b\])" % (
    _REFERENCE, _NAME, _STRING, _HEX, _NESTED, _NESTED,
)  # fmt: skip
_DICTIONARY = rb"<<%b((?:/%b%b%b%b)*+)>>" % (_SPACE, _NAME, _SPACE, _VALUE, _SPACE)

_WHOLE = re.compile(_DICTIONARY)
_ENTRY = re.compile(rb"/(%b)%b(%b)%b" % (_NAME, _SPACE, _VALUE, _SPACE))
_OBJECT = re.compile(rb"(\d{1,10}+) 0 obj%b%b%b" % (_SPACE, _DICTIONARY, _SPACE))
_STREAM = re.compile(rb"(\d{1,10}+) 0 obj%b%b%bstream\r?\n" % (_SPACE, _DICTIONARY, _SPACE))
_STREAM_END = re.compile(rb"[\r\n]*+endstream%bendobj" % _SPACE)
# Some makers sign their name behind the trailer, in a comment.
_TRAILER = re.compile(rb"trailer%b%b%b(?:%%[^\r\n]*+[\r\n]%b)*+" % (_SPACE, _DICTIONARY, _SPACE, _SPACE))
_IDENTITY = re.compile(
    rb"/ID%b\[%b(%b|%b)%b(?:%b|%b)%b\]" % (_SPACE, _SPACE, _STRING, _HEX, _SPACE, _STRING, _HEX, _SPACE)
)
_HALVES = re.compile(rb"\[%b(%b|%b)%b(?:%b|%b)%b\]" % (_SPACE, _STRING, _HEX, _SPACE, _STRING, _HEX, _SPACE))
_ONE_REFERENCE = re.compile(rb"(\d{1,10}+)[\0\t\n\x0c\r ]++0[\0\t\n\x0c\r ]++R")
_REFERENCES = re.compile(rb"\[%b(?:\d{1,10}+[\0\t\n\x0c\r ]++0[\0\t\n\x0c\r ]++R%b)*+\]" % (_SPACE, _SPACE))
_NUMBERS = re.compile(rb"[-+]?(?:\d++\.?\d*+|\.\d++)")

_STANDS_HERE = b"/ID null "


class NotPlain(Exception):
    """The file is not of the simple kind that is read here."""


class Dictionary(dict[bytes, bytes]):
    """The entries of a dictionary, keys without their slash; `body` is all of them as they are written.

    Read only: they are remembered, and others read them too.
    """

    __slots__ = ("body",)

    body: bytes

    def changed(self, key: bytes, more: bytes) -> bytes:
        """All entries as they are to be written, `key` and others that are not there as `more` has them."""
        if key not in self:
            return b"%b\n%b" % (self.body, more)
        return b"".join([b"/%b %b\n" % entry for entry in self.items() if entry[0] != key]) + more


def read_object(pdf: bytes, offset: int, number: int) -> Dictionary:
    """The dictionary that is object `number` at `offset`."""
    end = pdf.find(b"endobj", offset, offset + MAX_OBJECT_BYTES)
    found, entries = _object(pdf[offset:end])
    if end < 0 or found != number:
        raise NotPlain
    return entries


@lru_cache(maxsize=_REMEMBERED)
def _object(written: bytes) -> tuple[int, Dictionary]:
    """The number and the dictionary of an object, `endobj` left out.

    Files of one maker have the same catalogue and the same pages, byte for byte: read once.
    """
    found = _OBJECT.fullmatch(written)
    if found is None:
        raise NotPlain
    return int(found[1]), _dictionary(found[2])


def read_stream(
    pdf: bytes, offset: int, *, limit: int, number: int | None = None
) -> tuple[Dictionary, bytes, int]:
    """The dictionary and the unpacked octets of the stream at `offset`, and where its object ends.

    Taken are streams without a filter or with FlateDecode; predictors are left to the caller.
    """
    found = _STREAM.match(pdf, offset, offset + MAX_OBJECT_BYTES)
    if found is None or (number is not None and int(found[1]) != number):
        raise NotPlain
    entries, start = _dictionary(found[2]), found.end()
    size = natural(entries.get(b"Length"))
    end = _STREAM_END.match(pdf, start + size)
    if end is None or size > limit or (b"DecodeParms" in entries and b"Filter" not in entries):
        raise NotPlain
    return entries, _inflated(pdf[start : start + size], entries.get(b"Filter"), limit), end.end()


def _inflated(data: bytes, how: bytes | None, limit: int) -> bytes:
    if how is None:
        return data
    if how not in {b"/FlateDecode", b"[/FlateDecode]", b"[ /FlateDecode ]"}:
        raise NotPlain
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, limit)
    except zlib.error as exc:
        raise NotPlain from exc
    if not inflater.eof:
        raise NotPlain
    return found


def read_trailer(pdf: bytes, offset: int, end: int) -> tuple[Dictionary, bytes | None]:
    """The trailer that stands from `offset` to `end`, and the first half of the identity in it.

    The identity is the one thing that differs from file to file: the rest is remembered without it.
    """
    found = _IDENTITY.search(pdf, offset, end) if end - offset <= MAX_OBJECT_BYTES else None
    if found is None:
        return _trailer(pdf[offset:end]), None
    trailer = _trailer(b"%b%b%b" % (pdf[offset : found.start()], _STANDS_HERE, pdf[found.end() : end]))
    if trailer.get(b"ID") != b"null":
        raise NotPlain  # it was one of something inside
    return trailer, found[1]


@lru_cache(maxsize=_REMEMBERED)
def _trailer(written: bytes) -> Dictionary:
    found = _TRAILER.fullmatch(written)
    if found is None or written.count(b"/ID") > 1:
        raise NotPlain
    return _dictionary(found[1])


@lru_cache(maxsize=_REMEMBERED)
def read_dictionary(value: bytes) -> Dictionary:
    """A dictionary that stands as a value."""
    found = _WHOLE.fullmatch(value) if len(value) <= MAX_OBJECT_BYTES else None
    if found is None:
        raise NotPlain
    return _dictionary(found[1])


@lru_cache(maxsize=_REMEMBERED)
def reference(value: bytes | None) -> int:
    """The number of the object that a value refers to."""
    found = _ONE_REFERENCE.fullmatch(value) if value else None
    if found is None:
        raise NotPlain
    return int(found[1])


@lru_cache(maxsize=_REMEMBERED)
def references(value: bytes | None) -> tuple[int, ...]:
    """The numbers of the objects that an array of references names."""
    if value is None or not _REFERENCES.fullmatch(value):
        raise NotPlain
    return tuple(map(int, _ONE_REFERENCE.findall(value)))


def numbers(value: bytes, count: int) -> list[float]:
    """An array of so many numbers."""
    parts = value[1:-1].split() if value[:1] == b"[" else []
    if len(parts) != count:
        raise NotPlain
    return [number(part) for part in parts]


def number(value: bytes) -> float:
    """One number."""
    if not _NUMBERS.fullmatch(value) or len(value) > 32:
        raise NotPlain
    return float(value)


def naturals(value: bytes | None, count: int | None = None) -> list[int]:
    """An array of numbers, 0 or more; of so many where that is said."""
    parts = value[1:-1].split() if value is not None and value[:1] == b"[" else []
    if not parts or (count is not None and len(parts) != count):
        raise NotPlain
    return [natural(part) for part in parts]


def first_half(identity: bytes | None) -> bytes | None:
    """The first of the two strings of a file's identity, as it is written."""
    if identity is None:
        return None
    found = _HALVES.fullmatch(identity)
    if found is None:
        raise NotPlain
    return found[1]


def natural(value: bytes | None) -> int:
    """One number, 0 or more."""
    if value is None or not value.isdigit() or len(value) > 10:
        raise NotPlain
    return int(value)


def _dictionary(body: bytes) -> Dictionary:
    pairs = _ENTRY.findall(body)
    found = Dictionary(pairs)
    if len(found) != len(pairs):
        raise NotPlain  # a key twice: readers differ about which one counts
    found.body = body
    return found

"""How the objects of an update are written: what one reader takes for another value than the next does.

Values that say the same to this reader are compared elsewhere. An update may write an object anew in words
that mean the same to a strict reader and not to all: what is looked for here is left to nobody's patience.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signing.pdf.parsing import IN_USE, PACKED, Ref, Stream
from signing.pdf.parsing.lexer import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Document

MAX_NUMBER, MAX_NAME = 64, 200  # characters; one reader cuts words off at 255
_REGULAR = rb"[^\0\t\n\x0c\r ()<>\[\]{}/%]"
# References in a row, as nearly all files write them, are one step: pages and forms have lists of thousands.
_TOKEN = re.compile(
    rb"((?:[\0\t\n\x0c\r ]++|%[^\r\n]*+)*+)"
    rb"(?:((?:[0-9]{1,10} [0-9]{1,5} R(?:[ \n]|(?=[/>\]])))++)"
    rb"|(\()|(<<|\[)|(>>|\])|(/" + _REGULAR + rb"*+)"
    rb"|<[0-9A-Fa-f\0\t\n\x0c\r ]*+>|(" + _REGULAR + rb"++))"
)
_PART = re.compile(rb"\\[\0-\xff]|[()]")
# An end of line that is no line feed and not escaped, and octal numbers beyond an octet.
_UNLIKE = re.compile(rb"(?<!\\)\r|\\[4-7][0-7][0-7]")

# How numbers are usually written, in references too; names escape what has to be escaped.
_PLAIN_NUMBER = re.compile(rb"-?+(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)")
_NUMBER_LIKE = re.compile(rb"[+-]*[0-9.]")
_NEEDLESS = re.compile(rb"#(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")
_PLAIN_HEAD = re.compile(rb"[1-9][0-9]*+ [0-9]++[ ]obj")
_ODD_SPACES = re.compile(rb"[\0\x0c]")

NULL = "an entry that is null"
RETURN = "a string with an end of line that not all read alike"
LONG = "a word that some readers cut off"
REFERENCE = "an object that is a reference"
UNUSUAL = "something written in an unusual way"
_MAY_STAY = frozenset({NULL, RETURN})  # where it was signed like that


def unlike(old: Document, new: Document, number: int) -> str | None:
    """What in the newer version of an object not all readers read alike; None where they do.

    What stood there in the old version stays as it was signed.
    """
    found = set(_oddities(new, number))
    if found & _MAY_STAY and old.identity(number) is not None:
        found -= _MAY_STAY & set(_oddities(old, number))
    return min(found, default=None)


def spelled(document: Document, start: int, end: int) -> str | None:
    """What in the words of a place of the file not all readers read alike."""
    return min(_spelled(document.source[start:end], document), default=None)


def _oddities(document: Document, number: int) -> Iterator[str]:
    entry = document.entry(number)
    if entry is None or entry.kind not in {IN_USE, PACKED}:
        return
    value = document.load(document.reference(number))
    if type(value) is Ref:
        yield REFERENCE
    data, place, end = document.text_of(number)
    if entry.kind == IN_USE and not _PLAIN_HEAD.fullmatch(data, document.parsed(entry.place).start, place):
        yield UNUSUAL
    if isinstance(value, Stream) and entry.kind == IN_USE:
        end = value.start
    yield from _spelled(data[place:end], document)


def _spelled(data: bytes, document: Document) -> Iterator[str]:
    place, closers, last, steps = 0, [b""], b"", 0
    while found := _TOKEN.match(data, place):
        steps += 1
        if _ODD_SPACES.search(found[1]):
            yield UNUSUAL
        place, word = found.end(), found[found.lastindex or 1]
        if found[3]:
            place, text = _string(data, place)
            if _UNLIKE.search(text):
                yield RETURN
        elif found[4] and len(closers) <= MAX_DEPTH:
            closers.append(word)
        elif found[5] and len(closers) > 1:
            closers.pop()
        elif found[7] or (found[6] and (b"#" in word or len(word) > MAX_NAME)):
            yield from _word(word, is_value=closers[-1] == b"<<" and last.startswith(b"/"))
        last = word
    document.budget.spend(steps)


def _word(word: bytes, *, is_value: bool) -> Iterator[str]:
    if len(word) > (MAX_NAME if word.startswith(b"/") else MAX_NUMBER):
        yield LONG
    elif word.startswith(b"/"):
        if b"#" in word and _NEEDLESS.search(word):
            yield UNUSUAL
    elif is_value and word == b"null":
        yield NULL
    elif _NUMBER_LIKE.match(word) and not _PLAIN_NUMBER.fullmatch(word):
        yield UNUSUAL


def _string(data: bytes, place: int) -> tuple[int, bytes]:
    """Where a string ends whose opening parenthesis is behind us, and what stands in it."""
    depth = 1
    for part in _PART.finditer(data, place):
        depth += {b"(": 1, b")": -1}.get(part[0], 0)
        if not depth:
            return part.end(), data[place : part.start()]
    return len(data), data[place:]

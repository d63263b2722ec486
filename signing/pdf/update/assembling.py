"""Objects, a table and a trailer become an incremental update, with or without room for a signature.

The signature's own dictionary comes last and its hole stands last in it, so that every offset is known
before anything is written.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from typing import IO, TYPE_CHECKING, NamedTuple

from signing.held import feed
from signing.pdf.update import writing
from signing.pdf.update.syntax import NotPlain
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Objects = list[tuple[int, bytes]]  # their numbers, and what is written, from the number to `endobj`

_RANGE_AND_CONTENTS = b"\n/ByteRange \n/Contents "
_RANGE_WIDTH = 44  # of four numbers, brackets and spaces
_CLOSING = b"\n>>\nendobj\n"
_REWRITTEN = frozenset({b"Size", b"Prev", b"ID"})  # entries of a trailer that an update states anew
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_HALF = 32  # digits of one half of a file's identity


class Before(NamedTuple):
    """What the update stands behind: its newest table, and what the trailer of that says, as it is written.

    `identity` is the first half of the file's identity, None where it has none; `size` is the number behind
    the last object.
    """

    start: int
    is_stream: bool
    trailer: Mapping[bytes, bytes]
    identity: bytes | None
    size: int


class PlainPrepared:
    """An update that waits for its signature: the file, what stands before the hole, and what follows."""

    __slots__ = ("_head", "_pdf", "_tail", "digest", "reserve")

    def __init__(self, digest: bytes, reserve: int, pdf: bytes, head: bytes, tail: bytes) -> None:
        """Keep the parts; `digest` is the hash over all of them."""
        self.digest, self.reserve = digest, reserve
        self._pdf, self._head, self._tail = pdf, head, tail

    def fill(self, signature: bytes) -> bytes:
        """The finished file."""
        return b"".join((self._pdf, *self._update(signature)))

    def fill_into(self, file: IO[bytes], signature: bytes) -> None:
        """The finished file, where that begins with the file as it was."""
        file.seek(len(self._pdf))
        file.writelines(self._update(signature))

    def _update(self, signature: bytes) -> tuple[bytes, ...]:
        if len(signature) > self.reserve:
            raise Conflict("the signature is larger than the room kept for it")
        digits = hexlify(signature).ljust(2 * self.reserve, b"0")
        return self._head, b"<", digits, b">", self._tail


def with_room(
    pdf: bytes, before: Before, objects: Iterable[tuple[int, bytes]], *, digest_algorithm: str, reserve: int
) -> PlainPrepared:
    """The update with room for `reserve` octets of CMS, hashed.

    The last object is the signature's dictionary, which is left open behind its last entry.
    """
    if digest_algorithm not in _HASHES:
        raise NotPlain
    parts, rows, place = _placed(pdf, objects)
    start = place + len(_RANGE_AND_CONTENTS) + _RANGE_WIDTH
    end = start + 2 * reserve + 2
    first, times, after = _table(before, rows, end + len(_CLOSING))
    size = len(_CLOSING) + len(first) + times * (_HALF + 2) + len(after)
    byte_range = (b"[0 %d %d %d]" % (start, end, size)).ljust(_RANGE_WIDTH)
    parts.append(b"\n/ByteRange %b\n/Contents " % byte_range)
    head = b"".join(parts)
    digest = _HASHES[digest_algorithm]()
    feed(digest, pdf)
    digest.update(head)
    own = b"<%b>" % digest.hexdigest()[:_HALF].encode()
    tail = b"".join((_CLOSING, first, own * times, after))
    digest.update(tail)
    return PlainPrepared(digest.digest(), reserve, pdf, head, tail)


def finished(pdf: bytes, before: Before, objects: Iterable[tuple[int, bytes]]) -> bytes:
    """The file with an update in which nothing is left to be filled."""
    return b"".join((pdf, update(pdf, before, objects)))


def update(pdf: bytes, before: Before, objects: Iterable[tuple[int, bytes]]) -> bytes:
    """The update alone, which comes behind the file as it is."""
    parts, rows, place = _placed(pdf, objects)
    head = b"".join(parts)
    first, times, after = _table(before, rows, place)
    digest = hashlib.sha256()
    feed(digest, pdf)
    digest.update(head)
    own = b"<%b>" % digest.hexdigest()[:_HALF].encode()
    return b"".join((head, first, own * times, after))


def _placed(
    pdf: bytes, objects: Iterable[tuple[int, bytes]]
) -> tuple[list[bytes], list[tuple[int, int]], int]:
    """What is written, the number and place of each object, and the place behind the last."""
    # An update that starts right behind "%%EOF" would be a part of that comment.
    parts = [b"" if pdf.endswith((b"\n", b"\r")) else b"\n"]
    place, rows = len(pdf) + len(parts[0]), []
    for number, body in objects:
        rows.append((number, place))
        parts.append(body)
        place += len(body)
    return parts, rows, place


def _table(before: Before, rows: list[tuple[int, int]], place: int) -> tuple[bytes, int, bytes]:
    """The table at `place` and its trailer: up to the file's identity, how many halves, and behind it.

    ISO 32000-2, 14.4: the first half stays, the second is of this version. Where there was none, both are.
    """
    kept = b"".join([b"/%b %b" % entry for entry in before.trailer.items() if entry[0] not in _REWRITTEN])
    half = before.identity or b""
    free = max(before.size, max(rows)[0] + 1)
    if before.is_stream:  # a table follows one of its own kind
        rows = [*rows, (free, place)]
        head, stream = writing.table_stream(sorted(rows))
        first = b"%d 0 obj\n<</Type/XRef%b%b/Size %d/Prev %d/ID[%b" % (
            free, head, kept, free + 1, before.start, half,
        )  # fmt: skip
        return first, 1 if half else 2, b"]>>\n%bstartxref\n%d\n%%%%EOF\n" % (stream, place)
    lines = b"".join([b"%d 1\n%010d 00000 n \n" % row for row in sorted(rows)])
    first = b"xref\n0 1\n0000000000 65535 f \n%btrailer\n<<%b/Size %d/Prev %d/ID[%b" % (
        lines, kept, free, before.start, half,
    )  # fmt: skip
    return first, 1 if half else 2, b"]>>\nstartxref\n%d\n%%%%EOF\n" % place

"""The time-stamp of a seal, put in after the seal: PAdES B-B becomes B-T (EN 319 142-1, 6.3).

A signature time-stamp is an unsigned attribute of the signature. It goes into the room that the seal left in
its own contents, which no signature covers as long as the seal is the last thing in the file.
"""

from __future__ import annotations

from binascii import hexlify
from os import SEEK_END
from typing import IO, TYPE_CHECKING, cast

from signing import cms, der
from signing.held import HeldFile
from signing.pdf.gate import Gap, examine
from signing.pdf.reading import RFC3161, Reading
from signing.timestamp import parse_token
from yinxin.base.errors import Conflict, MalformedInput

if TYPE_CHECKING:
    from datetime import datetime

    from signing.timestamp import Timestamper


def stamp_last(pdf: bytes, timestamper: Timestamper) -> bytes:
    """The document whose last signature, which covers all of it, has a time-stamp now; of the same size.

    Nothing is judged here: stamp what you sealed. Raises `MalformedInput` where the last signature does
    not cover all of it, `Conflict` where that one is stamped already or has no room for a time-stamp (see
    `Seal`), and what the authority raises.
    """
    gap, digits = _filling(pdf, timestamper)
    return b"".join((pdf[: gap.start], b"<", digits, b">", pdf[gap.end :]))


def stamp_in(file: IO[bytes], timestamper: Timestamper) -> None:
    """As `stamp_last`, in an open file that nobody else has, in place."""
    file.flush()
    gap, digits = _filling(HeldFile.of(file, file.seek(0, SEEK_END)), timestamper)
    file.seek(gap.start + 1)
    file.write(digits)
    file.flush()


def _filling(pdf: bytes | HeldFile, timestamper: Timestamper) -> tuple[Gap, bytes]:
    """The gap of the last signature, and the digits that fill it."""
    gap, contents = _last(pdf)
    _, end = der.read(contents)
    signature = contents[:end]
    signed = cms.parse(signature)
    if cms.TIMESTAMP_TOKEN in signed.unsigned:
        raise Conflict("the last signature has a time-stamp already")
    token = timestamper.stamp(cms.hash_with("sha256", signed.signature), digest_algorithm="sha256")
    digits = hexlify(cms.with_unsigned(signature, cms.attribute(cms.TIMESTAMP_TOKEN, token)))
    room = gap.end - gap.start - 2
    if len(digits) > room:
        raise Conflict("the last signature has no room for a time-stamp")
    return gap, digits.ljust(room, b"0")


def last_stamp(pdf: bytes | HeldFile) -> datetime | None:
    """The time that the time-stamp of the last signature tells; None where that has none. Nothing is judged.

    Raises `MalformedInput` as `stamp_last` does.
    """
    _, contents = _last(pdf)
    tokens = cms.parse(contents, padded=True).unsigned.get(cms.TIMESTAMP_TOKEN, ())
    return min((parse_token(token).gen_time for token in tokens), default=None)


def _last(pdf: bytes | HeldFile) -> tuple[Gap, bytes]:
    """The gap and the contents of the signature that covers the whole file."""
    octets = cast("bytes", pdf)  # a held file answers as octets do
    for found in Reading(pdf).signatures():
        gap = examine(octets, byte_range=found.byte_range, contents=found.contents, offset=found.offset)
        if found.problem is None and found.kind != RFC3161 and isinstance(gap, Gap) and gap.whole_file:
            return gap, found.contents
    raise MalformedInput("pdf", "no signature in it covers the whole file")

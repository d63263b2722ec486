"""A document time-stamp (ISO 32000-2, 12.8.5) over all of a PDF, in an update of its own."""

from __future__ import annotations

from os import SEEK_END
from typing import IO, TYPE_CHECKING

from signing.held import HeldFile
from signing.pdf.store import Store
from signing.pdf.writers import by_first
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from signing.pdf.frame import Prepared
    from signing.timestamp import Timestamper

TOKEN_ROOM, MAX_TOKEN_BYTES = 8 * 1024, 128 * 1024
NOTHING_TO_KEEP = Store()


def stamp_document(
    pdf: bytes, timestamper: Timestamper, *, store: Store = NOTHING_TO_KEEP, room: int = TOKEN_ROOM
) -> bytes:
    """The document with this evidence in its security store and a time-stamp over all of it.

    Nothing is judged here. Raises `TooLarge` for a token over `MAX_TOKEN_BYTES`, what the time-stamp
    authority raises, and as `Seal.apply` for what is no PDF that can be signed.
    """
    prepared, token = _stamped(pdf, timestamper, store, room)
    return prepared.fill(token)


def stamp_document_in(
    file: IO[bytes], timestamper: Timestamper, *, store: Store = NOTHING_TO_KEEP, room: int = TOKEN_ROOM
) -> None:
    """As `stamp_document`, in an open file that nobody else has, in place."""
    file.flush()
    prepared, token = _stamped(HeldFile.of(file, file.seek(0, SEEK_END)), timestamper, store, room)
    prepared.fill_into(file, token)
    file.flush()


def _stamped(
    pdf: bytes | HeldFile, timestamper: Timestamper, store: Store, room: int
) -> tuple[Prepared, bytes]:
    """The update and the token that fits into it."""
    prepared: Prepared = by_first(pdf, lambda editing: editing.prepare_archive(store, reserve=room))
    token = timestamper.stamp(prepared.digest, digest_algorithm="sha256")
    if len(token) > MAX_TOKEN_BYTES:
        raise TooLarge("timestamp", f"a token over {MAX_TOKEN_BYTES} bytes")
    if len(token) > room:  # this authority's tokens are larger than most
        return _stamped(pdf, timestamper, store, len(token) + 512)
    return prepared, token

"""A document time-stamp (ISO 32000-2, 12.8.5) over all of a PDF, in an update of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    prepared: Prepared = by_first(pdf, lambda editing: editing.prepare_archive(store, reserve=room))
    token = timestamper.stamp(prepared.digest, digest_algorithm="sha256")
    if len(token) > MAX_TOKEN_BYTES:
        raise TooLarge("timestamp", f"a token over {MAX_TOKEN_BYTES} bytes")
    if len(token) > room:  # this authority's tokens are larger than most
        return stamp_document(pdf, timestamper, store=store, room=len(token) + 512)
    return prepared.fill(token)

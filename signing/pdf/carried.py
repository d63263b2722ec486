"""What a PDF carries that evidence is gathered for: the contents of its signatures and time-stamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.reading import Reading
from signing.pdf.verify import MAX_PDF_BYTES, MAX_SIGNATURES
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator


def carried_signatures(pdf: bytes) -> Iterator[bytes]:
    """The contents of every signature and document time-stamp, as they are (CMS, zeros behind it).

    Nothing is verified. Raises `MalformedInput` and `TooLarge`.
    """
    if len(pdf) > MAX_PDF_BYTES:
        raise TooLarge("pdf", f"over {MAX_PDF_BYTES} bytes")
    for found in Reading(pdf).signatures()[:MAX_SIGNATURES]:
        yield found.contents

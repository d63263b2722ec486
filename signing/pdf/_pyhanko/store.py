"""The document security store (ISO 32000-2, 12.8.4.3): what a PDF keeps to be judged by later.

Only what stands in the lists of the whole document is read. What VRI dictionaries say of single signatures
is a hint for who writes a file, and everything they name has to stand in those lists as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from signing.pdf._pyhanko.parser import get, items
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_STORED = 256  # of each kind
MAX_STORED_BYTES = 32 << 20  # all together


@dataclass(frozen=True, slots=True)
class Store:
    """Certificates, revocation lists and OCSP answers, in DER as they stand there; nothing is checked."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp: tuple[bytes, ...] = ()


def read_store(root: Any) -> Store:
    """The store of a document's catalogue; an empty one where there is none. Raises `TooLarge`."""
    store = get(root, "/DSS")
    left = MAX_STORED_BYTES
    found: list[tuple[bytes, ...]] = []
    for key in ("/Certs", "/CRLs", "/OCSPs"):
        kept = tuple(dict.fromkeys(_streams(get(store, key), left)))
        left -= sum(map(len, kept))
        found.append(kept)
    return Store(*found)


def _streams(array: Any, left: int) -> Iterator[bytes]:
    for count, item in enumerate(items(array)):
        if count >= MAX_STORED:
            raise TooLarge("pdf", f"more than {MAX_STORED} items of one kind in its security store")
        if not isinstance(item, generic.StreamObject):
            continue
        data = bytes(item.data)
        left -= len(data)
        if left < 0:
            raise TooLarge("pdf", f"a security store over {MAX_STORED_BYTES} bytes")
        yield data

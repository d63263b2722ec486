"""The document security store (ISO 32000-2, 12.8.4.3) as it stands in a file that is written behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from signing.pdf._pyhanko.parser import get, items
from signing.pdf.store import MAX_STORED, MAX_STORED_BYTES, Store
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator


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

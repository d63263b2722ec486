"""The document security store (ISO 32000-2, 12.8.4.3): what a PDF keeps to be judged by later.

Only what stands in the lists of the whole document is read. What VRI dictionaries say of single signatures
is a hint for who writes a file, and everything they name has to stand in those lists as well.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from signing.pdf.parsing import Ref, Stream
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Document, Value

MAX_STORED = 256  # of each kind
MAX_STORED_BYTES = 32 << 20  # all together
MAX_BROKEN = 16  # streams that do not unpack, each of which may be some work


@dataclass(frozen=True, slots=True)
class Store:
    """Certificates, revocation lists and OCSP answers, in DER as they stand there; nothing is checked."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp: tuple[bytes, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.certificates or self.crls or self.ocsp)

    def without(self, known: Store) -> Store:
        """What of it is not in another one, each thing once."""
        pairs = zip(astuple(self), astuple(known), strict=True)
        return Store(*(tuple(one for one in dict.fromkeys(own) if one not in other) for own, other in pairs))


def read_store(document: Document) -> Store:
    """The store of a document; an empty one where there is none. Raises `TooLarge`."""
    store = document.get(document.root, "DSS")
    left = MAX_STORED_BYTES
    found: list[tuple[bytes, ...]] = []
    for key in ("Certs", "CRLs", "OCSPs"):
        kept = tuple(dict.fromkeys(_streams(document, document.get(store, key), left)))
        left -= sum(map(len, kept))
        found.append(kept)
    return Store(*found)


def _streams(document: Document, array: Value, left: int) -> Iterator[bytes]:
    """The contents of the streams of a list, each once; what is none is left out."""
    items = array if type(array) is list else []
    if len(items) > MAX_STORED:
        raise TooLarge("pdf", f"more than {MAX_STORED} items of one kind in its security store")
    broken = 0
    for item in dict.fromkeys(item for item in items if type(item) is Ref):
        data = _content(document, item, left)
        left -= len(data or b"")
        broken += data is None
        if broken > MAX_BROKEN:
            raise TooLarge("pdf", f"more than {MAX_BROKEN} streams of its security store do not unpack")
        if data:
            yield data


def _content(document: Document, item: Ref, left: int) -> bytes | None:
    """The content of a stream; nothing for what is none, None for what does not unpack."""
    try:
        stream = document.resolve(item)
        return document.decode(stream, limit=left) if isinstance(stream, Stream) else b""
    except TooLarge as exc:
        raise TooLarge("pdf", f"a security store over {MAX_STORED_BYTES} bytes") from exc
    except MalformedInput:
        return None

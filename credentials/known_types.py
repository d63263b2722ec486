"""Types of credentials as they were fetched, and what a verifier asks of a credential by them (SD-JWT VC, 5).

`read_index` reads what an issuer of ours serves at `/types`; fetching is the caller's work.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from credentials.type_metadata import KEPT, TypeMetadata, integrity_of
from signing.jose import load_json_object
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import MalformedInput, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.disclosures import Revealed

MAX_INDEX_BYTES = 1 << 20
MAX_TYPES = 500
MAX_DOCUMENTS_BYTES = 16 << 20  # of all types of one index together
MAX_VERSIONS = 32  # of one `vct`
_MADE = 256  # types that are kept as they were made of their documents
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class KnownTypes:
    """The documents of types, by their `vct`, as one snapshot; `digest` is what reports name it by.

    Several versions of a type may share a `vct`. A type is made of its document, and of those that it
    extends, when the first credential of it comes.
    """

    def __init__(self, documents: Mapping[str, Collection[bytes]]) -> None:
        self._documents = {vct: tuple(dict.fromkeys(each))[:MAX_VERSIONS] for vct, each in documents.items()}
        self._newest = {vct: each[-1] for vct, each in self._documents.items() if each}
        self._made = lru_cache(_MADE)(self._make)
        told = [(vct, *map(integrity_of, each)) for vct, each in sorted(self._documents.items())]
        self.digest = hashlib.sha256(repr(told).encode()).hexdigest()

    def checks(self, revealed: Revealed, *, required: bool) -> tuple[Check, ...]:
        """What the type says of a credential; nothing for a type that is not at hand, unless `required`.

        A credential that names its type's document (`vct#integrity`, 5.5) is judged by that one; any other
        keeps the rules of one version.
        """
        claims = revealed.claims
        vct, integrity = claims.get("vct"), claims.get("vct#integrity")
        if type(vct) is not str or not (integrity is None or type(integrity) is str):
            return (_refused("vct or vct#integrity is no text"),)
        try:
            made = self._made(vct, integrity)
            if len(made) == 1:
                return made[0].check(revealed)
            found = [one.check(revealed) for one in made]
        except NotFound as exc:
            missing = Check("type_metadata", Reason.TYPE_METADATA_UNAVAILABLE, detail=exc.detail)
            return (missing,) if required else ()
        except MalformedInput as exc:
            return (_refused(exc.detail),)
        for one in found:
            if one is KEPT or not any(check.reason for check in one):
                return one
        return found[-1]

    def _make(self, vct: str, integrity: str | None) -> tuple[TypeMetadata, ...]:
        """The versions of a type; `NotFound` without any, `MalformedInput` where none can be made."""
        made, fault = [], None
        for document in self._documents.get(vct, ()):
            try:
                together = {**self._newest, vct: document}
                made.append(TypeMetadata.load(vct, together, integrity=integrity))
            except MalformedInput as exc:
                fault = exc
        if made:
            return tuple(made)
        raise fault or NotFound(f"no type metadata for {vct}")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A version of a type in an index: the address of its document, and the document's integrity value."""

    vct: str
    url: str
    integrity: str

    def accept(self, document: bytes) -> bytes:
        """The document, if it is the one that the index means; `MalformedInput` otherwise."""
        if integrity_of(document) != self.integrity:
            raise MalformedInput("type metadata", "SD-JWT VC, 5.5: not the document that the index means")
        return document


def read_index(data: bytes, *, url: str) -> tuple[IndexEntry, ...]:
    """The entries of an issuer's `/types` that was fetched from `url`; `MalformedInput` or `TooLarge`.

    A document's address is made of the index's own, so that no index leads elsewhere.
    """
    if len(data) > MAX_INDEX_BYTES:
        raise TooLarge("index of types", f"over {MAX_INDEX_BYTES} bytes")
    rows = load_json_object(data).get("types")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedInput("index of types", "no list of types")
    if len(rows) > MAX_TYPES:
        raise TooLarge("index of types", f"over {MAX_TYPES} types")
    found = []
    for row in rows:
        vct, code, version, integrity = (row.get(name) for name in ("vct", "type", "version", "integrity"))
        if not isinstance(code, str) or not _CODE.fullmatch(code) or type(version) is not int or version < 0:
            raise MalformedInput("index of types", "a type without code and version")
        if not isinstance(vct, str) or not isinstance(integrity, str):
            raise MalformedInput("index of types", "a type without vct and integrity")
        found.append(IndexEntry(vct, f"{url.rstrip('/')}/{code}/{version}", integrity))
    return tuple(found)


def _refused(detail: str) -> Check:
    return Check("type_metadata", Reason.TYPE_METADATA_INVALID, detail=detail)

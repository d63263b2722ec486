"""Where the things are in a plain file: its table, its catalogue, its pages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from signing.pdf.frame import PageBox
from signing.pdf.update.syntax import (
    Dictionary,
    NotPlain,
    natural,
    number,
    numbers,
    reference,
    references,
)
from signing.pdf.update.tables import read_table
from yinxin.base.errors import UsageError

MAX_NODES, MAX_LEVELS = 512, 12
MAX_SIZE = 8_388_607 - 16  # of a table: ISO 32000-2, annex C, less the objects that come with an update
_TAIL = 1024  # octets at the end, in which `startxref` has to stand
_START = re.compile(rb"startxref[\r\n ]++(\d{1,10}+)[\r\n ]++%%EOF[\r\n ]*+\Z")
_HEADER = re.compile(rb"%PDF-(1\.[0-7]|2\.0)[\r\n]")
# A catalogue with any of these belongs to a file that somebody worked on already.
_TAKEN = frozenset({b"Perms", b"DSS", b"Extensions", b"Version", b"Encrypt"})
_FOREIGN = frozenset({b"Prev", b"XRefStm", b"Encrypt"})
_INHERITED = (b"MediaBox", b"CropBox", b"Rotate")
_LETTER = [0.0, 0.0, 612.0, 792.0]


class Page(NamedTuple):
    """A page of a plain file: its object's number, its own entries, and its visible part."""

    number: int
    entries: Dictionary
    box: PageBox


class Layout:
    """The structure of a plain file. `NotPlain` for any other, from every method."""

    __slots__ = (
        "_pages",
        "_pdf",
        "catalogue",
        "identity",
        "root",
        "size",
        "start",
        "table",
        "trailer",
        "version",
    )

    def __init__(self, pdf: bytes) -> None:
        """Read the table, the trailer and the catalogue."""
        self._pdf = pdf
        header, place = _HEADER.match(pdf), pdf.rfind(b"startxref", -_TAIL)
        found = _START.match(pdf, place) if place >= 0 else None
        if header is None or found is None:
            raise NotPlain
        self.version = header[1]
        self.start = int(found[1])
        self.table = table = read_table(pdf, self.start, place)
        self.trailer, self.identity = table.trailer, table.identity
        if not _FOREIGN.isdisjoint(self.trailer) or (self.identity is None and b"ID" in self.trailer):
            raise NotPlain
        self.size = natural(self.trailer.get(b"Size"))
        if not table.free <= self.size <= MAX_SIZE:
            raise NotPlain
        self.root = reference(self.trailer.get(b"Root"))
        self.catalogue = self.entries(self.root)
        if self.catalogue.get(b"Type") != b"/Catalog" or not _TAKEN.isdisjoint(self.catalogue):
            raise NotPlain
        self._pages: dict[int, Page] = {}

    def entries(self, wanted: int) -> Dictionary:
        """The entries of the dictionary that is the object of this number."""
        return self.table.entries(self._pdf, wanted)

    def page(self, index: int) -> Page:
        """A page; negative numbers count from the end. `UsageError` for no such page."""
        if index not in self._pages:
            self._pages[index] = self._find(index)
        return self._pages[index]

    def _find(self, index: int) -> Page:
        above = reference(self.catalogue.get(b"Pages"))
        node, inherited = self.entries(above), dict[bytes, bytes]()
        count = natural(node.get(b"Count"))
        if not -count <= index < count:
            raise UsageError(f"there is no page {index}; the document has {count}")
        left, seen = (-index - 1 if index < 0 else index), 0
        for _ in range(MAX_LEVELS):
            inherited |= {key: node[key] for key in _INHERITED if key in node}
            kids = references(node.get(b"Kids"))
            for kid in reversed(kids) if index < 0 else kids:
                seen += 1
                node = self.entries(kid)
                pages = self._pages_in(node, above)
                if left < pages or seen > MAX_NODES:
                    break
                left -= pages
            else:
                raise NotPlain
            if seen > MAX_NODES:
                raise NotPlain
            if node[b"Type"] == b"/Page":
                return Page(kid, node, _box(inherited | node))
            above = kid
        raise NotPlain

    @staticmethod
    def _pages_in(node: Dictionary, above: int) -> int:
        """How many pages a node of the tree stands for."""
        if reference(node.get(b"Parent")) != above:
            raise NotPlain
        if node.get(b"Type") == b"/Pages":
            return natural(node.get(b"Count"))
        if node.get(b"Type") == b"/Page" and b"Kids" not in node:
            return 1
        raise NotPlain


def _box(entries: dict[bytes, bytes]) -> PageBox:
    media, crop = entries.get(b"MediaBox"), entries.get(b"CropBox")
    return _box_of(media, crop, entries.get(b"Rotate", b"0"), entries.get(b"UserUnit", b"1"))


@lru_cache(maxsize=64)
def _box_of(media: bytes | None, crop: bytes | None, rotate: bytes, unit: bytes) -> PageBox:
    whole = numbers(media, 4) if media is not None else _LETTER
    turned = number(rotate)
    if turned % 1:
        raise NotPlain
    visible = numbers(crop, 4) if crop is not None else whole
    return PageBox.of(whole, visible, rotate=int(turned), unit=number(unit))

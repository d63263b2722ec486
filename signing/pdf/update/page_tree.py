"""The pages of an orderly file: where each stands, its visible part, and what is seen on it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from signing.pdf.frame import PageBox
from signing.pdf.parsing import Ref
from signing.pdf.update.syntax import NotPlain
from yinxin.base.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Document, Value

    Entries = dict[str, Value]

MAX_PAGES, MAX_NODES, MAX_LEVELS, MAX_ANNOTATIONS = 2_000, 20_000, 32, 1_000
HIDDEN = 2  # ISO 32000-2, table 167
_LETTER = [0, 0, 612, 792]
_INHERITED = ("MediaBox", "CropBox", "Rotate")
Rectangle = tuple[float, float, float, float]


class Page(NamedTuple):
    """A page: its object, and its entries with what it inherits of its size."""

    ref: Ref
    entries: Entries


class PageTree:
    """The tree of a document. `NotPlain` where it does not say itself where each page is."""

    def __init__(self, document: Document) -> None:
        """Keep the document; the tree is read when a page is asked for."""
        self._document = document
        self._found: dict[int, Page] = {}

    @property
    def count(self) -> int:
        """How many pages there are."""
        return self._count(self._document.get(self._document.root, "Pages"))

    def page(self, index: int) -> Page:
        """A page; negative numbers count from the end. `UsageError` for no such page."""
        count = self.count
        if not -count <= index < count:
            raise UsageError(f"there is no page {index}; the document has {count}")
        wanted = index % count
        if wanted not in self._found:
            self._found[wanted] = self._find(wanted)
        return self._found[wanted]

    def boxes(self) -> list[PageBox]:
        """The visible parts of all pages. `TooLarge` for more than `MAX_PAGES`."""
        count = self.count
        if count > MAX_PAGES:
            raise TooLarge("pdf", f"more than {MAX_PAGES} pages")
        self._found = dict(enumerate(islice(self._all(), count + 1)))
        if len(self._found) != count:
            raise NotPlain
        return [self.box(index) for index in range(count)]

    def box(self, index: int) -> PageBox:
        """The visible part of a page."""
        entries = self.page(index).entries
        media = self._numbers(entries.get("MediaBox", _LETTER))
        crop = self._numbers(entries["CropBox"]) if "CropBox" in entries else media
        rotate, unit = (self._document.resolve(entries.get(key)) for key in ("Rotate", "UserUnit"))
        rotate, unit = 0 if rotate is None else rotate, 1 if unit is None else unit
        if type(rotate) is not int or type(unit) not in {int, float} or len(media) != 4 or len(crop) != 4:
            raise NotPlain
        return PageBox.of(media, crop, rotate=rotate, unit=float(unit))

    def taken(self, index: int) -> tuple[Rectangle, ...]:
        """Where annotations are seen on a page, in its own coordinates; links and pop-ups are not."""
        notes = self._document.get(self.page(index).entries, "Annots")
        return tuple(self._seen(notes)) if type(notes) is list else ()

    def _seen(self, notes: list[Value]) -> Iterator[Rectangle]:
        get = self._document.get
        for note in map(self._document.resolve, islice(notes, MAX_ANNOTATIONS)):
            flags, sides = get(note, "F"), self._numbers(get(note, "Rect"))
            is_hidden = type(flags) is int and flags & HIDDEN
            if len(sides) != 4 or is_hidden or get(note, "Subtype") in {"Link", "Popup"}:
                continue
            x0, y0, x1, y1 = sides
            if x0 != x1 and y0 != y1:
                yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _numbers(self, value: Value) -> list[float]:
        """An array of numbers; an empty one for anything else."""
        found = self._document.resolve(value)
        items = [self._document.resolve(item) for item in found] if type(found) is list else []
        return [float(item) for item in items] if all(type(item) in {int, float} for item in items) else []

    def _count(self, node: Value) -> int:
        count = self._document.get(node, "Count")
        if type(count) is not int or count < 0:
            raise NotPlain
        return count

    def _find(self, left: int) -> Page:
        """The page that has so many others before it: whole branches are passed over by their counts."""
        inherited: Entries
        above, inherited = self._document.root.get("Pages"), {}
        seen = 0
        for _ in range(MAX_LEVELS):
            inherited, kids = self._node(above, inherited)
            for kid in kids:
                seen += 1
                node, pages = self._kid(kid, above)
                if left < pages or seen > MAX_NODES:
                    break
                left -= pages
            else:
                raise NotPlain
            if seen > MAX_NODES:
                raise NotPlain
            if self._document.get(node, "Type") == "Page":
                return Page(kid, inherited | node)
            above = kid
        raise NotPlain

    def _all(self) -> Iterator[Page]:
        """Every page, in their order."""
        waiting: list[tuple[Value, Entries, int]] = [(self._document.root.get("Pages"), {}, 0)]
        seen = 0
        while waiting:
            item, inherited, depth = waiting.pop()
            node = self._document.resolve(item)
            if type(item) is Ref and self._document.get(node, "Type") == "Page":
                yield Page(item, inherited | node)
                continue
            below, kids = self._node(item, inherited)
            seen += len(kids)
            if depth > MAX_LEVELS or seen > MAX_NODES:
                raise NotPlain
            for kid in kids:
                self._kid(kid, item)
            waiting += [(kid, below, depth + 1) for kid in reversed(kids)]

    def _node(self, item: Value, inherited: Entries) -> tuple[Entries, list[Value]]:
        """What the kids of a node inherit, and these."""
        node = self._document.resolve(item)
        kids = self._document.get(node, "Kids")
        if type(item) is not Ref or type(node) is not dict or type(kids) is not list:
            raise NotPlain
        return inherited | {key: node[key] for key in _INHERITED if key in node}, kids

    def _kid(self, kid: Value, above: Value) -> tuple[Entries, int]:
        """A node of the tree, and how many pages it stands for."""
        node = self._document.resolve(kid)
        if type(kid) is not Ref or type(node) is not dict or node.get("Parent") != above:
            raise NotPlain
        kind = self._document.get(node, "Type")
        if kind == "Pages":
            return node, self._count(node)
        if kind == "Page" and "Kids" not in node:
            return node, 1
        raise NotPlain

"""The pages of a PDF, and what an update may do to them: nothing but show new signature fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from signing.pdf.parsing import Name, Ref
from signing.pdf.revisions.changes import Told
from signing.pdf.revisions.comments import quiet_note
from signing.pdf.revisions.sameness import Comparison, refuse
from signing.pdf.revisions.structure import number_tree
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing.pdf.parsing import Document, Value

MAX_PAGES, MAX_DEPTH = 100_000, 64
TAB_ORDERS = ("R", "C", "S", "A", "W")  # ISO 32000-2, table 31
_SHOWN = ("Resources", "MediaBox", "CropBox", "Rotate")
_DRAWN = frozenset({"AP", "Parent", "OC"})  # of an annotation: what shows it, or tells whether it is shown


def page_tree(document: Document) -> Iterator[int]:
    """The numbers of all pages and of the nodes above them."""
    waiting = [(document.root.get("Pages"), 0)]
    seen: set[int] = set()
    while waiting:
        item, depth = waiting.pop()
        node = document.resolve(item)
        if type(item) is not Ref or type(node) is not dict:
            continue
        if item.number in seen or depth > MAX_DEPTH:
            raise MalformedInput("pdf", "a page tree that leads in circles")
        if len(seen) >= MAX_PAGES:
            raise TooLarge("pdf", f"more than {MAX_PAGES} pages")
        seen.add(item.number)
        yield item.number
        kids = document.get(node, "Kids")
        waiting += [(kid, depth + 1) for kid in kids] if type(kids) is list else []


@dataclass
class PageRules:
    """Compare the pages of two states.

    `annotated` is told of annotations that were put on or changed. `old_fields` and `new_fields` are the
    numbers of widgets that belong to the form; those are compared there. `widgets` are those of new
    fields that were judged, `signed` are old fields that this update signed: one may have had no place.
    """

    comparison: Comparison
    old_fields: frozenset[int]
    new_fields: frozenset[int]
    widgets: set[int]
    signed: set[int]
    annotated: Callable[[str, Told | None], None]
    placed: dict[int, list[Value]] = field(default_factory=dict)

    def tree(self, old: Value, new: Value) -> None:
        """The page tree from its root on. `placed` holds what lay on the pages of new widgets before."""
        waiting, seen = [(old, new)], 0
        while waiting:
            a, b = waiting.pop()
            seen += 1
            if seen > MAX_PAGES:
                raise TooLarge("pdf", f"more than {MAX_PAGES} pages")
            if type(a) is not Ref or a != b:
                refuse("a page was put in or taken out")
            if not self.comparison.is_touched(a):
                continue
            waiting += self._node(a, self.comparison.old.resolve(a), self.comparison.new.resolve(b))

    def _node(self, ref: Ref, old: Value, new: Value) -> list[tuple[Value, Value]]:
        if old is None and new is None:  # half of the readers see none in a hybrid file
            return []
        if type(old) is not dict or type(new) is not dict:
            refuse(f"page {ref.number} is no page any more")
        where = f"page {ref.number}"
        if "Kids" not in old:
            rules: dict[str, Callable[[Value, Value], None]] = {
                "Annots": partial(self._annotations, ref),
                "LastModified": _free,
                "Parent": self._upwards,
                "StructParents": self._structured,
                "Tabs": lambda one, other: self._tabs(one, other, old, new),
            }
            self.comparison.entries(old, new, where, rules, drawn=True)
            return []
        below: list[tuple[Value, Value]] = []

        def kids(a: Value, b: Value) -> None:
            one, other = self.comparison.old.resolve(a), self.comparison.new.resolve(b)
            if type(one) is not list or type(other) is not list or len(one) != len(other):
                refuse("a page was put in or taken out")
            below.extend(zip(one, other, strict=True))

        self.comparison.entries(old, new, where, {"Kids": kids, "Parent": self._upwards}, drawn=True)
        return below

    def _annotations(self, page: Ref, old: Value, new: Value) -> None:
        """What lay on the page is still there in the same order; what is new is a field's widget, or said."""
        before = _list(self.comparison.old.resolve(old))
        after = _list(self.comparison.new.resolve(new))
        place = 0
        for item in after:
            if place < len(before) and self._is_still(before[place], item):
                place += 1
            elif type(item) is Ref and item.number in self.widgets | self.signed:
                self.placed.setdefault(item.number, []).extend(before)
            elif type(item) is Ref and item.number in self.old_fields - self.signed:
                refuse("a field is shown where it was not")
            else:
                self.annotated("an annotation was added", quiet_note(self.comparison, item, page))
        if place < len(before):
            refuse("an annotation was taken away or put behind another")

    def _upwards(self, old: Value, new: Value) -> None:
        """The node above, from which a page inherits; one that is not in the tree is compared here."""
        if old != new:
            refuse("a page stands in another place")
        in_tree = type(old) is Ref and old.number in self.comparison.roles
        if not in_tree and not self.comparison.same(old, new, drawn=True):
            refuse("what a page inherits was changed")

    def _structured(self, old: Value, new: Value) -> None:
        """A page may get a place in the structure, but none that was prepared there with words for it."""
        state = self.comparison.old
        tree = state.get(state.get(state.root, "StructTreeRoot"), "ParentTree")
        number = self.comparison.new.resolve(new)
        if old != new and (old is not None or any(number == one for one, _ in number_tree(state, tree))):
            refuse("a page stands in another place of the structure")

    def _tabs(self, one: Value, other: Value, old: Value, new: Value) -> None:
        """The order of tabs may be said anew together with a new field, or be that of the structure."""
        before, after = self.comparison.old.resolve(one), self.comparison.new.resolve(other)
        if before == after or (before is None and after == "S"):
            return
        if self.comparison.same(old.get("Annots"), new.get("Annots")):
            known = isinstance(after, Name) and after in TAB_ORDERS
            self.annotated(
                "the order of tabs was changed", Told("ordered", "", str(after)) if known else None
            )

    def _is_still(self, old: Value, new: Value) -> bool:
        """Whether an item of the list is the one that was there; one that was changed is said."""
        if type(old) is Ref or type(new) is Ref:
            if old != new:
                return False
            if old.number not in self.old_fields and not self._same(old, new):
                if old.number in self.new_fields:
                    refuse("an annotation became a field")
                self._changed(old)
            return True
        return self._same(old, new)

    def _same(self, old: Value, new: Value) -> bool:
        a, b = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        if type(a) is not dict or type(b) is not dict:
            return self.comparison.same(old, new)
        if a.keys() != b.keys():
            return False
        return all(self.comparison.same_entry(key, a[key], b[key], drawn=key in _DRAWN) for key in a)

    def _changed(self, ref: Ref) -> None:
        entries = self.comparison.old.resolve(ref)
        if type(entries) is not dict or self.comparison.old.get(entries, "Subtype") in {"Widget", None}:
            refuse("a widget that belongs to no field was changed")
        self.annotated("an annotation was changed", None)


def _list(value: Value) -> list[Value]:
    return value if type(value) is list else []


def _free(_old: Value, _new: Value) -> None:
    """An entry that shows nothing: a date."""

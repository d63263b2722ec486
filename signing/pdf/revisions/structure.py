"""What an update may do to the structure of a tagged PDF (ISO 32000-2, 14.7): new fields get a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.pdf.parsing import Ref
from signing.pdf.revisions.sameness import Comparison, refuse
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing.pdf.parsing import Document, Value

MAX_NODES, MAX_DEPTH = 100_000, 32
_ELEMENT = frozenset({"Type", "S", "P", "K", "Pg", "Lang", "T", "Alt", "ID", "NS"})
_SPOKEN = frozenset({"T", "Alt"})


@dataclass
class StructureRules:
    """Compare the structure trees of two states; `widgets` are the numbers of new fields' widgets.

    `described` is called for words that stand for a new field where pages are read aloud.
    """

    comparison: Comparison
    widgets: set[int]
    described: Callable[[], None]

    def root(self, old: Value, new: Value) -> None:
        """The tree from its root on."""
        if old is None:
            refuse("the document got a structure")
        waiting, seen = [(old, new)], set()
        while waiting:
            a, b = waiting.pop()
            if type(a) is Ref and a == b:
                if a.number in seen or not self.comparison.is_touched(a):
                    continue
                seen.add(a.number)
            if len(seen) > MAX_NODES:
                raise TooLarge("pdf", f"a structure of more than {MAX_NODES} elements")
            self.comparison.new.budget.spend(2)
            waiting += self._element(a, b)

    def _element(self, old: Value, new: Value) -> list[tuple[Value, Value]]:
        if type(old) is Ref and type(new) is Ref and old != new:
            refuse("the structure was changed")
        a, b = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        if type(a) is not dict or type(b) is not dict:
            if not self.comparison.same(old, new):
                refuse("the structure was changed")
            return []
        below: list[tuple[Value, Value]] = []

        def kids(one: Value, other: Value) -> None:
            below.extend(self._kids(one, other))

        rules = {
            "K": kids,
            "ParentTree": self._parents,
            "ParentTreeNextKey": _number,
        }
        if "P" in a:
            rules = {"K": kids, "P": self._upwards}
        self.comparison.entries(a, b, "the structure", rules)
        return below

    def _upwards(self, old: Value, new: Value) -> None:
        if old != new:
            refuse("the structure was changed")

    def _kids(self, old: Value, new: Value) -> list[tuple[Value, Value]]:
        before, after = self._items(self.comparison.old, old), self._items(self.comparison.new, new)
        pairs: list[tuple[Value, Value]] = []
        for item in after:
            if len(pairs) < len(before) and self._is(before[len(pairs)], item):
                pairs.append((before[len(pairs)], item))
            else:
                self._new(item)
        if len(pairs) < len(before):
            refuse("the structure lost a part")
        return [(a, b) for a, b in pairs if type(a) is Ref or type(a) is dict]

    def _is(self, old: Value, new: Value) -> bool:
        if type(old) is Ref or type(new) is Ref:
            return bool(old == new)
        return self.comparison.same(old, new)

    def _items(self, document: Document, value: Value) -> list[Value]:
        found = document.resolve(value)
        if type(found) is list:
            return found
        return [] if value is None else [value]

    def _new(self, item: Value) -> None:
        """A new element stands for nothing but new widgets: it must not say other words for old content."""
        new = self.comparison.new
        if type(item) is Ref and self.comparison.old.identity(item.number) is not None:
            refuse("the structure shows a part twice")
        entries = new.resolve(item)
        if type(entries) is not dict:
            refuse("the structure got a part of the page")
        if new.get(entries, "Type") == "OBJR" or "Obj" in entries:
            target = entries.get("Obj")
            if type(target) is not Ref or target.number not in self.widgets:
                refuse("the structure got a part that is no new field")
            return
        self._new_element(entries, 0)

    def _new_element(self, entries: dict[str, Value], depth: int) -> None:
        """An element that was not there: below it stand such elements, and in the end new fields alone."""
        new = self.comparison.new
        if entries.keys() - _ELEMENT or not self._items(new, entries.get("K")):
            refuse("the structure got more than a new field")
        if entries.keys() & _SPOKEN:
            self.described()
        for count, kid in enumerate(self._items(new, entries.get("K"))):
            if max(count, depth) > MAX_DEPTH:
                raise TooLarge("pdf", "too many parts of one element")
            inner = new.resolve(kid)
            target = inner.get("Obj") if type(inner) is dict else None
            if type(target) is Ref and target.number in self.widgets:
                continue
            is_new = type(kid) is Ref and self.comparison.old.identity(kid.number) is None
            if not is_new or type(inner) is not dict or "Obj" in inner or "K" not in inner:
                refuse("the structure got a part that is no new field")
            self._new_element(inner, depth + 1)

    def _parents(self, old: Value, new: Value) -> None:
        """The tree that leads from widgets and pages to their elements: old numbers mean what they meant."""
        before = dict(number_tree(self.comparison.old, old))
        after = dict(number_tree(self.comparison.new, new))
        for number, value in before.items():
            if number not in after or not self._is_same_list(value, after[number]):
                refuse("the structure leads elsewhere")
        for number in after.keys() - before.keys():
            self._new_parent(after[number])

    def _is_same_list(self, old: Value, new: Value) -> bool:
        if old == new and type(old) is Ref and not self.comparison.is_touched(old):
            return True
        a, b = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        if type(a) is list and type(b) is list:
            return a == b
        return bool(old == new)

    def _new_parent(self, value: Value) -> None:
        found = self.comparison.new.resolve(value)
        items = found if type(found) is list else [value]
        for item in items:
            entries = self.comparison.new.resolve(item)
            if entries is None:
                continue
            if type(entries) is not dict or not self._stands_for_a_field(entries):
                refuse("the structure leads elsewhere")
            if type(item) is not Ref or self.comparison.old.identity(item.number) is None:
                self._new_element(entries, 0)

    def _stands_for_a_field(self, entries: dict[str, Value]) -> bool:
        """Whether an element has a new field among what it stands for; readers go this way upwards, too."""
        new = self.comparison.new
        kids = [new.resolve(kid) for kid in self._items(new, entries.get("K"))]
        new.budget.spend(len(kids))
        targets = [kid.get("Obj") for kid in kids if type(kid) is dict]
        return any(type(one) is Ref and one.number in self.widgets for one in targets)


def number_tree(document: Document, tree: Value) -> Iterator[tuple[int, Value]]:
    """The pairs of a number tree (ISO 32000-2, 7.9.7), bounded."""
    waiting, nodes = [(tree, 0)], 0
    while waiting:
        item, depth = waiting.pop()
        node = document.resolve(item)
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise TooLarge("pdf", "a number tree that is too deep or too large")
        kids, pairs = document.get(node, "Kids"), document.get(node, "Nums")
        waiting += [(kid, depth + 1) for kid in kids] if type(kids) is list else []
        pairs = pairs if type(pairs) is list else []
        document.budget.spend(len(pairs))
        for number, value in zip(pairs[::2], pairs[1::2], strict=False):
            if type(number) is int:
                yield number, value


def _number(_old: Value, new: Value) -> None:
    if type(new) is not int and type(new) is not Ref:
        refuse("the structure was changed")

"""Whether a value says the same in two states of a file, through all that it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from signing.pdf.parsing import Ref, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.pdf.parsing import Document, Value

    Rule = Callable[[Value, Value], None]

_NUMBERS = (int, float)
# Rectangles and matrices, of numbers whole or not, which programs write anew in their own way.
_BOXES = frozenset(
    {"MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox", "Rect", "BBox", "Matrix", "QuadPoints"}
)


class Refused(Exception):
    """An update changes what none may change; the text says what."""


def refuse(what: str) -> NoReturn:
    """End a comparison."""
    raise Refused(what)


class Comparison:
    """Two states of a file. `tainted` are the numbers from which something can be reached that differs.

    `roles` are the pages, the fields and the catalogue that both states have: they are compared for
    themselves, and what merely points at one of them (a bookmark, an action) is the same when it points at
    the same one. `tables` are the numbers of the update's tables that are objects.
    """

    def __init__(self, old: Document, new: Document, tainted: set[int]) -> None:
        """Nothing is compared yet."""
        self.old, self.new, self.tainted = old, new, tainted
        self.roles: frozenset[int] = frozenset()
        self.tables: frozenset[int] = frozenset()
        self._equal: set[tuple[Value, Value, bool]] = set()

    def same(self, old: Value, new: Value, *, drawn: bool = False) -> bool:
        """Whether both say the same.

        With `drawn` they are part of what is shown, and pages and fields in them count as anything else does:
        a picture must not be hidden behind a field that may change.
        """
        found: set[tuple[Value, Value, bool]] = set()
        waiting = [(old, new)]
        while waiting:
            a, b = waiting.pop()
            if type(a) is Ref or type(b) is Ref:
                if self._settled(a, b, drawn):
                    continue
                if self._differ_in_role(a, b, drawn) or self._is_wild(a, b):
                    return False
                key = (_hashable(a), _hashable(b), drawn)
                if key in self._equal or key in found:
                    continue
                found.add(key)
                self.new.budget.spend(2)
                a, b = self.old.resolve(a), self.new.resolve(b)
            parts = self._parts(a, b, drawn)
            if parts is None:
                return False
            waiting += parts
        self._equal |= found
        return True

    def entries(
        self,
        old: Mapping[str, Value],
        new: Mapping[str, Value],
        where: str,
        rules: Mapping[str, Rule],
        *,
        drawn: bool = False,
    ) -> None:
        """Compare two dictionaries: entries with a rule by it, all others have to be the same."""
        for key in sorted(old.keys() | new.keys()):  # a report says the same each time
            rule = rules.get(key)
            if rule is not None:
                rule(old.get(key), new.get(key))
            elif key not in old or key not in new:
                refuse(f"{where}: /{key} was {'added' if key in new else 'taken away'}")
            elif not self.same_entry(key, old[key], new[key], drawn=drawn):
                refuse(f"{where}: /{key} was changed")

    def same_entry(self, key: str, old: Value, new: Value, *, drawn: bool = False) -> bool:
        """Whether an entry says the same: rectangles hold numbers, whole or not."""
        return (key in _BOXES and _is_same_box(old, new)) or self.same(old, new, drawn=drawn)

    def is_touched(self, ref: Value) -> bool:
        """Whether anything below a reference may differ; always for what is no reference."""
        return type(ref) is not Ref or ref.number in self.tainted

    def _settled(self, a: Value, b: Value, drawn: bool) -> bool:  # noqa: FBT001 - of `same`
        if type(a) is not Ref or a != b:
            return False
        return a.number not in self.tainted or (not drawn and a.number in self.roles)

    def _differ_in_role(self, a: Value, b: Value, drawn: bool) -> bool:  # noqa: FBT001 - of `same`
        if drawn or a == b:
            return False
        return any(type(one) is Ref and one.number in self.roles for one in (a, b))

    def _is_wild(self, a: Value, b: Value) -> bool:
        """Whether a reference leads nowhere here, and may lead to something that differs elsewhere.

        Some readers do not look at generations; one takes a table that is an object for an object.
        """
        for document, ref in ((self.old, a), (self.new, b)):
            if type(ref) is not Ref or document.is_there(ref):
                continue
            if ref.number in self.tables:
                return True
            if ref.number in self.tainted and document.identity(ref.number) is not None:
                return True
        return False

    def _parts(self, a: Value, b: Value, drawn: bool) -> list[tuple[Value, Value]] | None:  # noqa: FBT001 - of `same`
        """The pairs that have to be the same for two values to be; None where they cannot be."""
        kind = type(a)
        if kind is not type(b):
            return None  # 90.0 is not 90 to all readers where they want a whole number
        if kind is dict:
            # A bookmark names the element of the structure that it leads to; that is compared for itself.
            return _pairs(a, b, () if drawn or a.get("SE") != b.get("SE") else ("SE",))
        if kind is list:
            # Some readers do not follow references within a list of numbers.
            alike = len(a) == len(b) and all(
                (type(one) is Ref) == (type(other) is Ref) for one, other in zip(a, b, strict=True)
            )
            return list(zip(a, b, strict=True)) if alike else None
        if kind is Stream:
            # Not every reader takes what stands there: one that goes by the length must see the same as well.
            if self.old.get(a, "Length") != self.new.get(b, "Length") or self.old.raw(a) != self.new.raw(b):
                return None
            return _pairs(a.entries, b.entries, ("Length",))
        return [] if a == b else None


def _pairs(
    a: dict[str, Value], b: dict[str, Value], left_out: tuple[str, ...]
) -> list[tuple[Value, Value]] | None:
    if (a.keys() ^ b.keys()) - set(left_out):
        return None
    return [
        (value, b[key])
        for key, value in a.items()
        if key not in left_out and not (key in _BOXES and _is_same_box(value, b[key]))
    ]


def _is_same_box(a: Value, b: Value) -> bool:
    """Whether two lists hold the same numbers, whole or not."""
    if type(a) is not list or type(b) is not list or a != b:
        return False
    return all(type(item) in _NUMBERS for item in (*a, *b))


def _hashable(value: Value) -> Value:
    return value if type(value) is Ref else id(value)

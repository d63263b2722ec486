"""Whether a value says the same in two states of a file, through all that it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from signing.pdf.parsing import Ref, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.pdf.parsing import Document, Value

    Rule = Callable[[Value, Value], None]

_NUMBERS = (int, float)


class Refused(Exception):
    """An update changes what none may change; the text says what."""


def refuse(what: str) -> NoReturn:
    """End a comparison."""
    raise Refused(what)


class Comparison:
    """Two states of a file. `tainted` are the numbers from which something can be reached that differs.

    `roles` are the pages, the fields and the catalogue that both states have: they are compared for
    themselves, and what merely points at one of them (a bookmark, an action) is the same when it points at
    the same one.
    """

    def __init__(self, old: Document, new: Document, tainted: set[int]) -> None:
        """Nothing is compared yet."""
        self.old, self.new, self.tainted = old, new, tainted
        self.roles: frozenset[int] = frozenset()
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
                if self._differ_in_role(a, b, drawn):
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
            elif not self.same(old[key], new[key], drawn=drawn):
                refuse(f"{where}: /{key} was changed")

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

    def _parts(self, a: Value, b: Value, drawn: bool) -> list[tuple[Value, Value]] | None:  # noqa: FBT001 - of `same`
        """The pairs that have to be the same for two values to be; None where they cannot be."""
        kind = type(a)
        if kind is not type(b):
            return [] if type(a) in _NUMBERS and type(b) in _NUMBERS and a == b else None
        if kind is dict:
            # A bookmark names the element of the structure that it leads to; that is compared for itself.
            return _pairs(a, b, () if drawn or a.get("SE") != b.get("SE") else ("SE",))
        if kind is list:
            return list(zip(a, b, strict=True)) if len(a) == len(b) else None
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
    return [(value, b[key]) for key, value in a.items() if key not in left_out]


def _hashable(value: Value) -> Value:
    return value if type(value) is Ref else id(value)

"""Objects of a file that an update writes anew, and objects that it adds.

    draft = Draft(document, size)
    form = Spot(draft, root, ()).below("AcroForm")     # wherever it stands: an object of its own, or inside
    form.dictionary()["SigFlags"] = 3                  # the object that it stands in is written anew

What is not touched stays as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing.pdf.parsing import Ref
from signing.pdf.update.syntax import NotPlain
from signing.pdf.update.values import written

if TYPE_CHECKING:
    from signing.pdf.parsing import Document, Value
    from signing.pdf.update.assembling import Objects

MAX_HOPS = 16


class Draft:
    """The objects of one update. `NotPlain` for what cannot be written anew as it was."""

    def __init__(self, document: Document, size: int) -> None:
        """Keep the state that the update stands behind; `size` is the number behind its last object."""
        self.document, self._next = document, size
        self._changed: dict[int, Any] = {}
        self._added: Objects = []

    def number(self) -> int:
        """A number for one more object."""
        self._next += 1
        return self._next - 1

    def add(self, number: int, written: bytes) -> None:
        """One more object, as it is written from its number to `endobj`."""
        self._added.append((number, written))

    def add_value(self, value: dict[str, Value]) -> Ref:
        """One more object, which may be changed further."""
        number = self.number()
        self._changed[number] = value
        return Ref(number, 0)

    def value(self, ref: Ref) -> Value:
        """The object of a reference, as the update has it."""
        return self._changed[ref.number] if ref.number in self._changed else self.document.load(ref)

    def resolve(self, value: Value) -> Value:
        """The value itself, references followed."""
        for _ in range(MAX_HOPS):
            if type(value) is not Ref:
                return value
            value = self.value(value)
        raise NotPlain

    def changed(self, ref: Ref) -> Any:
        """A dictionary or an array that is an object, to be changed: the same one each time."""
        if ref.number in self._changed:
            return self._changed[ref.number]
        there = self.document.load(ref)
        if type(there) not in {dict, list} or ref.generation or self.document.oddity(ref.number):
            raise NotPlain  # readers may differ about what stands there
        found = self._changed[ref.number] = _deep(there)
        return found

    def objects(self) -> Objects:
        """All of them: dictionaries and arrays by their numbers, and then the others as they were added."""
        rows = [
            (number, b"%d 0 obj\n%b\nendobj\n" % (number, written(self._changed[number])))
            for number in sorted(self._changed)
        ]
        return rows + self._added


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a value stands: an object, or an entry of a dictionary in it."""

    draft: Draft
    ref: Ref
    path: tuple[str, ...] = ()

    def below(self, key: str) -> Spot:
        """Where an entry of the dictionary here stands."""
        found = self.value.get(key) if type(self.value) is dict else None
        return (
            Spot(self.draft, found) if type(found) is Ref else Spot(self.draft, self.ref, (*self.path, key))
        )

    @property
    def value(self) -> Value:
        """What stands here, None for nothing."""
        value = self.draft.value(self.ref)
        for key in self.path:
            value = value.get(key) if type(value) is dict else None
        return value

    def dictionary(self) -> dict[str, Value]:
        """The dictionary here, to be changed; an empty one is put where nothing stands."""
        found = self._container(dict)
        assert type(found) is dict  # noqa: S101 - what was asked for
        return found

    def array(self) -> list[Value]:
        """The array here, to be changed; an empty one is put where nothing stands."""
        found = self._container(list)
        assert type(found) is list  # noqa: S101 - what was asked for
        return found

    def _container(self, kind: type) -> Any:
        value, last = self.draft.changed(self.ref), len(self.path) - 1
        for place, key in enumerate(self.path):
            if type(value) is not dict:
                raise NotPlain
            value = value.setdefault(key, kind() if place == last else {})
        if type(value) is not kind:
            raise NotPlain
        return value


def _deep(value: Value) -> Any:
    """A copy, down to what is no dictionary and no array."""
    if type(value) is dict:
        return {key: _deep(item) for key, item in value.items()}
    return [_deep(item) for item in value] if type(value) is list else value

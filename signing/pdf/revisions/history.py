"""What happened to a file from one signature to the next, and what of it a signature lets happen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from signing.pdf.parsing import FREE, IN_USE, PACKED, Ref
from signing.pdf.revisions.catalogue import DocumentRules
from signing.pdf.revisions.changes import ARCHIVE, LEVELS, NONE, OTHER, Change, Told, legible
from signing.pdf.revisions.fields import Field, fields
from signing.pdf.revisions.graph import Graph, pointers
from signing.pdf.revisions.pages import page_tree
from signing.pdf.revisions.readers import objects_fault, own_numbers, tables_fault
from signing.pdf.revisions.sameness import Comparison, Refused
from signing.pdf.revisions.tiling import end_of, tiling_fault
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection

    from signing.pdf.parsing import Document, Section, Value
    from signing.pdf.revisions.fields import Permissions

MAX_OBJECTS = 8_388_608
_ONWARDS = ("Prev", "Root", "Encrypt", "XRefStm")
MAX_WIDTHS = (2, 8, 4)  # octets of the columns of a cross-reference stream


@dataclass(frozen=True, slots=True)
class Review:
    """What happened after one signature: `level` is none, archive, form, annotation or other.

    `told` are the fillings and notes of which people are told, `more` the levels of all other changes.
    There are so many `notes`, also where several say the same. `values` are those that fields got.
    """

    level: str
    detail: str = ""
    told: tuple[Told, ...] = ()
    more: frozenset[str] = frozenset()
    notes: int = 0
    values: tuple[Told, ...] = ()


class History:
    """The states of a file from its first signature on, each compared with the next.

    A change that a later state takes back is a change: each signature is judged by all that came after it.
    """

    def __init__(self, document: Document, ends: Collection[int]) -> None:
        """`ends` are where the bytes of signatures end. Nothing is compared yet."""
        self._document = document
        self._states: dict[int, Document] = {document.size: document}
        for end in ends:
            self._add(end)
        known = {state.sections[0].place for state in self._states.values()}
        for section in document.sections:
            if section.place not in known:
                self._add(end_of(document, section))
        first = min(ends, default=document.size)
        self._boundaries = sorted(end for end in self._states if end >= first)
        self._steps: dict[int, list[Change]] = {}
        self._fields: dict[int, dict[int, Field]] = {}  # of the last two states that were asked for

    def _add(self, end: int | None) -> None:
        if end is None or not 0 < end < self._document.size or end in self._states:
            return
        try:
            self._states[end] = self._document.as_of(end)
        except TooLarge:
            raise
        except MalformedInput:
            return

    def review(self, covered: int, permissions: Permissions) -> Review:
        """What came behind the first `covered` bytes, judged by what their signature permits.

        Raises `TooLarge` where finding out takes too much work; whatever else stands in the way is a change.
        """
        if covered not in self._states:
            return Review(OTHER, "what was signed is not a revision of this file")
        changes = [
            change
            for end in self._boundaries
            if covered <= end < self._document.size
            for change in self._after(end)
        ]
        locked = [
            Change(OTHER, f"the locked field {change.field!r}: {change.what}")
            for change in changes
            if change.field is not None and change.level != ARCHIVE and permissions.locked(change.field)
        ]
        changes += locked
        worst = max((change.level for change in changes), key=LEVELS.index, default=NONE)
        named = dict.fromkeys(change.what for change in changes if change.level == worst)
        told = dict.fromkeys(change.told for change in changes if change.told)
        more = frozenset(change.level for change in changes if not change.told)
        notes = sum(change.told is not None and change.told.kind == "noted" for change in changes)
        values = dict.fromkeys(change.value for change in changes if change.value)
        return Review(worst, legible("; ".join(named)[:300]), tuple(told), more, notes, tuple(values))

    def _after(self, boundary: int) -> list[Change]:
        """What the next revision did, judged once."""
        if boundary not in self._steps:
            following = self._boundaries[self._boundaries.index(boundary) + 1]
            try:
                self._steps[boundary] = self._compare(self._states[boundary], self._states[following])
            except TooLarge:
                raise
            except (Refused, MalformedInput) as exc:
                self._steps[boundary] = [Change(OTHER, str(exc)[:200])]
        return self._steps[boundary]

    def _compare(self, old: Document, new: Document) -> list[Change]:
        """What one revision did; in a hybrid file what it did to either half of the readers."""
        changes = self._compare_whole(old, new)
        sections = new.sections[: len(new.sections) - len(old.sections)]
        if any(section.is_hybrid for section in sections):
            half = self._by_tables.changes_between(old.size, new.size)
            one, other = ({change.told for change in part if change.told} for part in (changes, half))
            if one and other and one != other:
                raise Refused("two tables by which a field says different things")
            changes += half
        return changes

    def changes_between(self, start: int, end: int) -> list[Change]:
        """What changed from one state to another, by the rules of documents alone."""
        old, new = self._states[start], self._states[end]
        sections = new.sections[: len(new.sections) - len(old.sections)]
        return self._compare_by_rules(old, new, sections)

    def _compare_whole(self, old: Document, new: Document) -> list[Change]:
        if not new.ends_well:
            raise Refused("the file does not end where a revision ends")
        sections = new.sections[: len(new.sections) - len(old.sections)]
        fault = tiling_fault(new, sections, old.size, new.size)
        fault = fault or _ambiguity(old, new, sections) or _replaced(old, new, sections)
        fault = fault or tables_fault(old, new, sections)
        if fault:
            raise Refused(fault)
        changed = self._graph.changed(old, new)
        for number in changed:
            _demand_clean(old, number)
            _demand_clean(new, number)
            _demand_whole(old, new, number)
        if fault := objects_fault(old, new, changed):
            raise Refused(fault)
        return self._compare_by_rules(old, new, sections)

    def _compare_by_rules(self, old: Document, new: Document, sections: list[Section]) -> list[Change]:
        changed = self._graph.changed(old, new)
        tables = own_numbers(sections)
        comparison = Comparison(old, new, self._graph.reaching(changed | tables))
        comparison.tables = tables
        before, after = self._fields_of(old), self._fields_of(new)
        comparison.roles = self._pages | (before.keys() & after.keys()) | _catalogue(old, new)
        found = DocumentRules(comparison, before, after).compare()
        return found or [Change(ARCHIVE, "a revision that changes nothing")] * bool(sections)

    def _fields_of(self, state: Document) -> dict[int, Field]:
        """The fields of a state by their numbers: the newer one of a step is the older one of the next."""
        if state.size not in self._fields:
            last = list(self._fields.items())[-1:]
            self._fields = dict([*last, (state.size, _by_number(state))])
        return self._fields[state.size]

    @cached_property
    def _by_tables(self) -> History:
        """The same file for readers that know no streams beside tables."""
        ends = [end for end in self._boundaries if end < self._document.size]
        half = History(self._document.by_tables_alone(), ends)
        if half._boundaries != self._boundaries:
            raise Refused("two tables that say different things")
        return half

    @cached_property
    def _pages(self) -> frozenset[int]:
        """The pages of the oldest state; a state with other ones is refused."""
        return frozenset(page_tree(self._states[self._boundaries[0]]))

    @cached_property
    def _graph(self) -> Graph:
        oldest = self._states[self._boundaries[0]]
        return Graph(self._document, self._boundaries, self._pages | _by_number(oldest).keys())


def _catalogue(old: Document, new: Document) -> set[int]:
    """The catalogue, which signatures refer to as what they are for."""
    root = old.trailer.get("Root")
    return {root.number} if isinstance(root, Ref) and root == new.trailer.get("Root") else set()


def _by_number(document: Document) -> dict[int, Field]:
    return {field.ref.number: field for field in fields(document) if field.ref is not None}


def _ambiguity(old: Document, new: Document, sections: list[Section]) -> str | None:
    """What readers might understand differently in a file that has this update."""
    if old.source[:5] != b"%PDF-":
        return "a file that does not begin with its header"
    if any(_is_split(old, section) for section in sections):
        return "an update with two tables"
    # An object beyond the size that the table states is none to some; a larger size would bring it in.
    # A smaller size takes some out.
    beyond = old.trailer.get("Size") != new.trailer.get("Size") if old.beyond_size() else new.beyond_size()
    if sections and beyond:
        return "objects beyond the size of the table"
    if any(map(_is_unusual, sections)):
        return "a table that some readers cannot read, and repair"
    return next((section.oddity for section in (*sections, old.sections[0]) if section.oddity), None)


def _is_split(old: Document, section: Section) -> bool:
    """Whether two tables of an update say different things of one object, or of where to read on.

    Some readers look for a second table beside a stream, too; some take what stands there first.
    """
    if "XRefStm" not in section.trailer:
        return False
    beside, visible = section.beside, section.visible
    if beside is None or visible is None or beside.place < old.size or beside.oddity or beside.looseness:
        return True
    if any(beside.trailer.get(key, section.trailer.get(key)) != section.trailer.get(key) for key in _ONWARDS):
        return True
    return any(
        number in visible and visible[number].kind != FREE and visible[number] != entry
        for number, entry in beside.entries.items()
    )


def _demand_clean(document: Document, number: int) -> None:
    """An object of an update, and what it replaces, reads the same way to everybody."""
    oddity = document.oddity(number)
    document.load(document.reference(number))
    if oddity:
        raise Refused(f"object {number}: {oddity}")


def _is_unusual(section: Section) -> bool:
    """Numbers beyond the usual (ISO 32000-1, C.2), entries of a kind that is not known, long columns."""
    trailer, entries = section.trailer, section.entries
    size, widths = trailer.get("Size"), trailer.get("W", [1, 1, 1])
    return (
        type(trailer.get("Prev")) is float
        or type(size) is not int
        or size > MAX_OBJECTS
        or max(entries, default=0) >= MAX_OBJECTS
        or any(entry.kind > PACKED for entry in entries.values())
        or (type(widths) is list and any(map(_is_wide, widths, MAX_WIDTHS)))
    )


def _is_wide(width: Value, most: int) -> bool:
    """Whether a column is wider than usual; a table's trailer may say anything here."""
    return type(width) is not int or width > most


def _replaced(old: Document, new: Document, sections: list[Section]) -> str | None:
    """An object that the update brings, and another table of the same update takes out of use."""
    current = dict(new.numbers())
    for section in sections[1:]:
        for number, entry in section.entries.items():
            if entry.kind == IN_USE and entry.place >= old.size and current.get(number) != entry:
                return f"object {number} is written twice"
    return None


def _demand_whole(old: Document, new: Document, number: int) -> None:
    """What an update writes refers to what is there: some readers repair a file in which it does not.

    They take the last object of each number then, whatever the tables say.
    """
    found = _leading_nowhere(new, number)
    known = set(_leading_nowhere(old, number)) if found else set()
    for ref in found:
        if ref not in known:
            raise Refused(f"object {number} refers to object {ref.number}, which is not there")


def _leading_nowhere(document: Document, number: int) -> list[Ref]:
    value = document.load(document.reference(number))
    found = [ref for ref in pointers(value) if not document.is_there(ref)]
    document.budget.spend(len(found))
    return found

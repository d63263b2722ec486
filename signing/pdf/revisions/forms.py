"""What an update may do to a form: sign it, add fields to sign in, fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from signing.pdf.parsing import Ref
from signing.pdf.revisions.changes import ARCHIVE, FORM, Told
from signing.pdf.revisions.fields import Field, full_name
from signing.pdf.revisions.filling import Filling, shortened, told
from signing.pdf.revisions.pages import page_tree
from signing.pdf.revisions.sameness import Comparison, refuse
from signing.pdf.revisions.scripts import has_scripts
from signing.pdf.revisions.widgets import is_seen, is_widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from signing.pdf.parsing import Document, Value

FILLED_IN = frozenset({"V", "RV", "AP", "AS", "I", "M", "DA", "DS", "MK"})
SIGNED = frozenset({"V", "AP", "AS", "M", "MK"})
# What a field gets that becomes its own widget, and nothing else: it might be something else as well.
WIDGET: dict[str, Callable[[Value], bool]] = {
    "P": lambda value: type(value) is Ref,
    "Type": lambda value: bool(value == "Annot"),
    "Subtype": lambda value: bool(value == "Widget"),
    "NM": lambda value: type(value) is bytes,
}
# What a new signature field may consist of: no actions, no layers.
NEW_FIELD = frozenset(
    {
        "Type", "Subtype", "FT", "T", "TU", "TM", "V", "Rect", "F", "Ff", "P", "Parent", "Kids", "AP",
        "AS", "MK", "M", "NM", "DA", "DR", "Q", "H", "BS", "Border", "C", "Lock", "SV", "StructParent",
        "Lang", "DV",
    }
)  # fmt: skip
READ_ONLY, MAX_ABOVE = 1, 32


class Say(Protocol):
    """Takes a change: how far it goes, in words, the name of the field, what people are told, what it got."""

    def __call__(
        self,
        level: str,
        what: str,
        field: str | None,
        told: Told | None = None,
        value: Told | None = None,
        /,
    ) -> None:
        """Take it."""


@dataclass
class FormRules:
    """Compare the forms of two states; `said` takes what changed."""

    comparison: Comparison
    old_fields: Mapping[int, Field]
    new_fields: Mapping[int, Field]
    said: Say
    shown: list[int] = field(default_factory=list)
    widgets: set[int] = field(default_factory=set)
    signed: set[int] = field(default_factory=set)

    def form(self, old: Value, new: Value) -> None:
        """The form as a whole.

        Then `shown` holds the numbers of new widgets that are seen, and `widgets` all new ones.

        `signed` holds the numbers of fields that were there and are signed now.
        """
        a, b = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        if a is None and b is None:  # half of the readers see no form of a hybrid file
            return
        if old is not None and (type(a) is not dict or type(b) is not dict):
            refuse("the form was taken away")
        if type(b) is not dict:
            refuse("the form is none")
        rules = {
            "Fields": lambda one, other: self._group(one, other, "", None),
            "SigFlags": _flags,
            "NeedAppearances": self._appearances,
            "DR": self._resources,
            "DA": self._default,
        }
        self.comparison.entries(a if type(a) is dict else {}, b, "the form", rules)

    def _group(self, old: Value, new: Value, parent: str, kind: str | None) -> None:
        """Fields that stand side by side: the old ones in their order, new ones to sign in."""
        before = _list(self.comparison.old.resolve(old))
        after = _list(self.comparison.new.resolve(new))
        place = 0
        for item in after:
            if place < len(before) and item == before[place]:
                self._field(before[place], item, parent, kind)
                place += 1
            else:
                self._new(item, parent, kind)
        if place < len(before):
            refuse("a field was taken away")

    def _field(self, old: Value, new: Value, parent: str, kind: str | None) -> None:
        if type(old) is not Ref:
            if not self.comparison.same(old, new, drawn=True):
                refuse("a field was changed")
            return
        if not self.comparison.is_touched(old):
            return
        self.comparison.new.budget.spend(4)
        a, b = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        if type(a) is not dict or type(b) is not dict:
            refuse("a field was taken away")
        name = full_name(parent, self.comparison.old.get(a, "T"))
        own = self.comparison.old.get(a, "FT")
        kind = own if isinstance(own, str) else kind
        kids = {"Kids": lambda one, other: self._kids(one, other, a, b, name, kind)}
        if kind == "Sig" and "V" not in a and "V" in b:
            self.signed.add(old.number)
        self._terminal(a, b, name, kind, kids, number=old.number)

    def _kids(  # noqa: PLR0913, PLR0917 - a field in both states, and what it inherits
        self, old: Value, new: Value, a: dict[str, Value], b: dict[str, Value], name: str, kind: str | None
    ) -> None:
        before = _list(self.comparison.old.resolve(old))
        if not before and (kind is not None or "Rect" in a):
            refuse(f"{name}: a field became a group of fields")
        fields = [self.comparison.old.resolve(item) for item in before]
        if any(type(item) is dict and "T" in item for item in fields) or kind is None or not before:
            self._group(old, new, name, kind)
            return
        after = _list(self.comparison.new.resolve(new))
        if before != after:
            refuse(f"{name}: it is shown where it was not")
        # Widgets of one field: what they may change hangs on whether it was filled in.
        for item in before:
            if self.comparison.is_touched(item):
                one, other = self.comparison.old.resolve(item), self.comparison.new.resolve(item)
                if type(one) is not dict or type(other) is not dict:
                    refuse(f"{name}: its widget was taken away")
                self._terminal(
                    one,
                    other,
                    name,
                    kind,
                    {"Kids": self._fixed},
                    number=item.number if type(item) is Ref else -1,
                    owner=(a, b),
                )

    def _terminal(  # noqa: PLR0913 - a field in both states, and what it inherits
        self,
        a: dict[str, Value],
        b: dict[str, Value],
        name: str,
        kind: str | None,
        rules: Mapping[str, Callable[[Value, Value], None]],
        *,
        number: int,
        owner: tuple[dict[str, Value], dict[str, Value]] | None = None,
    ) -> None:
        """A field or widget that both states have."""
        before, after = owner or (a, b)
        if kind == "Sig":
            allowed = self._signed(before, after, name)
        else:
            allowed = self._filled((before, after), (a, b), name, kind, number)
        free: dict[str, Callable[[Value, Value], None]] = dict.fromkeys(allowed, _free)
        if allowed and kind == "Sig":
            free |= {"F": _flags_of_widget}
            free |= {key: self._added(good) for key, good in WIDGET.items()}
        if kind == "Btn":
            free.pop("AP", None)
        appearance = {"AP": lambda one, other: self._appearance(one, other, name)}
        always = {**appearance, "OC": self._layer, "Ff": self._locking}
        self.comparison.entries(a, b, f"field {name!r}", {**always, **free, **rules})

    def _signed(self, before: dict[str, Value], after: dict[str, Value], name: str) -> frozenset[str]:
        """What may differ at a field to sign in: only when this update signed it."""
        old, new = self.comparison.old.resolve(before.get("V")), self.comparison.new.resolve(after.get("V"))
        if old is not None or new is None:
            return frozenset()
        stamp = self.comparison.new.get(new, "SubFilter") == "ETSI.RFC3161"
        seen = self._is_shown(self.comparison.old, before) or self._is_shown(self.comparison.new, after)
        level = ARCHIVE if stamp and not seen else FORM
        self.said(level, f"{name} was signed", name)
        return SIGNED

    def _filled(
        self,
        owner: tuple[dict[str, Value], dict[str, Value]],
        widget: tuple[dict[str, Value], dict[str, Value]],
        name: str,
        kind: str | None,
        number: int,
    ) -> frozenset[str]:
        """What may differ at a field that is filled in: something when its value does."""
        before, after = owner
        if kind not in {"Tx", "Ch", "Btn"}:
            return frozenset()
        if self.comparison.same(before.get("V"), after.get("V"), drawn=True):
            return frozenset()
        plain = None
        if (
            number not in self._borrowed
            and not self._is_scripted
            and Filling(self.comparison, kind).is_plain(owner, widget)
        ):
            plain = Told("filled", shortened(name), told(after, self.comparison.new))
        was_empty = self.comparison.old.resolve(before.get("V")) in (None, b"", b"\xfe\xff", "Off", [])
        value = Told("filled" if was_empty else "changed", shortened(name), told(after, self.comparison.new))
        self.said(FORM, f"{name} was {'filled in' if was_empty else 'changed'}", name, plain, value)
        return FILLED_IN

    def _added(self, good: Callable[[Value], bool]) -> Callable[[Value, Value], None]:
        def rule(old: Value, new: Value) -> None:
            if not good(new) if old is None else not self.comparison.same(old, new):
                refuse("a field to sign in was changed")

        return rule

    def _locking(self, old: Value, new: Value) -> None:
        """A field that was locked may say so: it becomes one to read only."""
        given = self.comparison.old.resolve(old), self.comparison.new.resolve(new)
        before, after = (value if type(value) is int else 0 for value in given)
        if after not in {before, before | READ_ONLY}:
            refuse("a field is of another kind")

    def _fixed(self, old: Value, new: Value) -> None:
        if not self.comparison.same(old, new, drawn=True):
            refuse("a widget was changed")

    def _layer(self, old: Value, new: Value) -> None:
        """Whether it is shown: what tells that must not be hidden behind a field that may change."""
        if not self.comparison.same(old, new, drawn=True):
            refuse("a field is on another layer")

    def _appearance(self, old: Value, new: Value, name: str) -> None:
        if not self.comparison.same(old, new, drawn=True):
            refuse(f"field {name!r} is shown differently")

    def _new(self, item: Value, parent: str, kind: str | None) -> None:
        """A field that was not there."""
        found = self.new_fields.get(item.number) if type(item) is Ref else None
        if found is None or found.ref is None or self.comparison.old.identity(found.ref.number) is not None:
            refuse("something that was there before became a field")
        own = self.comparison.new.get(found.entries, "FT") or kind
        name = full_name(parent, self.comparison.new.get(found.entries, "T"))
        if any(field.name == name for field in self.old_fields.values()):
            refuse(f"there are two fields of the name {name!r}")
        if own != "Sig":
            kids = _list(self.comparison.new.get(found.entries, "Kids"))
            if own is not None or not kids or found.entries.keys() - {"T", "Kids", "Parent", "TU", "TM"}:
                refuse(f"the field {name!r} was added")
            self._group(None, kids, name, None)
            return
        self._new_signature(found, found.ref, name)

    def _new_signature(self, found: Field, own: Ref, name: str) -> None:
        widgets = [own]
        kids = _list(self.comparison.new.get(found.entries, "Kids"))
        if kids:
            widgets = [kid for kid in kids if type(kid) is Ref]
            if len(widgets) != len(kids) or any(self.comparison.old.identity(kid.number) for kid in widgets):
                refuse("something that was there before became a field")
        seen = False
        for ref in widgets:
            entries = self.comparison.new.resolve(ref)
            if type(entries) is not dict or entries.keys() - NEW_FIELD or (kids and "Kids" in entries):
                refuse(f"the field {name!r} holds more than a signature's field does")
            self.widgets.add(ref.number)
            if is_seen(self.comparison.new, entries):
                seen = True
                self.shown.append(ref.number)
        if found.entries.keys() - NEW_FIELD:
            refuse(f"the field {name!r} holds more than a signature's field does")
        value = self.comparison.new.get(found.entries, "V")
        stamp = self.comparison.new.get(value, "SubFilter") == "ETSI.RFC3161"
        level = ARCHIVE if stamp and not seen else FORM
        self.said(level, f"the field {name!r} to sign in was added", name)

    def _is_shown(self, document: Document, entries: dict[str, Value]) -> bool:
        """Whether a field or one of its widgets is seen in one state."""
        kids = map(document.resolve, _list(document.get(entries, "Kids")))
        return any(is_seen(document, one) for one in (entries, *kids) if type(one) is dict)

    def _appearances(self, old: Value, new: Value) -> None:
        if self.comparison.new.resolve(new) is True and self.comparison.old.resolve(old) is not True:
            refuse("fields are to be drawn anew")
        if not self.comparison.same(old, new):
            level = FORM if self._is_drawn_anew else ARCHIVE
            self.said(level, "fields are not drawn anew any more", None)

    def _resources(self, old: Value, new: Value) -> None:
        """What fields are drawn with: new names may come in, none that was there may mean another thing.

        It is nothing to signatures, which bring their own.
        """
        if self._is_drawn_anew and not self._only_grows(old, new):
            refuse("what the form is drawn with was changed")
        if not self.comparison.same(old, new, drawn=True):
            self.said(FORM if self._is_drawn_anew else ARCHIVE, "the form got more to be drawn with", None)

    def _only_grows(self, old: Value, new: Value) -> bool:
        before, after = self.comparison.old.resolve(old) or {}, self.comparison.new.resolve(new) or {}
        if type(before) is not dict or type(after) is not dict:
            return False
        for key, group in before.items():
            one, other = self.comparison.old.resolve(group), self.comparison.new.resolve(after.get(key))
            if key == "XObject":  # no field is drawn with a picture of the form's
                continue
            if type(one) is not dict or type(other) is not dict:
                if not self.comparison.same(group, after.get(key), drawn=True):
                    return False
            elif not all(
                name in other and self.comparison.same(one[name], other[name], drawn=True) for name in one
            ):
                return False
        return True

    def _default(self, old: Value, new: Value) -> None:
        if old is not None and not self.comparison.same(old, new):
            refuse("the form is drawn with other letters")
        if old is None:
            level = FORM if self._is_drawn_anew else ARCHIVE
            self.said(level, "the form got letters to be drawn with", None)

    @cached_property
    def _is_drawn_anew(self) -> bool:
        """Whether readers draw something from what the form says: fields but those to sign in, free text.

        Some take a widget for a field that is in no form, and a field for one of its kind that says it oddly.
        """
        fields = self.old_fields.values()
        if any(one.kind != "Sig" and (one.kind is not None or "Rect" in one.entries) for one in fields):
            return True
        old = self.comparison.old
        to_sign = {number for number, one in self.old_fields.items() if one.kind == "Sig"}
        return any(
            old.get(note, "Subtype") == "FreeText"
            or ((type(item) is not Ref or item.number not in to_sign) and is_widget(old, note))
            for item, note in self._notes(old)
        )

    @cached_property
    def _is_scripted(self) -> bool:
        """Whether the document holds scripts, which may show another thing once a value is there."""
        return has_scripts(self.comparison.old)

    @cached_property
    def _borrowed(self) -> set[int]:
        """Fields from which something inherits that is none of theirs: readers may show their value there."""
        new = self.comparison.new
        found: set[int] = set()
        kids: dict[Ref, set[Ref]] = {}
        noted = [(item, note) for item, note in self._notes(new) if type(note) is dict]
        in_form: list[tuple[Value, Value]] = [(one.ref, one.entries) for one in self.new_fields.values()]
        for item, entries in noted + in_form:
            below, is_own = item, True
            for _ in range(MAX_ABOVE):
                above = entries.get("Parent")
                entries = new.resolve(above)  # noqa: PLW2901 - one step up
                if type(entries) is not dict:
                    break
                new.budget.spend(1)
                if type(above) is Ref and above not in kids:
                    kids[above] = {one for one in _list(new.get(entries, "Kids")) if type(one) is Ref}
                is_own = is_own and type(above) is Ref and type(below) is Ref and below in kids[above]
                if not is_own and type(above) is Ref:
                    found.add(above.number)
                below = above
        return found

    def _notes(self, document: Document) -> Iterator[tuple[Value, Value]]:
        """What lies on the pages, as it is listed and as it is."""
        for number in page_tree(document):
            notes = _list(document.get(document.load(document.reference(number)), "Annots"))
            document.budget.spend(len(notes))
            yield from ((item, document.resolve(item)) for item in notes)


def _list(value: Value) -> list[Value]:
    return value if type(value) is list else []


def _free(_old: Value, _new: Value) -> None:
    """An entry that goes with what was filled in or signed."""


def _flags(old: Value, new: Value) -> None:
    before, after = (value if type(value) is int else 0 for value in (old, new))
    if after & ~3 or before & ~after:
        refuse("the form says less of its signatures")


def _flags_of_widget(old: Value, new: Value) -> None:
    """How a widget is shown may change with the signature in it."""
    if not all(value is None or type(value) is int for value in (old, new)):
        refuse("a field to sign in was changed")

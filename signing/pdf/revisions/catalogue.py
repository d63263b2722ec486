"""What an update may do to a document as a whole: its catalogue, its trailer, what it says about itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signing.pdf.parsing import Name, Ref, Stream
from signing.pdf.revisions.changes import ANNOTATION, ARCHIVE, FORM, Change, Told
from signing.pdf.revisions.forms import FormRules
from signing.pdf.revisions.metadata import MAX_PACKET_BYTES, say_the_same, says_nothing_new
from signing.pdf.revisions.pages import PageRules
from signing.pdf.revisions.sameness import Comparison, refuse
from signing.pdf.revisions.structure import StructureRules
from signing.pdf.revisions.widgets import rectangle
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.pdf.parsing import Document, Value
    from signing.pdf.revisions.fields import Field

# Of a trailer: how the table is written, and what a file is known by from version to version.
_WRITTEN = frozenset(
    {"Size", "Prev", "XRefStm", "ID", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "Root", "Info"}
)
_PASSING_INFO = frozenset({"ModDate", "CreationDate", "Producer"})
_VERSION = re.compile(r"[1-9]\.[0-9]")


class DocumentRules:
    """Compare two states of a document as a whole. Raises `Refused`."""

    def __init__(
        self, comparison: Comparison, old_fields: Mapping[int, Field], new_fields: Mapping[int, Field]
    ) -> None:
        """`old_fields` and `new_fields` are the nodes of the form in both states, by number."""
        self.changes: list[Change] = []
        self._comparison, self._old_fields = comparison, old_fields
        self._form = FormRules(comparison, old_fields, new_fields, self._say)
        self._pages = PageRules(
            comparison,
            frozenset(old_fields),
            frozenset(new_fields),
            self._form.widgets,
            self._form.signed,
            self._annotated,
        )

    def compare(self) -> list[Change]:
        """All that changed, in the order in which it is found."""
        old, new = self._comparison.old, self._comparison.new
        self._trailer(old.trailer, new.trailer)
        structure = StructureRules(self._comparison, self._form.widgets, self._described)
        rules: dict[str, Callable[[Value, Value], None]] = {
            "AcroForm": self._form.form,
            "DSS": self._store,
            "Extensions": self._extensions,
            "Metadata": self._metadata,
            "OCProperties": self._layers,
            "Pages": self._pages.tree,
            "Perms": self._permissions,
            "StructTreeRoot": structure.root,
            "Version": self._version,
        }
        # The form first: what lies on a page, and in the structure, is judged by the fields found there.
        before, after = old.root, new.root
        if "AcroForm" in after or "AcroForm" in before:
            self._form.form(before.get("AcroForm"), after.get("AcroForm"))
            rules["AcroForm"] = lambda _old, _new: None
        self._comparison.entries(before, after, "the catalogue", rules)
        self._covering()
        return self.changes

    def _say(
        self,
        level: str,
        what: str,
        field: str | None = None,
        told: Told | None = None,
        value: Told | None = None,
    ) -> None:
        self.changes.append(Change(level, what, field, told, value))

    def _described(self) -> None:
        self._say(FORM, "a new field is described in words")

    def _annotated(self, what: str, told: Told | None = None) -> None:
        self._say(ANNOTATION, what, None, told)

    def _trailer(self, old: Mapping[str, Value], new: Mapping[str, Value]) -> None:
        for key in new.keys() - _WRITTEN:  # what is left out there says nothing to anybody
            if key == "AdditionalStreams" and self._leads_to_no_stream(new[key]):
                continue
            if not self._was_said(key, old, new[key]):
                refuse(f"the trailer: /{key} was changed")
        self._info(old.get("Info"), new.get("Info"))

    def _was_said(self, key: str, old: Mapping[str, Value], value: Value) -> bool:
        """Whether the trailer said so, or an earlier one: some makers put back what others left out."""
        trailers = [old, *(section.trailer for section in self._comparison.old.sections)]
        found = next((one[key] for one in trailers if key in one), None)
        return found is not None and self._comparison.same(found, value)

    def _leads_to_no_stream(self, named: Value) -> bool:
        """Whether the editable original that LibreOffice names is none: it counts on whenever it signs."""
        state = self._comparison.new
        items = state.resolve(named)
        return type(items) is list and not any(isinstance(state.resolve(one), Stream) for one in items)

    def _info(self, old: Value, new: Value) -> None:
        """Dates and makers may change with any update; a new title is for a further signature."""
        a, b = self._comparison.old.resolve(old), self._comparison.new.resolve(new)
        if a is None and b is None:
            return
        if not self._comparison.same(a if type(a) is dict else {}, b if type(b) is dict else {}, drawn=True):
            one, other = (
                {key: value for key, value in item.items() if key not in _PASSING_INFO}
                if type(item) is dict
                else {}
                for item in (a, b)
            )
            same = self._comparison.same(one, other, drawn=True)
            self._say(ARCHIVE if same else FORM, "what the file says about itself was changed")

    def _store(self, old: Value, new: Value) -> None:
        """Evidence may come, and parts of it may go; who takes all of it away does no work of an archive."""
        if old is not None and new is None:
            refuse("the evidence was taken away")
        if not self._comparison.same(old, new, drawn=True):
            self._say(ARCHIVE, "evidence was put in")

    def _layers(self, old: Value, new: Value) -> None:
        """Which layers are shown is part of what pages show."""
        if not self._comparison.same(old, new, drawn=True):
            refuse("the catalogue: /OCProperties was changed")

    def _extensions(self, old: Value, new: Value) -> None:
        a, b = self._comparison.old.resolve(old), self._comparison.new.resolve(new)
        a, b = ({} if item is None else item for item in (a, b))
        if type(a) is not dict or type(b) is not dict or a.keys() - b.keys():
            refuse("the catalogue: /Extensions was changed")
        if not all(self._comparison.same(a[key], b[key]) for key in a if key == "Type"):
            refuse("the catalogue: /Extensions was changed")
        if not self._comparison.same(a, b):
            self._say(ARCHIVE, "extensions of PDF were named")

    def _version(self, old: Value, new: Value) -> None:
        named = self._comparison.new.resolve(new)
        if not isinstance(named, Name) or not _VERSION.fullmatch(named):
            refuse("the version of PDF was taken away")
        before = self._comparison.old.resolve(old)
        if isinstance(before, Name) and _VERSION.fullmatch(before) and before > named:
            refuse("the file says that it is of an older version of PDF")
        if before != named:
            self._say(ARCHIVE, "a version of PDF was named")

    def _permissions(self, old: Value, new: Value) -> None:
        """The signature that certifies stays; rights that a reader was given may go (12.8.6)."""
        a, b = self._comparison.old.resolve(old), self._comparison.new.resolve(new)
        a, b = (item if type(item) is dict else {} for item in (a, b))
        for key in sorted(a.keys() | b.keys()):
            if key in {"UR", "UR3"} and key not in b:
                self._say(FORM, "rights that readers had were taken away")
            elif key == "DocMDP" and key not in a:
                refuse("a certification came behind a signature")
            elif (
                key not in a or key not in b or a[key] != b[key] or not self._comparison.same(a[key], b[key])
            ):
                refuse("what the document permits was changed")

    def _metadata(self, old: Value, new: Value) -> None:
        """Metadata are content here, programs read them; the dates of a version are not."""
        if self._comparison.same(old, new, drawn=True):
            return
        a = _packet(self._comparison.old, self._comparison.old.resolve(old))
        b = _packet(self._comparison.new, self._comparison.new.resolve(new))
        if old is None and b is not None:
            lasting = says_nothing_new(b)
        else:
            lasting = a is not None and b is not None and say_the_same(a, b)
        self._say(ARCHIVE if lasting else FORM, "the metadata were changed")

    def _covering(self) -> None:
        """No new field may lie over most of something else that is seen: a comment, a field, a seal.

        Signatures may share one place, as long as none of them certifies.
        """
        new = self._comparison.new
        certified = self._comparison.old.get(self._comparison.old.root, "Perms") is not None
        signed = {number for number, field in self._old_fields.items() if field.kind == "Sig"}
        for number in self._form.shown:
            if number not in self._pages.placed:
                continue
            own = rectangle(new.get(new.resolve(new.reference(number)), "Rect"), self._comparison)
            for item in self._pages.placed[number]:
                other = new.resolve(item)
                if not certified and isinstance(item, Ref) and item.number in signed:
                    continue
                if own is None or type(other) is not dict or new.get(other, "Subtype") in {"Link", "Popup"}:
                    continue
                under = rectangle(new.get(other, "Rect"), self._comparison)
                if under is not None and _share(own, under) > MOST:
                    refuse("a new field lies over something that was there")


MOST = 0.5
Box = tuple[float, float, float, float]


def _share(over: Box, under: Box) -> float:
    """How much of a rectangle another one covers, 0 for a rectangle without an area."""
    width = min(over[2], under[2]) - max(over[0], under[0])
    height = min(over[3], under[3]) - max(over[1], under[1])
    area = (under[2] - under[0]) * (under[3] - under[1])
    return width * height / area if width > 0 and height > 0 and area > 0 else 0.0


def _packet(document: Document, metadata: Value) -> bytes | None:
    """The metadata as they are written; None for what cannot be read."""
    if not isinstance(metadata, Stream):
        return None
    try:
        return document.decode(metadata, limit=MAX_PACKET_BYTES)
    except MalformedInput:
        return None

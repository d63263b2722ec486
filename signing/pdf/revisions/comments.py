"""Comments that hide nothing and look like nothing else: small notes, which open when they are asked.

What covers a page's words, or could be taken for them (text on the page, stamps, lines, highlights), is not
among them; nor is a note that brings a look of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.parsing import Ref
from signing.pdf.revisions.changes import Told
from signing.pdf.revisions.filling import shortened, spelling
from signing.pdf.revisions.widgets import box_of

if TYPE_CHECKING:
    from signing.pdf.parsing import Document, Value
    from signing.pdf.revisions.sameness import Comparison

MAX_NOTE_SIDE, MAX_FLAGS = 50, 1 << 10
ICONS = (None, "Note", "Comment", "Key", "Help", "Insert", "NewParagraph", "Paragraph")
_BOTH = frozenset(
    {"Type", "Subtype", "Rect", "Contents", "P", "NM", "M", "F", "C", "T", "Open", "CreationDate", "Subj"}
)
_NOTE = _BOTH | {"Name", "Popup", "CA"}
_POPUP = _BOTH | {"Parent"}


def quiet_note(comparison: Comparison, item: Value, page: Ref) -> Told | None:
    """What to tell of a new annotation that is but a note, or the window of one; None for any other."""
    new = comparison.new
    entries = new.resolve(item)
    if type(item) is not Ref or comparison.old.identity(item.number) is not None or type(entries) is not dict:
        return None
    kind = new.get(entries, "Subtype")
    if kind == "Popup":
        above = entries.get("Parent")
        note = new.resolve(above)
        paired = type(above) is Ref and type(note) is dict and note.get("Popup") == item
        is_good = paired and not entries.keys() - _POPUP and _is_plain(new, entries, page)
        return quiet_note(comparison, above, page) if is_good and new.get(note, "Subtype") == "Text" else None
    if kind != "Text" or entries.keys() - _NOTE or not _is_plain(new, entries, page):
        return None
    box = box_of(new, entries.get("Rect"))
    if box is None or max(box[2] - box[0], box[3] - box[1]) > MAX_NOTE_SIDE:
        return None
    strength = new.get(entries, "CA")
    if new.get(entries, "Name") not in ICONS or not (strength is None or type(strength) in {int, float}):
        return None
    return Told("noted", _text(new, entries, "T"), _text(new, entries, "Contents"))


def _is_plain(document: Document, entries: dict[str, Value], page: Ref) -> bool:
    """Whether a note is closed, on this page, with flags that everybody knows."""
    flags = document.get(entries, "F")
    return (
        document.get(entries, "Type") in (None, "Annot")
        and document.get(entries, "Open") in (None, False)
        and entries.get("P", page) == page
        and (flags is None or (type(flags) is int and 0 <= flags < MAX_FLAGS))
    )


def _text(document: Document, entries: dict[str, Value], key: str) -> str:
    value = document.get(entries, key)
    return shortened(spelling(value)) if type(value) is bytes else ""

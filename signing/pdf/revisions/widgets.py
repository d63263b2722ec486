"""Where a field is shown: whether some reader may show something of it, and in which rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.parsing import Stream

if TYPE_CHECKING:
    from signing.pdf.parsing import Document, Value
    from signing.pdf.revisions.sameness import Comparison

    Box = tuple[float, float, float, float]

HIDDEN = 2
MAX_FLAGS, MAX_LOOKS = 1 << 31, 64


def is_seen(document: Document, widget: dict[str, Value]) -> bool:
    """Whether some reader may show something of a widget.

    A look is shown by some where the widget has no area; flags beyond 32 bits mean nothing to some. A hidden
    one is no secret either: an action that was signed may show it by its name (ISO 32000-2, 12.6.4.11).
    """
    if not _is_empty(document, document.get(widget, "AP")):
        return True
    flags = document.get(widget, "F")
    if type(flags) is int and 0 <= flags < MAX_FLAGS and flags & HIDDEN:
        return False
    box = box_of(document, widget["Rect"]) if "Rect" in widget else (0, 0, 0, 0)
    return _has_area(box)


def _is_empty(document: Document, looks: Value) -> bool:
    """Whether looks draw nothing: they have no data, or a box without area."""
    waiting, steps = [looks], 0
    while waiting:
        one = document.resolve(waiting.pop())
        steps += 1
        document.budget.spend(1)
        if type(one) is dict and steps < MAX_LOOKS:
            waiting += one.values()
        elif isinstance(one, Stream):
            if _has_area(box_of(document, one.entries.get("BBox"))) and document.raw(one).strip(
                b"\0\t\n\x0c\r "
            ):
                return False
        elif one is not None:
            return False
    return True


def is_widget(document: Document, note: Value) -> bool:
    """Whether something on a page is a field's widget, or does not say what it is."""
    return type(note) is dict and document.get(note, "Subtype") in (None, "Widget")


def rectangle(value: Value, comparison: Comparison) -> Box | None:
    """A rectangle of the new state with its lower left corner first; None for what is none."""
    return box_of(comparison.new, value)


def box_of(document: Document, value: Value) -> Box | None:
    """As `rectangle`, of one state; the value may stand in an object of its own."""
    value = document.resolve(value)
    numbers = [document.resolve(item) for item in value] if type(value) is list else []
    if len(numbers) != 4 or not all(type(item) in {int, float} for item in numbers):
        return None
    left, bottom, right, top = numbers
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _has_area(box: Box | None) -> bool:
    """Whether a rectangle has an area, or may have one."""
    return box is None or (box[2] > box[0] and box[3] > box[1])

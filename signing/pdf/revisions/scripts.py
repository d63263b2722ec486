"""Scripts that a document holds: they run in some readers, and can do what no comparison foresees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.parsing import Stream
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from signing.pdf.parsing import Document, Value


def has_scripts(document: Document) -> bool:
    """Whether any object has a script (ISO 32000-2, 12.6.4.17), wherever it may be run from.

    True where an object cannot be read. Raises `TooLarge`.
    """
    for number, _ in document.numbers():
        try:
            value = document.load(document.reference(number))
        except TooLarge:
            raise
        except MalformedInput:
            return True
        document.budget.spend(1)
        if _is_script(value):
            return True
    return False


def _is_script(value: Value) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is list:
            waiting += item
            continue
        entries = item.entries if type(item) is Stream else item
        if type(entries) is dict:
            if "JS" in entries or entries.get("S") == "JavaScript":
                return True
            waiting += entries.values()
    return False

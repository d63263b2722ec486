"""What an update did, in words, and how far it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from unicodedata import category

NONE, ARCHIVE, FORM, ANNOTATION, OTHER = "none", "archive", "form", "annotation", "other"
LEVELS = (NONE, ARCHIVE, FORM, ANNOTATION, OTHER)
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_PLANES = range(0x20000, 0x40000)  # of rare Chinese characters: each version of Unicode has more


@dataclass(frozen=True, slots=True)
class Told:
    """What came behind a signature though nobody signed for it, and may: people are told of it.

    A field that was empty (`filled`) and the value that it got, a note on a page (`noted`), its author and
    its text, or another order in which the fields of a page are reached (`ordered`). A value in the place of
    another one (`changed`) is told where somebody signed for it.
    """

    kind: Literal["filled", "noted", "ordered", "changed"]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an update did: how far it goes, in words, and the field it did it to, if one.

    `told` is what to tell of a change that goes no further than that; `value` is what a field got, however
    far that goes.
    """

    level: str
    what: str
    field: str | None = None
    told: Told | None = None
    value: Told | None = None


def is_legible(text: str) -> bool:
    """Whether every character shows itself: none steers a screen, turns the line round, or is not seen."""
    return all(one.isprintable() or category(one) == "Zs" or ord(one) in _PLANES for one in text)


def legible(text: str) -> str:
    """A text of a file for people, on one line, with a mark for each character that shows nothing itself."""
    if text.isascii() and text.isprintable():
        return text
    spaced = (" " if one.isspace() and category(one) != "Zs" else one for one in text)
    return "".join(one if is_legible(one) else _REPLACED for one in spaced)

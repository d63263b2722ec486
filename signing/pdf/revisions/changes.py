"""What an update did, in words, and how far it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NONE, ARCHIVE, FORM, ANNOTATION, OTHER = "none", "archive", "form", "annotation", "other"
LEVELS = (NONE, ARCHIVE, FORM, ANNOTATION, OTHER)


@dataclass(frozen=True, slots=True)
class Told:
    """What came behind a signature though nobody signed for it, and may: people are told of it.

    A field that was empty (`filled`) and the value that it got, a note on a page (`noted`), its author and
    its text, or another order in which the fields of a page are reached (`ordered`).
    """

    kind: Literal["filled", "noted", "ordered"]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an update did: how far it goes, in words, and the field it did it to, if one.

    `told` is what to tell of a change that goes no further than that.
    """

    level: str
    what: str
    field: str | None = None
    told: Told | None = None

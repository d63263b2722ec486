"""The values of a PDF (ISO 32000-2, 7.3) as Python's: what has no counterpart there has a class here.

null is None, numbers are int and float, strings are bytes, arrays are lists, dictionaries are dicts with
names as keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mmap import mmap

    Source = bytes | mmap
    Value = Any  # None | bool | int | float | bytes | Name | Ref | Stream | list | dict
else:
    Source = Value = object


class Name(str):
    """A name without its slash; `#` escapes are decoded (each octet one character)."""

    __slots__ = ()


class Ref(NamedTuple):
    """A reference to an indirect object."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: its dictionary, and where its encoded data lie in the file."""

    entries: dict[str, Value]
    start: int
    end: int

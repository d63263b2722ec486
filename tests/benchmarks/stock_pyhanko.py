"""PyHanko as it is installed, for figures: our adapter mends some of its functions when it is imported.

Import this before anything of `signing.pdf`, so that what is kept here is pyHanko's own.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic, xref

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = (
    (generic, "read_hex_string_from_stream"),
    (generic, "read_until_regex"),
    (xref, "parse_xref_stream"),
    (xref, "parse_xref_table"),
)
_STOCK = [(module, name, getattr(module, name)) for module, name in _PLACES]
assert all(function.__module__.startswith("pyhanko.") for *_, function in _STOCK), "imported too late"


@contextmanager
def stock() -> Iterator[None]:
    """PyHanko's own functions in their places."""
    ours = [(module, name, getattr(module, name)) for module, name, _ in _STOCK]
    for module, name, function in _STOCK:
        setattr(module, name, function)
    try:
        yield
    finally:
        for module, name, function in ours:
            setattr(module, name, function)

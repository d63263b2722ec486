"""The only package that imports pyHanko: `parser` bounds it, `writing` writes.

pyHanko 0.38 reads files that are to be written behind, and writes incremental updates. It is never asked
whether a signature is good, nor what an update changed: reading for verification, CMS, trust and time are
ours, and nothing here can reach a network or a trust store of the operating system. Whatever it raises for a
file leaves here as `MalformedInput` or `TooLarge`; reading is metered, so that a file cannot keep it busy
for long. Its modules come in when something of them is first asked for: who verifies never waits for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signing.pdf._pyhanko.copying import write_copy
    from signing.pdf._pyhanko.writing import Editing

__all__ = [
    "Editing",
    "write_copy",
]
_ROOMS = {
    "Editing": "writing",
    "write_copy": "copying",
}


def __getattr__(name: str) -> Any:
    """PEP 562: the name from the module that has it."""
    if name not in _ROOMS:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)

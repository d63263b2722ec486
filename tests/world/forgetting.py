"""Forget everything that `signing` remembers between calls, as a new process does."""

from __future__ import annotations

import sys
from functools import _lru_cache_wrapper

from signing.path.remembered import Remembered


def forget_everything() -> None:
    """Clear every remembered answer of the engine."""
    for remembered in _caches():
        remembered.cache_clear()


def _caches() -> list[_lru_cache_wrapper[object] | Remembered[object]]:
    if not _FOUND:
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "signing":
                _FOUND.extend(one for one in vars(module).values() if isinstance(one, _KINDS))
    return _FOUND


_KINDS = (_lru_cache_wrapper, Remembered)
_FOUND: list[_lru_cache_wrapper[object] | Remembered[object]] = []

"""Write TOML values; Python reads TOML (`tomllib`) and does not write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def toml_text(text: str) -> str:
    """A basic string. JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_texts(texts: Iterable[str]) -> str:
    """An array of basic strings on one line."""
    return f"[{', '.join(map(toml_text, texts))}]"

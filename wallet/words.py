"""Texts of others, made fit to be read: one line, nothing that steers a terminal or turns writing round."""

from __future__ import annotations

from typing import Any

from yinxin.base.text import Text

MAX_CHARACTERS = 200
_STRANGE = "\N{REPLACEMENT CHARACTER}"


def plain(text: object, *, limit: int = MAX_CHARACTERS) -> str:
    """A text as one line; what cannot be printed is replaced, and what is no text, or empty, is a mark."""
    if not isinstance(text, str):
        return _STRANGE
    line = "".join(one if one.isprintable() else _STRANGE for one in text[:limit])
    return line.strip() or _STRANGE


def displayed(display: Any, fallback: str) -> Text:
    """The name in a `display` array (OpenID4VCI, 12.2.4) for both languages; else what there is."""
    rows = display if isinstance(display, list) else []
    named = [
        (str(row.get("locale", "")).lower(), row["name"])
        for row in rows[:50]
        if isinstance(row, dict) and isinstance(row.get("name"), str) and row["name"].strip()
    ]

    def in_language(wanted: str) -> str:
        fitting = [name for locale, name in named if locale.split("-")[0] == wanted]
        return plain((fitting or [name for _, name in named] or [fallback])[0])

    return Text(in_language("zh"), in_language("en"))

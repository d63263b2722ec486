"""Text in a table that people open in a spreadsheet: it stays text there."""

from __future__ import annotations

# A spreadsheet takes what begins with one of these for a formula; some take the wide forms too, and look past
# what is blank before them.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\u2212")


def cell(text: str) -> str:
    """The text without what does not print, and with a mark before what would be computed."""
    plain = "".join(one for one in text if one.isprintable() or one == "\u3000")
    return f"'{plain}" if plain.lstrip().startswith(_FORMULA) else plain

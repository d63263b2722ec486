"""Text from documents and codes, made safe to look at.

Markup is escaped by the templates. This is about what the eye is shown: characters that hide, turn the
writing around or steer a terminal are shown by their numbers, so that a name cannot pretend to be another.
"""

from __future__ import annotations

import unicodedata

MAX_CHARACTERS = 2000
MAX_MARKS = 4  # more accents than this on one letter paint over the lines around it
# Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, line and paragraph ends.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
# Letters by their category that paint nothing: Hangul fillers, the Braille blank.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def legible(text: str, *, most: int = MAX_CHARACTERS) -> str:
    """The text with every hidden character as ⟨U+202E⟩ and the like, cut after `most` characters."""
    shown, marks = [], 0
    for character in text[:most]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if marks > MAX_MARKS:
            continue
        hidden = category in _HIDDEN or character in _BLANK
        shown.append(f"⟨U+{ord(character):04X}⟩" if hidden else _space(character, category))
    return "".join(shown) + ("…" if len(text) > most else "")


def _space(character: str, category: str) -> str:
    return " " if category == "Zs" and character != "\u3000" else character

"""The two fonts of every page, and which characters they can show.

Noto Serif SC and Noto Sans SC (OFL) come with a dependency; their folder is the only one that typesetting
looks at. The character table is read here, so that a character without a glyph is found before a page
shows a gap.
"""

from __future__ import annotations

from functools import cache
from struct import error as StructError  # noqa: N812 - a class
from struct import unpack_from
from typing import TYPE_CHECKING

import pylopdf_fonts_zh_cn

from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from pathlib import Path

SERIF, SANS = "Noto Serif SC", "Noto Sans SC"
INVISIBLE = frozenset("\n\u200b")
"""Characters that typesetting uses and that need no glyph."""


def font_directory() -> Path:
    """The folder with the fonts."""
    return pylopdf_fonts_zh_cn.serif_path().parent


def missing_characters(text: str) -> list[str]:
    """The characters of a text that the page's font cannot show, each once, in order."""
    covered = _covered()
    return list(dict.fromkeys(c for c in text if ord(c) not in covered and c not in INVISIBLE))


@cache
def _covered() -> frozenset[int]:
    return read_character_map(pylopdf_fonts_zh_cn.serif_path().read_bytes())


def read_character_map(font: bytes) -> frozenset[int]:
    """The code points of an OpenType font's `cmap` table, format 12 or else 4."""
    try:
        start = _table(font, b"cmap")
        count = unpack_from(">H", font, start + 2)[0]
        offsets = [start + unpack_from(">HHI", font, start + 4 + 8 * i)[2] for i in range(count)]
        formats = {unpack_from(">H", font, offset)[0]: offset for offset in offsets}
        if 12 in formats:
            return _format_12(font, formats[12])
        if 4 in formats:
            return _format_4(font, formats[4])
    except (StructError, OverflowError, MemoryError) as exc:
        raise MalformedInput("font", "its character table cannot be read") from exc
    raise MalformedInput("font", "it has no character table of format 4 or 12")


def _table(font: bytes, tag: bytes) -> int:
    for i in range(unpack_from(">H", font, 4)[0]):
        name, _, offset, _ = unpack_from(">4sIII", font, 12 + 16 * i)
        if name == tag:
            return int(offset)
    raise MalformedInput("font", f"no table {tag.decode()}")


def _format_12(font: bytes, offset: int) -> frozenset[int]:
    # OpenType 1.9, cmap format 12: groups of first, last, first glyph.
    found: set[int] = set()
    for i in range(unpack_from(">I", font, offset + 12)[0]):
        first, last, glyph = unpack_from(">III", font, offset + 16 + 12 * i)
        found.update(range(first + (glyph == 0), min(last, 0x10FFFF) + 1))
    return frozenset(found)


def _format_4(font: bytes, offset: int) -> frozenset[int]:
    # Segments of last, first, delta, range offset; a glyph 0 is "none".
    half = unpack_from(">H", font, offset + 6)[0] // 2
    lasts = unpack_from(f">{half}H", font, offset + 14)
    firsts = unpack_from(f">{half}H", font, offset + 16 + 2 * half)
    deltas = unpack_from(f">{half}h", font, offset + 16 + 4 * half)
    place = offset + 16 + 6 * half
    found: set[int] = set()
    for i, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        jump = unpack_from(">H", font, place + 2 * i)[0]
        for code in range(first, last + 1):
            glyph = (
                code if not jump else unpack_from(">H", font, place + 2 * i + jump + 2 * (code - first))[0]
            )
            if glyph and (glyph + deltas[i]) % 65536 and code != 0xFFFF:
                found.add(code)
    return frozenset(found)

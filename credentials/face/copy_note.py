"""Draw the note that every page of an annotated copy bears: that it is a copy, by whom, when and for what."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from credentials.face.fonts import missing_characters
from credentials.face.typst_engine import Engine
from signing.pdf.face import SealFace
from yinxin.base.errors import InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from datetime import date

WIDTH_MM, HEIGHT_MM = 62.0, 24.0
MAX_MAKER, MAX_PURPOSE = 40, 60
INK = "#1d4f91"


def draw_copy_note(maker: str, purpose: str, *, day: date, original: str) -> SealFace:
    """The note as PNG with a transparent ground; `original` is the original's SHA-256 in hex, shown in part.

    `InvalidClaims` for a text that is empty, too long or holds a character that the font lacks.
    """
    faults = [*_faults("maker", maker, MAX_MAKER), *_faults("purpose", purpose, MAX_PURPOSE)]
    if faults:
        raise InvalidClaims(faults=faults)
    return SealFace(_draw(maker, purpose, day.isoformat(), original[:16]), WIDTH_MM, HEIGHT_MM)


@lru_cache(maxsize=64)
def _draw(maker: str, purpose: str, day: str, original: str) -> bytes:
    data = {
        "maker": maker,
        "purpose": purpose,
        "day": day,
        "original": original,
        "width": WIDTH_MM,
        "height": HEIGHT_MM,
        "colour": INK,
    }
    return Engine().png("copy_note", data, dots_per_inch=200)


def _faults(field: str, value: str, most: int) -> list[tuple[str, Text]]:
    if not value or len(value) > most:
        return [(field, Text(f"须为 1 至 {most} 个字符", f"takes 1 to {most} characters"))]
    missing = " ".join(missing_characters(value))
    return [(field, Text(f"字库缺字：{missing}", f"the font lacks: {missing}"))] if missing else []

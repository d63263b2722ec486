"""Draw a QR code (ISO/IEC 18004) as SVG, for a page.

What the code printed on a licence says is `credentials.printed_code`.
"""

from __future__ import annotations

import re
from math import isqrt
from typing import Any

import zxingcpp

from yinxin.base.errors import TooLarge

QUIET_MODULES = 4
"""How wide the white margin around a code must be, in modules (ISO/IEC 18004, 9.1)."""

_DARK = re.compile(rb"\x00+")


def draw_code(text: str) -> str:
    """The code as SVG, error correction level M (15 %), without a quiet zone: the page leaves one.

    `TooLarge` when no code holds the text.
    """
    size, modules = _modules(text)
    runs = []
    for y in range(size):
        for run in _DARK.finditer(modules, y * size, (y + 1) * size):
            length = run.end() - run.start()
            runs.append(f"M{run.start() - y * size} {y}h{length}v1h-{length}z")
    box = f"0 0 {size} {size}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><path d="{"".join(runs)}"/></svg>'


def _modules(text: str) -> tuple[int, bytes]:
    """How many modules a side has, and a byte for each: 0 is dark."""
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    except ValueError as exc:
        raise TooLarge("code", "the text does not fit into a QR code") from exc
    picture: Any = zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False)
    modules = memoryview(picture).tobytes()
    return isqrt(len(modules)), modules

"""Draw a QR code (ISO/IEC 18004) as SVG, for a page.

What the code printed on a licence says is `credentials.printed_code`.
"""

from __future__ import annotations

from itertools import groupby

import segno

QUIET_MODULES = 4
"""How wide the white margin around a code must be, in modules (ISO/IEC 18004, 9.1)."""


def draw_code(text: str) -> str:
    """The code as SVG, error correction level M (15 %), without a quiet zone: the page leaves one.

    The mask is always the same: trying all eight (ISO/IEC 18004, 7.8.3) takes longer than the rest of a page,
    and readers take any.
    """
    rows = segno.make(text, error="m", micro=False, boost_error=False, mask=3).matrix
    runs = []
    for y, row in enumerate(rows):
        x = 0
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    box = f"0 0 {len(rows)} {len(rows)}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><path d="{"".join(runs)}"/></svg>'

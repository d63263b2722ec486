"""The code printed on a licence.

For now it is a web address whose fragment is the licence identifier, version included: any camera opens the
page, and the fragment never reaches a server's log. It proves nothing by itself. The compact signed form
(a CWT with the fields that the catalogue lists under `printed_code`) takes the fragment's place later.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import segno

from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from credentials.licence import Licence

PATH = "/q#"


def printed_code(base_url: str, licence: Licence) -> str:
    """The text of the code for a licence."""
    return f"{base_url.rstrip('/')}{PATH}{licence.identifier}"


def read_printed_code(text: str) -> str:
    """The licence identifier in a scanned code; `MalformedInput` for any other text."""
    if not isinstance(text, str) or len(text) > 500:
        raise MalformedInput("printed code", "not a short text")
    address, found, identifier = text.partition(PATH)
    if not found or not address.startswith(("https://", "http://")):
        raise MalformedInput("printed code", "not the address of a licence")
    return str(LicenceIdentifier.parse(identifier))


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

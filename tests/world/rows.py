"""Files of applications."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from credentials import samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def csv_of(type_code: str, indexes: Iterable[int], *, cases: Sequence[str] = ()) -> bytes:
    """A file of sample applications, with their case numbers where given."""
    claims = [samples.application(type_code, index) for index in indexes]
    names = list(dict.fromkeys(name for one in claims for name in one))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(["办件编号"] if cases else []), *names])
    for position, one in enumerate(claims):
        cells = ["；".join(cell) if isinstance(cell, list) else cell for cell in map(one.get, names)]
        writer.writerow([*([cases[position]] if cases else []), *cells])
    return out.getvalue().encode()

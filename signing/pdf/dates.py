"""Dates as PDF writes them (ISO 32000-2, 7.9.4): D:YYYYMMDDHHmmSSOHH'mm."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    rb"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)(?:00'?(?:00'?)?)?|([+-])(\d\d)'?(?:(\d\d)'?)?)\s*"
)
_LEAST = (0, 1, 1, 0, 0, 0)


def read_date(text: bytes) -> datetime | None:
    """The moment; None for what is no date, and for a date without a zone: that is no moment."""
    if text.startswith(b"\xfe\xff"):
        text = text[2:].decode("utf-16-be", "replace").encode("ascii", "replace")
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    parts = [int(found[n + 1]) if found[n + 1] else _LEAST[n] for n in range(6)]
    away = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        zone = UTC if found[7] or not away else timezone(-away if found[8] == b"-" else away)
        return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type, misc]
    except ValueError:
        return None

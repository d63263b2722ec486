"""The links that people open, scan or paste: which of the wallet's tasks one is for, and where it leads.

Only the kind and the host are read here, to tell the holder before anything is fetched; what the link holds
is judged by `wallet.receiving` and `wallet.invitation`.
"""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from wallet.words import plain

MAX_LINK_CHARACTERS = 300 * 1024


class Task(StrEnum):
    """What a link asks the wallet to do."""

    RECEIVE = "receive"
    PRESENT = "present"


_MARKS = {
    Task.RECEIVE: ("credential_offer", "credential_offer_uri"),
    Task.PRESENT: ("request_uri", "request"),
}


def task_of(link: str) -> Task | None:
    """The task of a link by its parameters, whatever its scheme; None for another kind of link."""
    values = _parameters(link)
    return next((task for task, marks in _MARKS.items() if any(mark in values for mark in marks)), None)


def host_of(link: str) -> str:
    """The host that the wallet would ask, as people read it; empty where the link holds everything itself."""
    values = _parameters(link)
    address = next((values[name] for name in ("credential_offer_uri", "request_uri") if name in values), "")
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return plain(f"{host}:{parts.port}" if parts.port else host) if host else ""
    except ValueError:
        return ""


def _parameters(link: str) -> dict[str, str]:
    if len(link) > MAX_LINK_CHARACTERS:
        return {}
    try:
        found = parse_qs(urlsplit(link.strip()).query, max_num_fields=32)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}

"""The links that people open, scan or paste: which of the wallet's tasks one is for, and where it leads.

Only the kind, the host and the plain parameters are read here, to tell the holder before anything is fetched;
what the link holds is judged by `wallet.receiving` and `wallet.invitation`.
"""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qs, parse_qsl, urlsplit

from wallet.words import plain
from yinxin.base.errors import MalformedInput

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


def read_parameters(link: object, *, what: str, max_characters: int, max_fields: int) -> dict[str, str]:
    """The query of a link, each name once; `MalformedInput` for what is too long, garbled or ambiguous."""
    if not isinstance(link, str) or len(link) > max_characters:
        raise MalformedInput(what, detail="too long")
    try:
        query = urlsplit(link.strip()).query
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=max_fields, errors="strict")
    except ValueError as exc:
        raise MalformedInput(what, detail="cannot be read; copy the whole of it") from exc
    values = dict(pairs)
    if len(values) != len(pairs):
        raise MalformedInput(what, detail="RFC 6749, 3.1: a parameter is repeated")
    return values


def _parameters(link: str) -> dict[str, str]:
    if len(link) > MAX_LINK_CHARACTERS:
        return {}
    try:
        found = parse_qs(urlsplit(link.strip()).query, max_num_fields=32)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}

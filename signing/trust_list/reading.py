"""Members of signed JSON, read as what they have to be or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TEXT = 500


def wrong(what: str) -> MalformedInput:
    """The error for a member that is not what it has to be."""
    return MalformedInput("trust list", what)


def exactly(value: object, *names: str) -> Mapping[str, Any]:
    """An object with these members and no others."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise wrong(f"an object of {', '.join(names)} is expected")
    return value


def rows(value: object, *, most: int) -> list[Any]:
    """A list of a bounded length."""
    if not isinstance(value, list) or len(value) > most:
        raise wrong(f"a list of at most {most} is expected")
    return value


def whole(value: object, *, least: int) -> int:
    """A whole number, not below `least`."""
    if type(value) is not int or not least <= value < 1 << 53:
        raise wrong("a whole number is expected")
    return value


def text(value: object) -> str:
    """A short text that can be shown: no controls, no characters that reorder others."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise wrong("a readable text is expected")
    return value


def both(value: object) -> Text:
    """A text in both languages."""
    found = exactly(value, "zh", "en")
    return Text(text(found["zh"]), text(found["en"]))


def moment(value: object) -> datetime:
    """A time in UTC, to the second, as `moment_text` writes it."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as exc:
        raise wrong("a time is written as 2026-11-20T12:00:00Z") from exc


def moment_text(when: datetime) -> str:
    """The one form of a time in a list."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

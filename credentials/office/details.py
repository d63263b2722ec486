"""What a work says beside its claims: from when, by which legal kind, which event, which parts.

In a case they are JSON under `details`, as people agree to them; `Details` is what the makers read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from credentials.licence import Cause, EndingKind
from credentials.office.cases import WorkKind
from credentials.versions import MAX_TOGETHER
from yinxin.base.errors import InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.licence_type import LicenceType
    from credentials.office.cases import Work

_REQUIRED: Mapping[WorkKind, tuple[str, ...]] = {
    WorkKind.END: ("ending",),
    WorkKind.UNDO: ("event",),
    WorkKind.SPLIT: ("parts",),
}
_MISSING = Text("缺少必填项", "a required value is missing")


@dataclass(frozen=True, slots=True)
class Details:
    """The details of a work. `parts` are the claims of a split beside those of its first part."""

    effective_from: datetime | None = None
    cause: Cause | None = None
    ending: EndingKind | None = None
    event: int | None = None
    into: str | None = None
    parts: tuple[Mapping[str, Any], ...] = ()
    goes_on: bool = False


def read_details(work: Work) -> Details:
    """What a work says; `InvalidClaims` names each detail that is missing or cannot be read."""
    read: dict[str, Any] = {}
    wanted = _REQUIRED.get(work.kind, ())
    faults = [(f"details.{name}", _MISSING) for name in wanted if work.details.get(name) is None]
    for name, value in work.details.items():
        if value is None:
            continue
        reader, why = _READERS[name]
        try:
            read[name] = reader(value)
        except (ValueError, TypeError):
            faults.append((f"details.{name}", why))
    if read.get("into") not in {None, *work.licences}:
        faults.append(("details.into", _READERS["into"][1]))
    if faults:
        raise InvalidClaims(faults=faults)
    return Details(**read)


def checked_details(work: Work, kind: LicenceType) -> dict[str, Any]:
    """The details as the register spells them: moments in one form, the parts as the type checks them."""
    details = read_details(work)
    checked = {name: value for name, value in work.details.items() if value is not None}
    if details.effective_from is not None:
        checked["effective_from"] = details.effective_from.isoformat()
    if details.parts:
        checked["parts"] = [kind.check(part) for part in details.parts]
    return checked


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _ending(value: object) -> EndingKind:
    found = EndingKind(_text(value))
    if found is EndingKind.SUPERSEDED:
        raise ValueError("a licence is superseded by what takes its place")
    return found


def _count(value: object) -> int:
    if type(value) is not int or not 0 < value < 1 << 31:
        raise ValueError("not a sequence")
    return value


def _parts(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not 1 <= len(value) < MAX_TOGETHER:
        raise ValueError("not a list of parts")
    if not all(isinstance(part, Mapping) for part in value):
        raise TypeError("a part is no object")
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


_READERS: Mapping[str, tuple[Callable[[object], Any], Text]] = {
    "effective_from": (_moment, Text("须为带时区的时刻", "must be a moment with its zone")),
    "cause": (
        lambda value: Cause(_text(value)),
        Text(f"须为：{'、'.join(Cause)}", f"must be one of: {', '.join(Cause)}"),
    ),
    "ending": (_ending, Text("须为终止的法律性质", "must be the legal kind of an ending")),
    "event": (_count, Text("须为事件序号", "must be the sequence of an event")),
    "into": (_text, Text("须为所合并的证照之一", "must be one of the licences that are merged")),
    "parts": (_parts, Text("须为其余各件的内容", "must be the claims of the other parts")),
    "goes_on": (_flag, Text("须为 true 或 false", "must be true or false")),
}

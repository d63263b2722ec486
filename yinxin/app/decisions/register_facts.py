"""What a register said of one licence, as JSON and back: an input of an archived decision like any other.

It holds all that the register knew of the licence, claims and officers too: an archive is kept like the licence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from credentials.licence import Agency, Cause, EndingKind, Event, EventKind, Licence, Provenance, VersionKind
from signing.jose import dump_json, load_json_object
from verify_api.register import RegisterEntry, Version
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class ArchivedRegister:
    """A register that knows what another one said once, of one licence."""

    text: str
    entry: RegisterEntry | None

    def find(self, text: str, *, type_code: str | None = None, history: bool = True) -> RegisterEntry | None:
        """The entry, where it is asked for by the same words."""
        del type_code, history
        return self.entry if text == self.text else None

    def to_json(self) -> bytes:
        """As an input of an archive."""
        entry = self.entry
        named = entry.versions.index(entry.named) if entry and entry.named in entry.versions else None
        versions, later = (entry.versions, entry.later) if entry else ((), ())
        return dump_json(
            {
                "text": self.text,
                "known": entry is not None,
                "named": named,
                "versions": _written(versions),
                **({"later": _written(later)} if later else {}),
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> ArchivedRegister:
        """From an input of an archive; `MalformedInput`."""
        content = load_json_object(data)
        try:
            versions, later = (_versions(content.get(name, [])) for name in ("versions", "later"))
            named = versions[content["named"]] if content["named"] is not None else None
            entry = RegisterEntry(versions, named, later) if content["known"] else None
            return cls(str(content["text"]), entry)
        except (KeyError, TypeError, ValueError, IndexError) as exc:
            raise MalformedInput("register", "not what a register said of a licence") from exc


def _written(versions: Iterable[Version]) -> list[dict[str, Any]]:
    return [
        {"licence": _plain(one.licence), "events": [_plain(event) for event in one.events]}
        for one in versions
    ]


def _versions(rows: Iterable[Mapping[str, Any]]) -> tuple[Version, ...]:
    return tuple(Version(_made(Licence, one["licence"], _LICENCE), _events(one["events"])) for one in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.to_dict()
    if isinstance(value, (Licence, Event, Agency, Provenance)):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Enum) else value


def _events(rows: list[dict[str, Any]]) -> tuple[Event, ...]:
    return tuple(_made(Event, row, _EVENT) for row in rows)


def _made(kind: Any, row: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> Any:
    known = {item.name for item in fields(kind)}
    if row.keys() - known:
        raise ValueError("unknown members")
    return kind(**{name: _read(readers.get(name), value) for name, value in row.items()})


def _read(reader: Callable[[Any], Any] | None, value: Any) -> Any:
    return reader(value) if reader and value is not None else value


def _text(value: dict[str, str]) -> Text:
    return Text(value["zh"], value["en"])


def _agency(value: dict[str, Any]) -> Agency:
    return Agency(**{**value, "name": _text(value["name"])})


def _provenance(value: dict[str, Any]) -> Provenance:
    moments = {"imported_at": datetime.fromisoformat, "issued_on": date.fromisoformat}
    made: Provenance = _made(Provenance, value, moments)
    return made


def _kind(value: str) -> EndingKind | EventKind:
    return EndingKind(value) if value in set(EndingKind) else EventKind(value)


_MOMENTS = dict.fromkeys(("issued_at", "recorded_at", "erased_at", "effective_from"), datetime.fromisoformat)
_LICENCE: dict[str, Callable[[Any], Any]] = {
    **_MOMENTS,
    **dict.fromkeys(("valid_from", "valid_until", "commitment_due"), date.fromisoformat),
    "type_name": _text,
    "agency": _agency,
    "provenance": _provenance,
    "kind": VersionKind,
    "origins": tuple,
    "successors": tuple,
}
_EVENT: dict[str, Callable[[Any], Any]] = {
    **_MOMENTS,
    "kind": _kind,
    "successors": tuple,
    "version_kind": VersionKind,
    "cause": Cause,
}

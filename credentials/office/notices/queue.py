"""A department's queue of notices: handed out until they are acknowledged.

Values come from the register at that moment, old and new, for fields that the department's grants cover; of
all others it hears the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.changes import named_event
from credentials.licence import KIND_NAMES, VERSION_NAMES
from credentials.office.notices.repository import Notice, NoticeRepository
from credentials.repository import LicenceRepository
from credentials.standing import standing
from yinxin.base import audit
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.catalogue import Catalogue
    from credentials.licence import Event, Licence
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Session

    Granted = Mapping[str, frozenset[str]]

MAX_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A notice with what it is about. `new` are the licences that took the place, as far as granted."""

    notice: Notice
    licence: Licence
    event: Event
    new: tuple[Licence, ...]
    granted: Granted
    says: Mapping[str, Any]

    def to_dict(self, catalogue: Catalogue) -> dict[str, Any]:
        """As JSON for the department."""
        event, licence = self.event, self.licence
        return {
            "id": self.notice.id,
            "licence": licence.identifier,
            "type": licence.type_code,
            "event": {
                "kind": str(event.kind),
                "name": KIND_NAMES[event.kind].to_dict(),
                "version_kind": _named(event),
                "effective_from": event.effective_from.isoformat(),
                "recorded_at": event.recorded_at.isoformat(),
                "document_number": event.document_number,
            },
            "text": self.says,
            "versions": [one.identifier for one in self.new],
            "fields": [self._field(name, catalogue) for name in self.notice.fields],
            "told_at": self.notice.told_at.isoformat(),
        }

    def _field(self, name: str, catalogue: Catalogue) -> dict[str, Any]:
        answer: dict[str, Any] = {"name": name, "label": _label(name, self.licence, self.new, catalogue)}
        if name in self.granted.get(self.licence.type_code, ()):
            answer["before"] = self.licence.claims.get(name)
            answer["now"] = [
                {"licence": one.identifier, "value": one.claims.get(name)}
                for one in self.new
                if name in self.granted.get(one.type_code, ())
            ]
        return answer


class NoticeQueue:
    """The queues of all departments. Its verbs work in the caller's transaction."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def hand_out(
        self, session: Session, department: str, *, granted: Granted, actor: Actor, limit: int = MAX_AT_ONCE
    ) -> list[HandedOut]:
        """What waits for a department, oldest first; the log says when each was first read.

        `granted` are the fields of each licence type that the department may see.
        """
        notices, now = NoticeRepository(session), self._clock.now()
        waiting = notices.waiting(department, limit=min(limit, MAX_AT_ONCE))
        for one in waiting:
            if notices.mark_read(one.id, at=now):
                _audit(session, "read", one, actor, now)
        return [_handed_out(LicenceRepository(session), one, granted, now) for one in waiting]

    def acknowledge(self, session: Session, notice: str, department: str, *, actor: Actor) -> Notice:
        """Take a notice off the queue; again changes nothing. `NotFound` for another department's."""
        notices, now = NoticeRepository(session), self._clock.now()
        found = notices.find(notice, department=department)
        if found is None:
            raise NotFound("no such notice")
        if notices.acknowledge(notice, by=str(actor), at=now):
            _audit(session, "acknowledge", found, actor, now)
        return notices.find(notice, department=department) or found


def _handed_out(licences: LicenceRepository, notice: Notice, granted: Granted, now: datetime) -> HandedOut:
    licence = licences.by_identifier(notice.licence)
    if licence is None:
        raise NotFound(f"no licence {notice.licence}")
    events = licences.events(notice.licence)
    event = named_event(events, notice.event)
    names = (*((event.replaced_by,) if event.replaced_by else ()), *event.successors)
    new = [found for name in names if (found := licences.by_identifier(name))]
    seen = tuple(one for one in new if one.type_code in granted)
    says = standing(licence, events, as_of=now, known_at=now).text.to_dict()
    return HandedOut(notice, licence, event, seen, granted, says)


def _named(event: Event) -> dict[str, Any] | None:
    if event.version_kind is None:
        return None
    return {"kind": str(event.version_kind), **VERSION_NAMES[event.version_kind].to_dict()}


def _label(
    name: str, licence: Licence, new: tuple[Licence, ...], catalogue: Catalogue
) -> dict[str, str] | None:
    for one in (licence, *new):
        for field in catalogue.of(one).fields:
            if field.name == name:
                return field.label.to_dict()
    return None


def _audit(session: Session, verb: str, notice: Notice, actor: Actor, at: datetime) -> None:
    details = {"notice": notice.id, "department": notice.department}
    audit.record(
        session, action=f"notice.{verb}", subject=notice.licence, actor=actor, at=at, details=details
    )

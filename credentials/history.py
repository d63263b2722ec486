"""The history of a licence (证照沿革): its versions, what happened to each, and what it came from and became.

No claim is in it: identifiers, legal kinds, documents and times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.licence import VERSION_NAMES, agency_day
from credentials.standing import standing

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.licence import Event, Licence


@dataclass(frozen=True, slots=True)
class History:
    """All versions of one licence, oldest first, each with its events in the order of recording."""

    versions: tuple[tuple[Licence, tuple[Event, ...]], ...]
    at: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        last, _ = self.versions[-1]
        return {
            "number": last.number,
            "type": last.type_code,
            "versions": [self._version(licence, events) for licence, events in self.versions],
        }

    def _version(self, licence: Licence, events: tuple[Event, ...]) -> dict[str, Any]:
        now = standing(licence, events, as_of=self.at, known_at=self.at)
        return {
            "identifier": licence.identifier,
            "version": f"{licence.version:03}",
            "kind": {"kind": str(licence.kind), **VERSION_NAMES[licence.kind].to_dict()},
            "effective_from": licence.starts_at.isoformat(),
            "recorded_at": licence.recorded_at.isoformat(),
            "recorded_on": agency_day(licence.recorded_at).isoformat(),
            "replaces": licence.replaces,
            "replaced_by": licence.replaced_by,
            "origins": list(licence.origins),
            "successors": list(licence.successors),
            "state": str(now.state),
            "text": now.text.to_dict(),
            "events": [event.to_dict() for event in events],
        }

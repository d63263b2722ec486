"""Where a request for correction goes: to the authority that the field names as its source.

Pure: a licence, its type and a field in, the route out; and the request as a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.licence import Licence
    from credentials.licence_type import LicenceType


class RequestState(StrEnum):
    """How far a request is."""

    OPEN = "open"
    REFERRED = "referred"
    SETTLED = "settled"
    REFUSED = "refused"


STATE_NAMES: Mapping[RequestState, Text] = {
    RequestState.OPEN: Text("待办理", "waiting"),
    RequestState.REFERRED: Text("已告知向来源机关申请", "referred to the authority that keeps it"),
    RequestState.SETTLED: Text("已更正", "put right"),
    RequestState.REFUSED: Text("不予更正", "not put right"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """The authority (credit code) that a datum belongs to, and the licence type and field it stands in first.

    Without a type the authority keeps it in a register of its own, called `register`.
    """

    authority: str
    register: Text
    type_code: str | None
    field: str | None
    is_local: bool

    @property
    def next_step(self) -> Text:
        """Where to go, in words."""
        place = f"{self.type_code}.{self.field}" if self.type_code else ""
        zh = f"该数据以“{self.register.zh}”为准" + (f"（{place}）" if place else "")
        en = f"the {self.register.en} is its source" + (f" ({place})" if place else "")
        if self.is_local:
            return Text(f"{zh}，由本机关办理更正。", f"{en}; this agency puts it right.")
        return Text(
            f"{zh}，请向该机关（{self.authority}）申请更正；更正后本证照随之变更。",
            f"{en}; apply to that authority ({self.authority}), then this licence follows.",
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "authority": self.authority,
            "register": self.register.to_dict(),
            "type": self.type_code,
            "field": self.field,
            "local": self.is_local,
            "next": self.next_step.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A request to put a field of a licence right.

    `words` are what should stand there and why: personal data. `target` is the licence that the datum
    stands in first, where this agency issued it; `case` the case by which it was put right.
    """

    id: str
    agency: str
    licence: str
    field: str
    authority: str
    words: str
    asked_by: str
    asked_at: datetime
    state: RequestState = RequestState.OPEN
    target: str | None = None
    case: str = ""
    note: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for the agency's staff."""
        return {
            "id": self.id,
            "licence": self.licence,
            "field": self.field,
            "authority": self.authority,
            "words": self.words,
            "target": self.target,
            "state": str(self.state),
            "text": STATE_NAMES[self.state].to_dict(),
            "case": self.case or None,
            "note": self.note,
            "asked_by": self.asked_by,
            "asked_at": self.asked_at.isoformat(),
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
        }


def route_of(licence: Licence, kind: LicenceType, field: str, *, agency: str) -> Route:
    """Where a correction of a field goes, as seen by an agency; `UsageError` for a field the type lacks.

    A field that names no authority belongs to who issued the licence.
    """
    source = kind.field(field).source
    authority = source.authority or licence.agency.credit_code
    code, name = (source.type_code, source.field) if source.authority else (kind.code, field)
    return Route(authority, source.name, code, name, is_local=authority == agency)

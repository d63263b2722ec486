"""A change of the catalogue: a new version of a licence type, or its abolition (废止), and who agreed to it.

People agree to a digest over the type file as it was handed in, the day it is for and what it follows on.
How types are read is `credentials.type_files`, storage `credentials.office.types.repository`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import content_digest
from yinxin.base.errors import Conflict
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from credentials.office.agreements import Consent


class ChangeKind(StrEnum):
    """What a change does."""

    VERSION = "version"
    ABOLITION = "abolition"


class ChangeState(StrEnum):
    """How far a change is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


KIND_NAMES: Mapping[ChangeKind, Text] = {
    ChangeKind.VERSION: Text("新版本", "new version"),
    ChangeKind.ABOLITION: Text("废止", "abolition"),
}
STATE_NAMES: Mapping[ChangeState, Text] = {
    ChangeState.PROPOSED: Text("待批准", "waiting for approval"),
    ChangeState.APPROVED: Text("已批准", "approved"),
    ChangeState.WITHDRAWN: Text("已撤回", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class TypeChange:
    """One change of one type of an agency's catalogue.

    `file` is the type file, empty for an abolition. `day` is the first day of a new version, and the last day
    of issuing for an abolition. `version` is the version that comes, or that ends. `base` is how many changes
    of the type were approved before this one: of two that follow on the same, one is approved.
    """

    id: str
    agency: str
    kind: ChangeKind
    code: str
    version: int
    day: date
    base: int
    proposed_by: str
    proposed_at: datetime
    file: bytes = b""
    ground: str = ""
    document_number: str = ""
    state: ChangeState = ChangeState.PROPOSED
    note: str = ""
    consent: Consent | None = None

    @property
    def file_digest(self) -> str:
        """SHA-256 of the type file, in hex."""
        return hashlib.sha256(self.file).hexdigest()

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything that a second person agrees to."""
        content = {
            "yinxin type change": 1,
            "id": self.id,
            "agency": self.agency,
            "kind": str(self.kind),
            "code": self.code,
            "version": self.version,
            "day": self.day.isoformat(),
            "base": self.base,
            "file": self.file_digest,
            "ground": self.ground,
            "document_number": self.document_number,
        }
        return content_digest(content)

    def require_open(self) -> None:
        """`Conflict` when it was approved or withdrawn before."""
        if self.state is not ChangeState.PROPOSED:
            raise Conflict(f"the change is {STATE_NAMES[self.state].en}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the file."""
        return {
            "id": self.id,
            "kind": str(self.kind),
            "type": self.code,
            "version": self.version,
            "day": self.day.isoformat(),
            "state": str(self.state),
            "file_digest": self.file_digest if self.file else None,
            "digest": self.digest.hex(),
            "ground": self.ground,
            "document_number": self.document_number,
            "note": self.note,
            "proposed_by": self.proposed_by,
            "proposed_at": self.proposed_at.isoformat(),
            "approved_by": self.consent.by if self.consent else None,
            "approved_at": self.consent.at.isoformat() if self.consent else None,
        }

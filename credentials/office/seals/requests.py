"""What takes a second person: an application for a seal, a grant, a return to use, a cancellation, a drill.

Who asks writes down what; who agrees signs the digest of exactly that. It is done in the transaction in which
the agreement is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import Consent, content_digest
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class RequestKind(StrEnum):
    """What is asked for."""

    APPLY = "apply"
    GRANT = "grant"
    RESUME = "resume"
    CANCEL = "cancel"
    COMPROMISE = "compromise"


REQUEST_NAMES: Mapping[RequestKind, Text] = {
    RequestKind.APPLY: Text("申请制作印章", "A seal is to be made"),
    RequestKind.GRANT: Text("用印授权", "A grant of use"),
    RequestKind.RESUME: Text("恢复使用", "Back into use"),
    RequestKind.CANCEL: Text("注销印章", "A seal is to be cancelled"),
    RequestKind.COMPROMISE: Text("密钥失密处置方案", "What to do about a lost key"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `content` is all that will be done, as JSON."""

    id: str
    agency: str
    seal: str | None
    kind: RequestKind
    content: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    consent: Consent | None = None
    decided_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided on it."""
        return self.decided_at is None

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything that the second person agrees to."""
        content = {
            "yinxin seal request": 1,
            "id": self.id,
            "agency": self.agency,
            "seal": self.seal,
            "kind": str(self.kind),
            "content": dict(self.content),
            "asked_by": self.asked_by,
        }
        return content_digest(content)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "seal": self.seal,
            "kind": str(self.kind),
            "text": REQUEST_NAMES[self.kind].to_dict(),
            "content": dict(self.content),
            "asked_by": self.asked_by,
            "asked_at": self.asked_at.isoformat(),
            "digest": self.digest.hex(),
            "agreed_by": self.consent.by if self.consent else None,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
        }

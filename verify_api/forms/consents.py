"""A holder's consent to have a form filled: who asks, for which matter, which fields, until when.

It is kept under its number, which the holder reads in the wallet: whoever has that can take it back. What
the holder signed is the presentation session that belongs to it. Storage is `.repository`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from verify_api.presentations.sessions import KEPT_AFTER, SESSION_LIFE
from yinxin.base.errors import NotFound
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# What the holder showed is forgotten then, and with it whose licences they are.
CONSENT_LIFE = SESSION_LIFE + KEPT_AFTER
KEPT_FOR = timedelta(days=30)
_NUMBER = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class ConsentState(StrEnum):
    """Where a consent stands. `EXPIRED` is never stored: it follows from the time."""

    ASKED = "asked"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


STATE_NAMES: Mapping[ConsentState, Text] = {
    ConsentState.ASKED: Text("未使用", "not used yet"),
    ConsentState.USED: Text("已使用", "used"),
    ConsentState.REVOKED: Text("已撤回", "taken back"),
    ConsentState.EXPIRED: Text("已过期", "over"),
}


@dataclass(frozen=True, slots=True)
class FormConsent:
    """One consent. `session` is the presentation in which it is given, `clerk` the person who asked."""

    number: str
    department: str
    matter: str
    fields: tuple[str, ...]
    session: str
    asked_at: datetime
    clerk: str | None = None
    state: ConsentState = ConsentState.ASKED
    decided_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """When it is over."""
        return self.asked_at + CONSENT_LIFE

    def state_at(self, now: datetime) -> ConsentState:
        """Where it stands at a moment."""
        is_over = self.state is ConsentState.ASKED and now >= self.expires_at
        return ConsentState.EXPIRED if is_over else self.state

    def to_dict(self, *, now: datetime) -> dict[str, Any]:
        """As JSON."""
        state = self.state_at(now)
        return {
            "consent": self.number,
            "matter": self.matter,
            "fields": list(self.fields),
            "state": str(state),
            "text": STATE_NAMES[state].to_dict(),
            "asked_at": self.asked_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
        }


def statement(department: Text, form: Text, labels: list[Text], *, number: str, minutes: int) -> Text:
    """What the holder reads and signs, in one line."""
    zh = "、".join(one.zh for one in labels)
    en = ", ".join(one.en for one in labels)
    return Text(
        f"同意{department.zh}从本人现有证照中一次性读取以下内容，用于填写《{form.zh}》：{zh}。"
        f"{minutes}分钟内有效，可凭同意书编号 {number} 撤回。",
        f"I agree that {department.en} reads this from the licences I have, once, to fill in '{form.en}': "
        f"{en}. Good for {minutes} minutes; I can take it back by the number {number}.",
    )


def number_of(text: str) -> str:
    """A consent's number as it may be; `NotFound` for any other text."""
    if not _NUMBER.match(text):
        raise NotFound("no such consent")
    return text

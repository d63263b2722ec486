"""Record an entry in the same transaction as the change it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from yinxin.base.audit.entry import SALT_BYTES, canonical_body
from yinxin.base.audit.records import INBOX
from yinxin.base.errors import UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

    from yinxin.base.actor import Actor

_SYSTEM_RANDOMNESS = SystemRandomness()


def record(  # noqa: PLR0913 - the facts of one entry
    session: Session,
    *,
    action: str,
    subject: str,
    actor: Actor,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    randomness: Randomness = _SYSTEM_RANDOMNESS,
) -> str:
    """Put one entry into the inbox, committed or rolled back with the caller's change; returns its id.

    `action` is a word of the room (`licence.suspend`), `subject` the identifier of what it was done to (200
    characters at most), `details` further facts as JSON without floats. No personal data in any of them:
    digests, identifiers, codes. The sequencer gives the entry its place in the log afterwards.
    """
    if not action or not subject or len(subject) > 200:
        raise UsageError("an audit entry needs an action and a subject of at most 200 characters")
    if at.tzinfo is None:
        raise UsageError("an audit entry needs a time with its zone")
    entry_id = random_text(randomness)
    body = canonical_body(
        entry_id=entry_id, action=action, subject=subject, actor=actor, at=at, details=details or {}
    )
    row = {"entry_id": entry_id, "subject": subject, "salt": randomness.bytes(SALT_BYTES), "body": body}
    session.execute(insert(INBOX), row)
    return entry_id

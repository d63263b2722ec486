"""One audit entry: what was done, by whom, when, and the salted digest that stands for it in the log.

The log itself holds nothing but digests. Without its salt an entry's digest says nothing, so erasing the
salt and the text erases the entry, and the tree with all its proofs stays as it is.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.base.actor import Actor

SALT_BYTES = 32
MAX_BODY_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the log has it.

    `body` is canonical JSON (`content()` reads it) and `salt` opens the digest; both are None once the
    entry was erased.
    """

    log_index: int
    entry_id: str
    subject: str
    digest: bytes
    salt: bytes | None
    body: str | None

    def content(self) -> dict[str, Any] | None:
        """What was recorded: action, subject, actor, at, details; None once erased."""
        return json.loads(self.body) if self.body is not None else None

    @property
    def is_intact(self) -> bool:
        """Whether salt and text are there and give the digest."""
        if self.salt is None or self.body is None:
            return False
        return hmac.compare_digest(entry_digest(self.salt, self.body), self.digest)


def entry_digest(salt: bytes, body: str) -> bytes:
    """The 32 bytes that stand for an entry in the log: HMAC-SHA256 of its text under its salt."""
    return hmac.digest(salt, body.encode("utf-8"), "sha256")


def canonical_body(  # noqa: PLR0913 - the facts of one entry
    *, entry_id: str, action: str, subject: str, actor: Actor, at: datetime, details: Mapping[str, Any]
) -> str:
    """The one text of an entry: JSON, names sorted, no spaces, UTF-8, no floating-point numbers.

    `UsageError` when something in `details` has no such text, or the text is over 16,384 characters.
    """
    content = {
        "v": 1,
        "id": entry_id,
        "action": action,
        "subject": subject,
        "actor": {"kind": str(actor.kind), "id": actor.identifier, "agency": actor.agency},
        "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "details": _exact(details),
    }
    try:
        body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        body.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as exc:
        raise UsageError("audit details must be JSON") from exc
    if len(body) > MAX_BODY_CHARACTERS:
        raise UsageError(f"an audit entry is over {MAX_BODY_CHARACTERS} characters: record a digest instead")
    return body


def _exact(value: Any) -> Any:
    """The value with names as text, and nothing that two programs would write differently."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, dict) or hasattr(value, "items"):
        return {_name(name): _exact(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(item) for item in value]
    raise UsageError(f"audit details hold a {type(value).__name__}: write it as text")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise UsageError("names in audit details are texts")
    return name

"""What somebody asks of the verification service, as a value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from signing.jose import dump_json
from verify_api import documents
from yinxin.base.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: exactly one of `document`, `presentation` and `licence`, for a purpose and a matter.

    `licence` is an identifier or the number on paper (`licence_type` where a number is not unique).
    `claims` narrows the grant. `as_of` and `known_at` name the moment and the knowledge asked about.
    """

    document: bytes | None = field(default=None, repr=False)
    presentation: str | None = field(default=None, repr=False)
    nonce: str | None = None
    licence: str | None = field(default=None, repr=False)
    licence_type: str | None = None
    purpose: str = ""
    matter: str = ""
    claims: tuple[str, ...] | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what is asked: the same question has the same digest."""
        return hashlib.sha256(
            dump_json([_plain(getattr(self, item.name)) for item in fields(self)])
        ).hexdigest()


def check_question(question: Question) -> None:
    """`UsageError` or `TooLarge` for a question that cannot be meant."""
    given = [one for one in (question.document, question.presentation, question.licence) if one is not None]
    if len(given) != 1:
        raise UsageError("hand in exactly one of document, presentation and licence")
    if question.document is not None and len(question.document) > documents.MAX_DOCUMENT_BYTES:
        raise TooLarge("document", f"over {documents.MAX_DOCUMENT_BYTES} bytes")
    if len(question.presentation or "") > documents.MAX_PRESENTATION_CHARACTERS:
        raise TooLarge("presentation", f"over {documents.MAX_PRESENTATION_CHARACTERS} characters")
    for moment in (question.as_of, question.known_at):
        if moment is not None and moment.tzinfo is None:
            raise UsageError("a moment is named with its time zone")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or isinstance(value, (str, int)):
        return value
    return list(value) if isinstance(value, tuple) else value.isoformat()

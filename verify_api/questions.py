"""What somebody asks of the verification service, as a value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from signing.jose import dump_json
from verify_api import documents
from verify_api.handover import Handover
from yinxin.base.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from datetime import datetime

MAX_SIGNATURE_BYTES = 1 << 20
DIGEST_NAMES = {64: "sha256", 96: "sha384", 128: "sha512"}  # by the number of hex digits
_ALWAYS = 10  # members that every question's digest is over


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: exactly one of `document`, `presentation` and `licence`, for a purpose and a matter.

    A `signature` (CMS, `.p7s`) comes with the `document` that it is over, with the hex digest of one that is
    not handed in (`content_digest`, by the signature's own hash), or alone where it carries its content.
    A `session` of the caller's own says that the `presentation` is an mdoc (a DeviceResponse in base64url).
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
    signature: bytes | None = field(default=None, repr=False)
    content_digest: str | None = None
    session: Handover | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what is asked: the same question has the same digest."""
        asked = [_plain(getattr(self, item.name)) for item in fields(self)]
        while len(asked) > _ALWAYS and asked[-1] is None:  # as it was before there were signatures
            asked.pop()
        return hashlib.sha256(dump_json(asked)).hexdigest()


def check_question(question: Question) -> None:
    """`UsageError` or `TooLarge` for a question that cannot be meant."""
    given = [one for one in (question.document, question.presentation, question.licence) if one is not None]
    if question.signature is not None:
        _check_signature(question)
    elif len(given) != 1:
        raise UsageError("hand in exactly one of document, presentation and licence")
    elif question.content_digest is not None:
        raise UsageError("a digest is of what a signature is over: hand in the signature")
    if question.session is not None:
        if question.presentation is None or not question.nonce:
            raise UsageError("a session is that of an mdoc: hand it in as presentation, with its nonce")
        question.session.transcript(question.nonce)
    if question.document is not None and len(question.document) > documents.MAX_DOCUMENT_BYTES:
        raise TooLarge("document", f"over {documents.MAX_DOCUMENT_BYTES} bytes")
    if len(question.presentation or "") > documents.MAX_PRESENTATION_CHARACTERS:
        raise TooLarge("presentation", f"over {documents.MAX_PRESENTATION_CHARACTERS} characters")
    for moment in (question.as_of, question.known_at):
        if moment is not None and moment.tzinfo is None:
            raise UsageError("a moment is named with its time zone")


def _check_signature(question: Question) -> None:
    if question.presentation is not None or question.licence is not None:
        raise UsageError("a signature is over a document")
    if question.document is not None and question.content_digest is not None:
        raise UsageError("hand in the document or its digest, not both")
    if len(question.signature or b"") > MAX_SIGNATURE_BYTES:
        raise TooLarge("signature", f"over {MAX_SIGNATURE_BYTES} bytes")
    if question.content_digest is not None and len(question.content_digest) not in DIGEST_NAMES:
        raise UsageError("a digest is SHA-256, SHA-384 or SHA-512 in hex")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Handover):
        return value.plain()
    return list(value) if isinstance(value, tuple) else value.isoformat()

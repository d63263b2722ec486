"""Whose revocation data were missing: told to whoever gathers them, so that the next answer is better.

Only certificates of documents whose path leads to an anchor: a stranger's own certificates would make us ask
wherever the stranger likes. Nothing here fetches or writes.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from signing.carried import carried_in
from signing.certificates import Certificate
from signing.reasons import Reason
from verify_api import documents
from verify_api.mdocs import certificates_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from verify_api.documents import Examined

MAX_TOLD = 16  # certificates of one document
MAX_TOLD_BYTES = 8192  # of one certificate
MEMBER = "lacking"
_REASONS = frozenset({Reason.REVOCATION_UNKNOWN, Reason.REVOCATION_STALE})
_NAMES = frozenset(reason.name for reason in _REASONS)


def examine_pdf(shared: tuple[Any, ...], document: bytes, now: datetime) -> dict[str, Any]:
    """As `documents.examine_pdf`, with the document's certificates where revocation data were missing."""
    answer = documents.examine_pdf(shared, document, now)
    return with_lacking(answer, document)


def with_lacking(answer: dict[str, Any], document: bytes) -> dict[str, Any]:
    """A worker's answer with the certificates in a document, where revocation data were missing."""
    if any(check[1] in _NAMES for check in answer["checks"]):
        answer[MEMBER] = [b64encode(one.der).decode("ascii") for one in _told(carried_in(document))]
    return answer


def lacking_in(answer: dict[str, Any]) -> list[Certificate]:
    """The certificates in such an answer of a worker process."""
    return [Certificate(b64decode(text)) for text in answer.get(MEMBER, ())]


def lacking_of(presentation: str, examined: Examined) -> list[Certificate]:
    """The certificates of a presentation, where revocation data of one were missing."""
    if not any(check.reason in _REASONS for check in examined.checks):
        return []
    return _told(certificates_in(presentation.encode()))


def _told(certificates: Iterable[Certificate]) -> list[Certificate]:
    return [one for one in certificates if len(one.der) <= MAX_TOLD_BYTES][:MAX_TOLD]

"""What a verified PDF proves: the values that a passed report hands out, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.report import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf.profiles.statement import Copy


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """One signature or seal of a document that passed.

    `path` goes from the signer's certificate to the anchor; `usage` is "seal" or "signature".
    `proved_at` is the earliest time that a time-stamp proves; `claimed_at` is only what the signer says.
    `covered_bytes` is how much of the file it covers, from its first byte on: the file as it was then.
    `commitments` and `roles` are what the signer claims; `names` are the fields of signatures that are
    confirmed by it; `copy` says of what the document is an annotated copy.
    """

    field: str
    usage: str
    path: tuple[Certificate, ...]
    proved_at: datetime | None
    claimed_at: datetime | None
    reason: str | None
    location: str | None
    certifies: bool
    covers_whole_file: bool
    covered_bytes: int
    commitments: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    copy: Copy | None = None

    @property
    def certificate(self) -> Certificate:
        """The signer's certificate."""
        return self.path[0]


@dataclass(frozen=True, slots=True)
class VerifiedDocument(Evidence):
    """A PDF whose every signature passed: who signed, what is embedded, and the file's SHA-256 in hex."""

    signatures: tuple[VerifiedSignature, ...]
    attachments: Mapping[str, bytes]
    pdf_digest: str

"""Certificate revocation lists in DER (RFC 5280, 5), and why certificates are revoked.

An entry is encoded once, when its certificate is revoked, and kept; a list is then little more than the
joined entries and a signature. Which entries belong into a list is the repository's knowledge, when a
new list is due `ca.revocation`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ca.template import AUTHORITY_KEY, extension
from signing import der
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.algorithms import Algorithm

CRL_NUMBER, REASON_CODE, INVALIDITY_DATE = "2.5.29.20", "2.5.29.21", "2.5.29.24"


class RevocationReason(StrEnum):
    """Why a certificate does not hold any more (RFC 5280, 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    CA_COMPROMISE = "ca_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"
    CERTIFICATE_HOLD = "certificate_hold"
    PRIVILEGE_WITHDRAWN = "privilege_withdrawn"

    @property
    def number(self) -> int:
        """The number of RFC 5280."""
        return _NUMBERS[self]

    @classmethod
    def of(cls, name: str) -> RevocationReason:
        """The reason of this name, or `UsageError`."""
        try:
            return cls(name)
        except ValueError as exc:
            raise UsageError(f"no revocation reason {name!r}; known: {', '.join(cls)}") from exc


_NUMBERS = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.CA_COMPROMISE: 2,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.CERTIFICATE_HOLD: 6,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
}
_REASONS = {
    reason: extension(REASON_CODE, der.tlv(der.ENUMERATED, bytes((number,))))
    for reason, number in _NUMBERS.items()
}
# RFC 5280, 5.3.1: unspecified is said by saying nothing.
_REASONS[RevocationReason.UNSPECIFIED] = b""


def encode_entry(
    serial: int, *, at: datetime, reason: RevocationReason, invalid_since: datetime | None = None
) -> bytes:
    """One revoked certificate as it stands in the list.

    `invalid_since` is since when its key is not to be trusted, where that is known (RFC 5280, 5.3.2).
    """
    said = _REASONS[reason] + (invalidity_date(invalid_since) if invalid_since else b"")
    return der.sequence(der.integer(serial), der.time(at), der.sequence(said) if said else b"")


def invalidity_date(since: datetime) -> bytes:
    """The extension of a list's entry, and of an OCSP answer (RFC 6960, 4.4.5)."""
    return extension(INVALIDITY_DATE, der.generalized_time(since))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlDraft:
    """All that a list says, before it is encoded; `number` grows with every list of an issuer."""

    issuer: bytes  # Name in DER
    issuer_key_identifier: bytes
    algorithm: Algorithm
    number: int
    this_update: datetime
    next_update: datetime

    def encode(self, entries: Iterable[bytes]) -> bytes:
        """The TBSCertList in DER around entries that `encode_entry` made."""
        joined = b"".join(entries)
        extensions = der.sequence(
            extension(AUTHORITY_KEY, der.sequence(der.tlv(0x80, self.issuer_key_identifier))),
            extension(CRL_NUMBER, der.integer(self.number)),
        )
        return der.sequence(
            _VERSION_2,
            self.algorithm.identifier,
            self.issuer,
            der.time(self.this_update),
            der.time(self.next_update),
            # RFC 5280, 5.1.2.6: without any entry the list is absent, not empty.
            der.sequence(joined) if joined else b"",
            der.explicit(0, extensions),
        )


_VERSION_2 = der.integer(1)

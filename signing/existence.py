"""Proofs of existence: since when a signature, a certificate or a piece of evidence is known to be.

A time-stamp proves that the bytes it covers existed at its time. What is proved to be older than the loss of
a key, the end of an authority or of an algorithm cannot be the work of who profits from it later (ETSI EN 319
102-1, 5.6.2.3). What is proved by nothing may have been made just now.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING

from signing.certificates import Certificate
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from signing.cms import SignedData


class Proofs:
    """The earliest proved time of each thing, by the SHA-256 of its bytes in hex. Immutable."""

    __slots__ = ("_times",)

    def __init__(self, times: Mapping[str, datetime] | None = None) -> None:
        """Keep times by fingerprint."""
        self._times = MappingProxyType(dict(times or {}))

    def of(self, fingerprint: str) -> datetime | None:
        """Since when the thing is known to exist; None where nothing proves it."""
        return self._times.get(fingerprint)

    def of_signature(self, signed: SignedData) -> datetime | None:
        """Since when this signature value is known to exist."""
        return self._times.get(fingerprint_of(signed.signature)) if self._times else None

    def adding(self, fingerprints: Iterable[str], at: datetime) -> Proofs:
        """These proofs and that all of these things existed at a time; the earlier proof of a thing stays."""
        times = dict(self._times)
        for fingerprint in fingerprints:
            times[fingerprint] = min(at, times.get(fingerprint, at))
        return Proofs(times)

    def __bool__(self) -> bool:
        return bool(self._times)

    def __len__(self) -> int:
        return len(self._times)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proofs) and self._times == other._times

    def __hash__(self) -> int:
        return hash(frozenset(self._times.items()))

    def __repr__(self) -> str:
        return f"Proofs({len(self)} things)"


NO_PROOFS = Proofs()


def fingerprint_of(encoded: bytes) -> str:
    """SHA-256 in hex: the name of a thing here, the same that certificates, lists and answers have."""
    return hashlib.sha256(encoded).hexdigest()


def parts_of(signed: SignedData) -> list[str]:
    """The fingerprints of what a whole CMS structure holds: its signature value, certificates, evidence."""
    found = [fingerprint_of(signed.signature), *(one.fingerprint for one in signed.certificates)]
    return found + [fingerprint_of(one) for one in (*signed.crls, *signed.ocsp)]


def evidence_from(crls: Iterable[bytes], ocsp: Iterable[bytes]) -> RevocationSnapshot:
    """The lists and answers that came along with a document; what does not parse is none."""
    lists, answers = [], []
    for encoded in crls:
        try:
            lists.append(Crl.from_der(encoded))
        except MalformedInput:
            continue
    for encoded in ocsp:
        try:
            answers.append(OcspAnswer.from_der(encoded))
        except MalformedInput:
            continue
    return RevocationSnapshot(lists, answers)


def certificates_from(encoded: Iterable[bytes]) -> tuple[Certificate, ...]:
    """The certificates that came along; what does not parse is none."""
    found = []
    for one in dict.fromkeys(encoded):
        try:
            found.append(Certificate(one))
        except MalformedInput:
            continue
    return tuple(found)


def is_archived(carried: RevocationSnapshot, path: Iterable[Certificate], proofs: Proofs) -> bool:
    """Whether a time-stamp covers the evidence that came along about a path (and there is some)."""
    kept = carried.about(path)
    fingerprints = [crl.fingerprint for crl in kept.crls] + [answer.fingerprint for answer in kept.ocsp]
    return bool(fingerprints) and all(map(proofs.of, fingerprints))

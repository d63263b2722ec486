"""Find paths from a certificate to the trust anchors, shortest first, within a budget.

Any signed document may carry certificates made to explode a search: twenty that certify each other have
more paths than anyone can walk. So each signature is checked once, the number of checks and of steps is
bounded, and the same certificates always give the same paths in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from signing.names import name_key
from signing.path.facts import MAX_REMEMBERED_BYTES, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.path.remembered import Horizon
    from signing.trust import TrustStore

Path = tuple["Certificate", ...]
MAX_INTERMEDIATES = 128
MAX_DEPTH = 10  # certificates in a path, both ends included
MAX_SIGNATURES = 64
MAX_STEPS = 256


@dataclass(slots=True)
class Search:
    """One search. After `paths` is exhausted, `is_cut_short` says whether a bound ended it."""

    trust: TrustStore
    at: datetime
    horizon: Horizon
    intermediates: dict[NameKey, list[Certificate]] = field(default_factory=dict)
    is_cut_short: bool = False
    _edges: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)
    _steps: int = 0

    def add(self, certificates: Iterable[Certificate]) -> None:
        """Offer candidate issuers; each counts once, those over the bound are left aside."""
        chosen = sorted(set(certificates), key=self._preference)
        for certificate in chosen:  # their order depends on who is in time
            self.horizon.at.turn((certificate.not_before, certificate.not_after))
        for certificate in chosen[:MAX_INTERMEDIATES]:
            self.intermediates.setdefault(name_key(certificate.subject_der), []).append(certificate)

    def paths(self, leaf: Certificate) -> Iterator[Path]:
        """Paths leaf to anchor whose signatures verify, shortest first; permission is judged by others."""
        if leaf in self.trust:
            yield (leaf,)
        level: list[Path] = [(leaf,)]
        for _ in range(MAX_DEPTH - 1):
            for path in level:
                for anchor in self.trust.issuers_of(path[-1]):
                    if anchor.certificate not in path and self._is_signed(path[-1], anchor.certificate):
                        yield (*path, anchor.certificate)
            level = [longer for path in level for longer in self._longer(path)]

    def _longer(self, path: Path) -> Iterator[Path]:
        last = path[-1]
        wanted = last.authority_key_id
        name = name_key(last.issuer_der)
        offered = self.intermediates.get(name, [])
        candidates = [*offered, *(one for one in self.trust.known_as(name) if one not in offered)]
        for candidate in sorted(
            candidates, key=lambda one: wanted is not None and one.subject_key_id != wanted
        ):
            if candidate in self.trust or any(_is_same_entity(candidate, one) for one in path):
                continue
            if self._steps >= MAX_STEPS:
                self.is_cut_short = True
                return
            self._steps += 1
            if self._is_signed(last, candidate):
                yield (*path, candidate)

    def _is_signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        key = (certificate.der, issuer.der)
        if key not in self._edges:
            if len(self._edges) >= MAX_SIGNATURES:
                self.is_cut_short = True
                return False
            self._edges[key] = _is_issued_by(certificate, issuer)
        return self._edges[key]

    def _preference(self, certificate: Certificate) -> tuple[bool, bool, str]:
        is_fit = facts_of(certificate).is_authority
        return (not is_fit, not certificate.is_valid_at(self.at), certificate.fingerprint)


def _is_same_entity(one: Certificate, other: Certificate) -> bool:
    """The same name with the same key: a path that meets it again runs in a circle (RFC 5280, 6.1)."""
    return one.spki == other.spki and name_key(one.subject_der) == name_key(other.subject_der)


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """A signature holds or does not: remembered, because every document of an agency asks the same."""
    if max(len(certificate.der), len(issuer.der)) > MAX_REMEMBERED_BYTES:
        return certificate.is_issued_by(issuer)
    return _remembered(certificate, issuer)


@lru_cache(maxsize=2048)
def _remembered(certificate: Certificate, issuer: Certificate) -> bool:
    return certificate.is_issued_by(issuer)

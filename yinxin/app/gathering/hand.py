"""Certificates at hand: who issued whom, and which of them lead to a trust anchor.

Only such certificates have their lists and answers gathered: anybody can write a certificate that names an
address, but only an authority below our anchors can sign it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from signing.names import name_key
from signing.path.facts import facts_of
from signing.revocation.points import list_issuers_of
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.trust import TrustStore

MAX_AT_HAND = 5000
MAX_OF_ONE_NAME = 16
MAX_DEPTH = 10


class AtHand:
    """An immutable set of certificates below a trust store. Equal sets give equal answers, in the same order.

    `certificates` are those whose evidence is wanted. `helpers` are wanted only where they stand above one of
    them, or may sign a list about one.
    """

    def __init__(
        self, trust: TrustStore, certificates: Iterable[Certificate], helpers: Iterable[Certificate] = ()
    ) -> None:
        """Keep certificates, at most `MAX_AT_HAND` of each kind, authorities first."""
        anchors = {anchor.certificate for anchor in trust.anchors}
        given = set(_bounded({*certificates} - anchors))
        helping = _bounded({*helpers, *trust.known} - anchors - given)
        self.certificates = (*_bounded(given), *helping)
        self._issuers: dict[Certificate, Certificate] = {}
        self._rooted = set(anchors)
        self._authorities: dict[NameKey, list[Certificate]] = {}
        for anchor in sorted(anchors, key=lambda one: one.fingerprint):
            self._admit(anchor)
        self._connect()
        self._wanted = self._with_helpers(given)

    @property
    def rooted(self) -> tuple[tuple[Certificate, Certificate], ...]:
        """Each certificate that leads to an anchor, with the certificate of its issuer."""
        return tuple((one, self._issuers[one]) for one in self.certificates if self._is_wanted(one))

    @property
    def loose(self) -> tuple[Certificate, ...]:
        """Certificates that lead nowhere so far."""
        return tuple(one for one in self.certificates if one in self._wanted and one not in self._issuers)

    def signers(self, name: NameKey) -> tuple[Certificate, ...]:
        """The certificates of this name that lead to an anchor: they may have signed a list."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> dict[NameKey, tuple[Certificate, ...]]:
        index: dict[NameKey, tuple[Certificate, ...]] = {}
        for certificate in sorted(self._rooted, key=lambda one: one.fingerprint):
            name = name_key(certificate.subject_der)
            index[name] = (*index.get(name, ()), certificate)[:MAX_OF_ONE_NAME]
        return index

    def _is_wanted(self, certificate: Certificate) -> bool:
        return certificate in self._wanted and certificate in self._issuers

    def _with_helpers(self, given: set[Certificate]) -> set[Certificate]:
        wanted, waiting = set(given), list(given)
        while waiting:
            certificate = waiting.pop()
            signers = [one for name in list_issuers_of(certificate) for one in self.signers(name)]
            above = [self._issuers[certificate]] if certificate in self._issuers else []
            for helper in (*above, *signers):
                if helper not in wanted:
                    wanted.add(helper)
                    waiting.append(helper)
        return wanted

    def _connect(self) -> None:
        waiting = list(self.certificates)
        for _ in range(MAX_DEPTH):
            below = [one for one in waiting if self._find_issuer(one)]
            if not below:
                return
            for certificate in below:
                self._rooted.add(certificate)
                if facts_of(certificate).is_authority:
                    self._admit(certificate)
            waiting = [one for one in waiting if one not in self._issuers]

    def _admit(self, authority: Certificate) -> None:
        named = self._authorities.setdefault(name_key(authority.subject_der), [])
        if len(named) < MAX_OF_ONE_NAME:
            named.append(authority)

    def _find_issuer(self, certificate: Certificate) -> bool:
        for candidate in self._authorities.get(name_key(certificate.issuer_der), ()):
            if is_issued_by(certificate, candidate):
                self._issuers[certificate] = candidate
                return True
        return False


def _bounded(certificates: set[Certificate]) -> list[Certificate]:
    ordered = sorted(certificates, key=lambda one: (not facts_of(one).is_authority, one.fingerprint))
    return ordered[:MAX_AT_HAND]


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether this authority signed it; False also for keys and signatures of kinds that we do not know."""
    try:
        return certificate.is_issued_by(issuer)
    except YinxinError:
        return False

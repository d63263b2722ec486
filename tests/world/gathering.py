"""Somebody who gathers evidence from authorities next door, over an internet in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509

from signing.path import validate_path
from signing.policy import Policy
from signing.trust import TrustStore
from world.places import Country
from yinxin.app.gathering.gatherer import Gatherer
from yinxin.app.gathering.library import Library
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path

    from signing.certificates import Certificate
    from signing.reasons import Reason
    from yinxin.app.gathering.outcome import Outcome, State


@dataclass
class Job:
    """A country, its lists on a net, and somebody who gathers them."""

    folder: Path
    country: Country = field(default_factory=Country)
    clock: FixedClock = field(default_factory=lambda: FixedClock(2026, 11, 20, 12))
    policy: Policy = field(default_factory=Policy.default)

    def __post_init__(self) -> None:
        self.library = Library(self.folder)
        self.trust = TrustStore([self.country.root.certificate])

    @property
    def gatherer(self) -> Gatherer:
        return Gatherer(self.library, self.trust, self.country.net, clock=self.clock, policy=self.policy)

    def run(self, *certificates: Certificate, **how: Any) -> dict[str, State]:
        return states(self.gatherer.run(certificates, **how))

    def reasons(self, leaf: Certificate) -> frozenset[Reason]:
        """Why the leaf, which comes alone, does not pass by what another process reads in the folder."""
        gathered = Library(self.folder).read()
        trust = self.trust.with_known(gathered.certificates)
        result = validate_path(
            leaf,
            (),
            trust,
            at=self.clock.now(),
            usage="seal",
            revocation=gathered.revocation,
            policy=self.policy,
        )
        return result.reasons


def states(outcome: Outcome) -> dict[str, State]:
    return {item.url.removeprefix("http://ca.example/"): item.state for item in outcome.items}


def scope_of(url: str, *, indirect: bool = False) -> x509.IssuingDistributionPoint:
    names = [x509.UniformResourceIdentifier(url)]
    return x509.IssuingDistributionPoint(names, None, False, False, None, indirect, False)

"""Levels of a signature: what it brings along to be judged later (EN 319 142-1, 6; EN 319 122-1, 6).

    B-B    signed attributes, the signer's certificate
    B-T    a trusted time proves that it existed
    B-LT   and what it takes to judge its certificates then comes along: issuers and revocation
    B-LTA  and a later time-stamp covers that evidence as well

A level is what is there and holds, not what a file claims. A policy demands one, with the uses that a
signer's key may be for (`Demand`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from signing.revocation import RevocationState
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import RevocationSnapshot

SIGNER_USAGES = frozenset({"seal", "signature"})
# What may stand behind a signature in a document, the strictest first.
Changes = Literal["none", "archive", "form", "permitted", "filled", "annotation"]
CHANGES: tuple[Changes, ...] = ("none", "archive", "form", "permitted", "filled", "annotation")


class Level(StrEnum):
    """A baseline level, the least first."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    @property
    def rank(self) -> int:
        """Its place: a higher level has all that the lower ones have."""
        return _RANKS[self]

    def reaches(self, wanted: Level) -> bool:
        """Whether it has all that `wanted` has."""
        return self.rank >= wanted.rank


_RANKS = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of the signatures on a document; `usages` are the uses that their keys may be for."""

    level: Level = Level.B_B
    usages: frozenset[str] = SIGNER_USAGES

    def __post_init__(self) -> None:
        if not self.usages or not self.usages <= SIGNER_USAGES:
            raise UsageError(f"documents are signed by keys for {' or '.join(sorted(SIGNER_USAGES))}")


def level_of(
    path: tuple[Certificate, ...],
    *,
    proved: datetime | None,
    carried: RevocationSnapshot | None = None,
    certificates: Iterable[Certificate] = (),
    is_archived: bool = False,
) -> Level:
    """The level of a signature whose signer's path is `path` (leaf to anchor, empty when none was found).

    `proved` is the time that is proved, `carried` and `certificates` the evidence that came along,
    `is_archived` whether a later time-stamp covers that evidence. The anchor itself need not come along: it
    is the verifier's own.
    """
    if proved is None:
        return Level.B_B
    if carried is None or not path or not set(path[1:-1]) <= set(certificates):
        return Level.B_T
    if not all(_speaks(carried, one, issuer, proved) for one, issuer in pairwise(path)):
        return Level.B_T
    return Level.B_LTA if is_archived else Level.B_LT


def _speaks(
    carried: RevocationSnapshot, certificate: Certificate, issuer: Certificate, proved: datetime
) -> bool:
    """Whether the evidence says of a certificate how it stood then."""
    return carried.status(certificate, issuer, at=proved).state is not RevocationState.UNKNOWN

"""Changed copies of documents that were kept for the long term: none raises, none passes with another time.

They are asked about after the signer and the first time-stamp have ended, with nothing at hand but what the
document brings: what proves the time is the newest stamp and all that it covers.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.asn1_mutants import Mutator
from world.desk import Desk, plain_pdf
from world.mutants import edited, interesting_places, random_edits, signed_part_is_unchanged
from world.pki import NOON, Pki
from world.tsa import MemoryTsa

from signing import Indication, RevocationSnapshot, detached, pdf

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = timedelta(days=1)
LATER = NOON + 800 * DAY
CONTENT = b"a decision"
NOTHING = RevocationSnapshot()


class Kept(Desk):
    """What the agency sealed at noon, stamped again a day later by an authority that outlasts both."""

    def __init__(self) -> None:
        super().__init__(Pki())
        self.first = MemoryTsa(self.pki.signer("timestamp", "First TSA"))
        known: dict[str, Any] = {"revocation": self.revocation(), "now": NOON + DAY / 2}
        known["timestamper"] = MemoryTsa(self.tsa.signer, NOON + DAY / 2)
        sealed = self.seal(plain_pdf(), timestamper=self.first)
        signed = detached.sign(CONTENT, self.agency, now=NOON, timestamper=self.first)
        self.document = pdf.archive(sealed, self.trust, **known)
        self.signature = detached.archive(signed, CONTENT, self.trust, **known)


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.mark.campaign
def test_no_mutant_of_a_pdf(kept: Kept, rounds: Callable[[int, int], int]) -> None:
    places = interesting_places(kept.document)
    source, outcomes = random.Random(20261123), Counter[Indication]()  # noqa: S311 - the same mutants every time
    for _ in range(rounds(30, 10_000)):
        changed = edited(kept.document, random_edits(source, places))
        report = pdf.verify(changed, kept.trust, revocation=NOTHING, now=LATER)
        outcomes[report.indication] += 1
        if report.passed:
            assert signed_part_is_unchanged(kept.document, changed)
            assert report.require().signatures[0].proved_at == NOON
    assert outcomes[Indication.FAILED] > outcomes.total() * 0.9


@pytest.mark.campaign
def test_no_mutant_of_a_signature_beside_a_file(kept: Kept, rounds: Callable[[int, int], int]) -> None:
    mutator = Mutator(kept.signature)
    source, outcomes = random.Random(20261123), Counter[Indication]()  # noqa: S311 - the same mutants every time
    for _ in range(rounds(200, 40_000)):
        changed = mutator.mutant(source)
        report = detached.verify(changed, CONTENT, kept.trust, revocation=NOTHING, now=LATER)
        outcomes[report.indication] += 1
        if report.passed:
            found = report.require()
            assert (found.proved_at, found.certificate) == (NOON, kept.agency.certificate)
    assert outcomes[Indication.PASSED] < outcomes.total() * 0.1

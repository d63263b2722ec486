"""Many changed copies of sealed documents: none raises, none passes whose signed bytes differ."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import typst
from world.desk import Desk, plain_pdf, red_face
from world.mutants import edited, interesting_places, random_edits, signed_part_is_unchanged
from world.pki import NOON

from signing.pdf import verify
from signing.report import Indication

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.campaign
def test_no_mutant_passes(rounds: Callable[[int, int], int]) -> None:
    desk = Desk()
    revocation = desk.revocation()
    plain = desk.seal(plain_pdf(files={"licence.json": b"{}"}), reason="Approved")
    licence = desk.seal(typst.compile(b"= Licence\n#lorem(80)", pdf_standards="a-3b"), face=red_face())
    documents = [
        plain,
        desk.seal(plain, signer=desk.citizen),
        licence,
        desk.seal(licence, face=red_face(20, 20), at=(9, 9)),
    ]
    places = [interesting_places(document) for document in documents]
    source, outcomes = random.Random(20261120), Counter[Indication]()  # noqa: S311 - the same mutants every time
    for number in range(rounds(400, 40_000)):
        original = documents[number % len(documents)]
        changes = random_edits(source, places[number % len(documents)])
        changed = edited(original, changes)
        report = verify(changed, desk.trust, revocation=revocation, now=NOON)
        outcomes[report.indication] += 1
        if report.passed:
            assert signed_part_is_unchanged(original, changed), changes
    assert outcomes[Indication.FAILED] > outcomes.total() * 0.9

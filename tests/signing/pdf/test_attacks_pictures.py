"""Updates after which a reader shows another thing than it showed of what was signed: none passes.

`tests/campaign/test_pdf_pictures.py` draws them with the readers that are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Paper
from world.pdf_pictures_attacks import ATTACKS

from signing.reasons import Reason

if TYPE_CHECKING:
    from world.desk import Desk


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reader_shows_another_thing(desk: Desk, name: str) -> None:
    report = desk.verify(ATTACKS[name](desk).pdf)
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}, report.reasons


@pytest.mark.parametrize("widths", [b"[<< >> 1 1]", b"[(a)]", b"[1.5 2 2]", b"[9 9 9]"])
def test_a_trailer_of_a_table_may_say_anything_of_columns(desk: Desk, widths: bytes) -> None:
    """It once stopped the comparison with an exception."""
    paper = Paper().sign(desk.agency).write({90: b"<< >>"}, trailer=b" /W " + widths)
    assert desk.verify(paper.pdf).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}

"""Updates after which a reader shows another thing than it showed of what was signed: none passes.

`tests/campaign/test_pdf_pictures.py` draws them with the readers that are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_pictures_attacks import ATTACKS

from signing.reasons import Reason

if TYPE_CHECKING:
    from world.desk import Desk


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reader_shows_another_thing(desk: Desk, name: str) -> None:
    report = desk.verify(ATTACKS[name](desk).pdf)
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}, report.reasons

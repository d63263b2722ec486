"""Updates after which a reader shows another thing than it showed of what was signed: none passes.

`tests/campaign/test_pdf_pictures.py` draws them with the readers that are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Paper
from world.pdf_pictures_attacks import ATTACKS, signed_at_its_front, signed_twice_named

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reader_shows_another_thing(desk: Desk, name: str) -> None:
    reasons = desk.verify(ATTACKS[name](desk).pdf).reasons
    assert reasons - {Reason.FORMAT_FAILURE} == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


@pytest.mark.parametrize("widths", [b"[<< >> 1 1]", b"[(a)]", b"[1.5 2 2]", b"[9 9 9]"])
def test_a_trailer_of_a_table_may_say_anything_of_columns(desk: Desk, widths: bytes) -> None:
    """It once stopped the comparison with an exception."""
    paper = Paper().sign(desk.agency).write({90: b"<< >>"}, trailer=b" /W " + widths)
    assert desk.verify(paper.pdf).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


@pytest.mark.parametrize("make", [signed_at_its_front, signed_twice_named])
def test_readers_see_two_documents_in_what_was_signed(desk: Desk, make: Callable[[Desk], Paper]) -> None:
    assert desk.verify(make(desk).pdf).reasons == {Reason.FORMAT_FAILURE}

"""The code on our pages before a simulated webcam: 40 mm of paper on nine pixels for a millimetre."""

from __future__ import annotations

from world.sheets import COUNTER, printed_sheets, read_in

TRIES, WANTED = 30, 29


def test_a_webcam_reads_the_code() -> None:
    assert read_in(printed_sheets(), COUNTER, TRIES) >= WANTED

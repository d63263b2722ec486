"""Pictures: what readers show of a file that passes is what they showed of what was signed.

Updates of chance are written behind a signature; for each that passes, the signed revision and the whole
file are drawn by every reader that is installed (`world.pdf_pictures`), and must look and read the same. The
signed part holds another content in no table, which a reader shows that cannot read an update and repairs
the file. The attacks that were found so are drawn too: that they are attacks is seen there.
"""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

import pytest
from world.desk import Desk
from world.pdf_paper import Paper
from world.pdf_pictures import missing, readers
from world.pdf_pictures_attacks import ALIKE, ATTACKS, GOOD, HIDDEN, covered
from world.pdf_pictures_updates import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.pdf_pictures import Seen

LAYOUTS = ("table", "stream", "packed")
ODDITIES = (0.0, 0.003, 0.01, 0.03, 0.1)
DESK = Desk()
REVOCATION = DESK.revocation()


@cache
def signed(layout: str) -> Paper:
    """A page with a seal, and another content in its signed part."""
    paper = Paper(layout=layout)
    paper.write({11: GOOD}).write({5: b"<< >>"}, before=HIDDEN)
    return paper.sign(DESK.agency)


@cache
def seen(reader: str, layout: str) -> Seen:
    return readers()[reader](signed(layout).pdf)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_updates_of_chance(rounds: Callable[[int, int], int], layout: str) -> None:
    full = rounds(0, 1)
    if full and missing():
        pytest.skip(missing())
    # Programs cost a tenth of a second for each file: the short form looks with a library alone.
    names = [name for name in readers() if full or name == "pdfium"]
    if not names:
        pytest.skip(missing())
    source, passed = random.Random(f"yinxin pictures {layout}"), 0  # noqa: S311 - the same files every time
    for number in range(rounds(60, 1_500)):
        paper = signed(layout)
        pdf = Writer(paper.copy(), source, source.choice(ODDITIES)).write()
        if not DESK.verify(pdf, revocation=REVOCATION).passed:
            continue
        passed += 1
        for name in names:
            assert readers()[name](pdf) == seen(name, layout), (number, name)
    assert passed > rounds(60, 1_500) // 10


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_attacks_are_seen(rounds: Callable[[int, int], int]) -> None:
    """Some reader shows another thing than of what was signed: who refuses these files is right."""
    full = rounds(0, 1)
    if missing() and (full or "pdfium" not in readers()):
        pytest.skip(missing())
    looks = [look for name, look in readers().items() if full or name == "pdfium"]
    files = {name: attack(DESK).pdf for name, attack in ATTACKS.items()}
    unseen = {
        name for name, pdf in files.items() if all(look(pdf[: covered(pdf)]) == look(pdf) for look in looks)
    }
    assert unseen == ALIKE if full else len(unseen) < len(files)

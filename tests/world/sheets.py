"""Sheets of paper with codes on them, held before the simulated webcam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2

from credentials.face.page import Typesetter
from world.codes import read_codes
from world.printed import CATALOGUE, KINDS, Paper, sample_licence
from world.webcam import Conditions, photograph

if TYPE_CHECKING:
    from PIL import Image

DOTS_PER_MM = 400 / 25.4
AROUND_MM = 60
COUNTER = Conditions()
Sheets = list[tuple["Image.Image", str]]


def printed_sheets() -> Sheets:
    """The surroundings of the code on a page of every type, and what it says."""
    paper, typesetter, cut = Paper(), Typesetter(), round(AROUND_MM * DOTS_PER_MM)
    made: Sheets = []
    for code in KINDS:
        licence = sample_licence(code)
        text = paper.code(licence)
        page = typesetter.typeset(licence, CATALOGUE[code], code=text).pdf
        picture = pypdfium2.PdfDocument(page)[0].render(scale=DOTS_PER_MM * 25.4 / 72).to_pil().convert("L")
        (found,) = read_codes(picture)
        place = found.position
        x, y = (place.top_left.x + place.bottom_right.x) // 2, (place.top_left.y + place.bottom_right.y) // 2
        made.append((picture.crop((x - cut, y - cut, x + cut, y + cut)), text))
    return made


def read_in(sheets: Sheets, how: Conditions, tries: int) -> int:
    """In how many of so many pictures the code is read, whole and right."""
    good = 0
    for seed in range(tries):
        sheet, text = sheets[seed % len(sheets)]
        seen = photograph(sheet, DOTS_PER_MM, (AROUND_MM, AROUND_MM), seed, how)
        said = [code.text for code in read_codes(seen)]
        assert set(said) <= {text}, "a reader says the right thing or nothing"
        good += said == [text]
    return good

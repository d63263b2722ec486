"""A cheap webcam at a counter, simulated: a sheet of paper in, the picture that the camera makes out.

One seed, one picture. `Conditions` are the counter's: how far the paper is held (pixels per millimetre on
it), how badly focused, how crooked, how dark, how noisy, how hard the driver squeezes the picture.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]
FRAME = (800, 600)


@dataclass(frozen=True)
class Conditions:
    """Each try draws from 0 (or half) up to these.

    `blur` is the lens's, a standard deviation in pixels; `shake` the length of a movement in pixels;
    `turn` degrees; `tilt` how much shorter the far edge looks; `shade` how much darker the dark side is;
    `noise` a standard deviation of 255; `quality` JPEG's.
    """

    pixels_per_mm: float = 9.0
    blur: float = 1.2
    shake: int = 2
    turn: float = 15.0
    tilt: float = 0.12
    shade: float = 0.5
    noise: float = 10.0
    quality: int = 60


def photograph(
    sheet: Image.Image, dots_per_mm: float, middle: Point, seed: object, how: Conditions
) -> Image.Image:
    """What the camera sees of a sheet with this resolution, its axis on `middle` (in mm)."""
    chance = random.Random(str(seed))  # noqa: S311 - the same picture every time
    seen = _projected(sheet, dots_per_mm, middle, chance, how)
    seen = _blurred(seen, chance, how)
    seen = _shaded(seen, chance, how)
    seen = _noisy(seen, chance, how)
    data = io.BytesIO()
    seen.save(data, "jpeg", quality=how.quality)
    return Image.open(io.BytesIO(data.getvalue())).convert("L")


def _projected(
    sheet: Image.Image, dots_per_mm: float, middle: Point, chance: random.Random, how: Conditions
) -> Image.Image:
    """The sheet turned, tilted and shifted a little, on a dark desk."""
    width, height = FRAME
    turn = radians(chance.uniform(-how.turn, how.turn))
    tilts = [chance.uniform(-how.tilt, how.tilt) for _ in range(2)]
    shift = (chance.uniform(-10, 10), chance.uniform(-5, 5))
    on_sheet: list[Point] = []
    # Where each corner of the frame lies on the sheet, seen through a tilted plane.
    for x, y in ((0, 0), (0, height), (width, height), (width, 0)):
        across, down = x - width / 2, y - height / 2
        far = 1 + tilts[0] * across / (width / 2) + tilts[1] * down / (height / 2)
        right, below = across / far / how.pixels_per_mm, down / far / how.pixels_per_mm
        mm = (
            right * cos(turn) - below * sin(turn) + shift[0],
            right * sin(turn) + below * cos(turn) + shift[1],
        )
        on_sheet.append(((middle[0] + mm[0]) * dots_per_mm, (middle[1] + mm[1]) * dots_per_mm))
    corners = [(0.0, 0.0), (0.0, float(height)), (float(width), float(height)), (float(width), 0.0)]
    # Each pixel of a camera gathers light: the sheet is softened to its pixels before it is sampled.
    soft = sheet.convert("L").filter(ImageFilter.GaussianBlur(0.35 * dots_per_mm / how.pixels_per_mm))
    return soft.transform(
        FRAME,
        Image.Transform.PERSPECTIVE,
        _coefficients(corners, on_sheet),
        Image.Resampling.BILINEAR,
        fillcolor=70,
    )


def _blurred(seen: Image.Image, chance: random.Random, how: Conditions) -> Image.Image:
    seen = seen.filter(ImageFilter.GaussianBlur(chance.uniform(how.blur / 2, how.blur)))
    length = chance.randint(0, how.shake)
    if length:
        copies = [ImageChops.offset(seen, step, step * chance.randint(0, 1)) for step in range(length + 1)]
        for number, copy in enumerate(copies[1:], start=2):
            copies[0] = Image.blend(copies[0], copy, 1 / number)
        seen = copies[0]
    return seen


def _shaded(seen: Image.Image, chance: random.Random, how: Conditions) -> Image.Image:
    """Light from one side, and a weak contrast."""
    dark = 1 - chance.uniform(how.shade / 2, how.shade)
    ramp = Image.linear_gradient("L").rotate(90 * chance.randrange(4)).resize(FRAME)
    light = ramp.point([round(255 * (dark + (1 - dark) * level / 255)) for level in range(256)])
    lifted = seen.point([round(35 + level * 0.78) for level in range(256)])
    return ImageChops.multiply(lifted, light)


def _noisy(seen: Image.Image, chance: random.Random, how: Conditions) -> Image.Image:
    """An even noise between -s and s deviates by s / √3, the sum of three by s, and is bell-shaped enough."""
    spread = how.noise
    for _ in range(3):
        raw = Image.frombytes("L", FRAME, chance.randbytes(FRAME[0] * FRAME[1]))
        scaled = raw.point([round(2 * spread * level / 255) for level in range(256)])
        seen = ImageChops.subtract(ImageChops.add(seen, scaled), Image.new("L", FRAME, round(spread)))
    return seen


def _coefficients(corners: Sequence[Point], on_sheet: Sequence[Point]) -> list[float]:
    """Pillow's eight numbers of a projection, from where four corners of the result lie in the source."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners, on_sheet, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]]
    for here in range(8):  # Gauss and Jordan
        pivot = max(range(here, 8), key=lambda row: abs(rows[row][here]))
        rows[here], rows[pivot] = rows[pivot], rows[here]
        rows[here] = [value / rows[here][here] for value in rows[here]]
        for other in range(8):
            if other != here:
                factor = rows[other][here]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[here], strict=True)]
    return [row[8] for row in rows]

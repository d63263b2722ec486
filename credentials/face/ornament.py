"""Draw the ornaments of a page as SVG: the frame of interlaced waves, rosettes, the faint rosette behind.

They are guilloche work of our own, without emblems. Each background is drawn once and kept; coordinates are
whole hundredths of a millimetre, which keeps the PDF small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, cos, pi, sin

MM = 100
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a page's background is made of; lengths in mm, colours as `#rrggbb`.

    `band` is the width of the frame, 0 for two plain rules. `rosettes` are the middles and radii of the
    faint rosettes behind the text.
    """

    width: float
    height: float
    colour: str
    paper: str
    inset: float
    band: float
    rosettes: tuple[tuple[float, float, float], ...]
    fold: bool = False


@cache
def draw_ground(ground: Ground) -> str:
    """The background as SVG."""
    tint = mixed(ground.colour, ground.paper, 0.15)
    parts = [_rectangle(0, 0, ground.width, ground.height, fill=ground.paper)]
    for x, y, radius in ground.rosettes:
        parts.append(_rosette(x, y, radius, tint, petals=18, depth=0.26, lines=5, width=0.13))
        parts.append(_rosette(x, y, radius * 0.58, tint, petals=12, depth=0.34, lines=4, width=0.13))
    if ground.fold:
        parts.append(_fold(ground))
    parts.append(_frame(ground) if ground.band else _plain_frame(ground))
    size = f"{ground.width * MM:.0f} {ground.height * MM:.0f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">{"".join(parts)}</svg>'


def mixed(colour: str, other: str, share: float) -> str:
    """`share` of one colour and the rest of another."""
    pairs = [(int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _frame(ground: Ground) -> str:
    inset, band, colour, paper = ground.inset, ground.band, ground.colour, ground.paper
    parts = [
        _rules(ground, inset + gap, colour, thickness)
        for gap, thickness in ((0, 0.56), (1.1, 0.14), (band - 1.1, 0.14), (band, 0.32))
    ]
    near, low, right = inset + band / 2, ground.height - inset - band / 2, ground.width - inset - band / 2
    for share, paint in ((0.21, mixed(colour, paper, 0.5)), (0.34, colour)):
        waves = [
            _wave((near, y), right - near, share * band * sign, upright=False)
            for y in (near, low)
            for sign in (1, -1)
        ]
        waves += [
            _wave((x, near), low - near, share * band * sign, upright=True)
            for x in (near, right)
            for sign in (1, -1)
        ]
        parts.append(_path("".join(waves), paint, 0.16))
    parts += [_corner(x, y, band * 0.78, colour, paper) for x in (near, right) for y in (near, low)]
    return "".join(parts)


def _plain_frame(ground: Ground) -> str:
    pale = mixed(ground.colour, ground.paper, 0.5)
    return _rules(ground, ground.inset, pale, 0.18) + _rules(ground, ground.inset + 1.2, pale, 0.09)


def _rules(ground: Ground, gap: float, paint: str, thickness: float) -> str:
    return _rectangle(
        gap, gap, ground.width - 2 * gap, ground.height - 2 * gap, stroke=paint, thickness=thickness
    )


def _corner(x: float, y: float, radius: float, colour: str, paper: str) -> str:
    place = f'cx="{x * MM:.0f}" cy="{y * MM:.0f}"'
    disc = f'<circle {place} r="{radius * MM:.0f}" fill="{paper}" stroke="{colour}" stroke-width="32"/>'
    eye = f'<circle {place} r="{radius * 20:.0f}" fill="{colour}"/>'
    return disc + _rosette(x, y, radius, colour, petals=8, depth=0.3, lines=4, width=0.14) + eye


def _fold(ground: Ground) -> str:
    """The shade of a page folded in the middle: thin strips that grow lighter."""
    strips, top = 10, ground.inset + ground.band + 0.6
    parts = []
    for i in range(strips):
        shade = mixed("#000000", ground.paper, 0.07 * (1 - i / strips) ** 2)
        sides = (ground.width / 2 - (i + 1) * 0.5, ground.width / 2 + i * 0.5)
        parts += [_rectangle(x, top, 0.5, ground.height - 2 * top, fill=shade) for x in sides]
    line = mixed("#000000", ground.paper, 0.2)
    return "".join(parts) + _rectangle(ground.width / 2 - 0.05, top, 0.1, ground.height - 2 * top, fill=line)


def _wave(start: Point, length: float, amplitude: float, *, upright: bool) -> str:
    """A sine-like line of Bézier half waves; four thirds of the amplitude puts the crest at the amplitude."""
    count = 2 * ceil(length / 10.4)
    step, sign, parts = length / count, 1, [f"M{start[0] * MM:.0f} {start[1] * MM:.0f}"]
    for i in range(count):
        here, after = (round(n * step * MM) for n in (i, i + 1))
        crest, first, second = round(amplitude * sign * MM * 4 / 3), round(step * 36.4), round(step * 63.6)
        points = ((first, crest), (second, crest), (after - here, 0))
        parts.append("c" + " ".join(f"{b} {a}" if upright else f"{a} {b}" for a, b in points))
        sign = -sign
    return "".join(parts)


def _rosette(  # noqa: PLR0913 - the figure's numbers
    x: float, y: float, radius: float, paint: str, *, petals: int, depth: float, lines: int, width: float
) -> str:
    """Several closed lines `r = radius (1 - depth + depth cos(petals t + turn))`, each turned further."""
    parts = [_guilloche((x, y), radius, petals, depth, 2 * pi * i / lines) for i in range(lines)]
    return _path("".join(parts), paint, width)


def _guilloche(middle: Point, radius: float, petals: int, depth: float, turn: float) -> str:
    count = petals * 5
    points = []
    for i in range(count):
        t = 2 * pi * i / count
        r = radius * (1 - depth + depth * cos(petals * t + turn))
        points.append((middle[0] + r * cos(t), middle[1] + r * sin(t)))
    parts = [f"M{points[0][0] * MM:.0f} {points[0][1] * MM:.0f}C"]
    for i in range(count):
        # Catmull-Rom through the points, as Bézier curves.
        a, b, c, d = (points[(i + n) % count] for n in (-1, 0, 1, 2))
        curve = (
            (b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6),
            (c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6),
            c,
        )
        parts.append(" ".join(f"{px * MM:.0f} {py * MM:.0f}" for px, py in curve))
    return " ".join(parts) + "Z"


def _path(line: str, paint: str, width: float) -> str:
    return f'<path d="{line}" fill="none" stroke="{paint}" stroke-width="{width * MM:.0f}"/>'


def _rectangle(  # noqa: PLR0913, PLR0917 - place, size and paint
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str = "none",
    stroke: str = "none",
    thickness: float = 0,
) -> str:
    place = " ".join(
        f'{name}="{value * MM:.0f}"'
        for name, value in (("x", x), ("y", y), ("width", width), ("height", height))
    )
    return f'<rect {place} fill="{fill}" stroke="{stroke}" stroke-width="{thickness * MM:.0f}"/>'

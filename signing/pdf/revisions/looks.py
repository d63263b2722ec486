"""What the look of a field draws (ISO 32000-2, 12.5.5), as far as it can be said with certainty.

    look = read_look(document, stream)
    look.shown, look.painted         # pieces of text, and everything else that leaves a mark

Fields are drawn by a few plain operators. A look with anything else (pictures, patterns, transparency, other
scales, letters that go backwards) is one of which nothing can be told: `None` is the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from signing.pdf.parsing import Stream
from signing.pdf.parsing.lexer import read_value, skip_spaces
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Document, Value

MAX_LOOK_BYTES, MAX_OPERATIONS, MAX_SAVED = 1 << 16, 4000, 32
AUTOMATIC = 0.001  # a size that is chosen by readers
WORK = 6  # of one operation, in values that are read
MAX_RIGHT_KERN, MAX_APART = 2000, {"Tc": 5, "Tw": 20}
MAX_LEFT_KERN = 300  # thousandths of an em that a piece may move back: no letter gets before another
MAX_SIDE = 14_400  # of a box, in its units (ISO 32000-1, C.2)
_OPERATOR = re.compile(rb"(?!true|false|null)[A-Za-z'\"][A-Za-z0-9*]{0,2}(?=[\0\t\n\x0c\r ()<>\[\]{}/%]|\Z)")
_DEVICES = frozenset({"DeviceGray", "DeviceRGB", "DeviceCMYK"})
_WAY, _PAINT = frozenset({"m", "l", "c", "v", "y", "h", "re"}), frozenset("SsfFBbn") | {"f*", "B*", "b*"}
_UNSEEN = frozenset({"BMC", "BDC", "EMC", "MP", "DP", "ri", "i", "BX", "EX"})
_LINES = frozenset({"w", "J", "j", "M", "d"})
_FILLS, _STROKES = frozenset({"g", "rg", "k", "sc", "scn"}), frozenset({"G", "RG", "K", "SC", "SCN"})
_SAME_LINE, _BELOW = 0.01, 1.0
_AS_IT_IS = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_ENTRIES = frozenset(
    {"Type", "Subtype", "FormType", "BBox", "Matrix", "Resources", "Length", "Filter", "DecodeParms"}
)  # of a form that is drawn as it stands: no layer, no transparency, no other file


Clip = tuple[tuple[tuple[Any, ...], ...], tuple[float, float]]


class Shown(NamedTuple):
    """A piece of text: its bytes, the name of its font, its size, how light it is (0 black, 1 white).

    `place` is where it begins, and `clips` are the ways within which it is seen.
    """

    text: bytes
    font: str
    size: float
    lightness: float
    place: tuple[float, float]
    clips: tuple[Clip, ...]


class Painted(NamedTuple):
    """A mark that is no text: how it is painted, along which way from where, and in which state."""

    operator: str
    way: tuple[tuple[Any, ...], ...]
    shift: tuple[float, float]
    colours: tuple[object, ...]
    lines: tuple[tuple[str, str], ...]
    clips: tuple[object, ...]
    lightness: float


@dataclass(frozen=True, slots=True)
class Look:
    """What a look draws, in its order; `box` is left, bottom, right, top in its own units."""

    box: tuple[float, float, float, float]
    fonts: Value
    shown: tuple[Shown, ...]
    painted: tuple[Painted, ...]

    def begins_in_sight(self, piece: Shown) -> bool:
        """Whether a piece of text begins within the box, and within all that it is cut to."""
        return all(_is_within(piece.place, box) for box in (self.box, *map(_box_of, piece.clips)))

    @property
    def is_blank(self) -> bool:
        """Whether no letter can be read in it."""
        return not any(piece.text.strip(b"\0\t\n\x0c\r \xa0") for piece in self.shown)


def read_look(document: Document, stream: Value) -> Look | None:
    """What a form XObject draws, None for what cannot be told. Raises only `TooLarge`."""
    if not isinstance(stream, Stream) or stream.entries.keys() - _ENTRIES:
        return None
    box = _numbers(document, document.get(stream, "BBox"), 4)
    matrix = (
        _numbers(document, document.get(stream, "Matrix"), 6) if "Matrix" in stream.entries else _AS_IT_IS
    )
    if box is None or matrix != _AS_IT_IS or document.get(stream, "Subtype") != "Form":
        return None
    left, bottom, right, top = (
        min(box[0], box[2]),
        min(box[1], box[3]),
        max(box[0], box[2]),
        max(box[1], box[3]),
    )
    fonts = document.get(document.get(stream, "Resources"), "Font")
    artist = _Artist()
    try:
        data = document.decode(stream, limit=MAX_LOOK_BYTES)
        for name, operands in _operations(document, data):
            artist.draw(name, operands)
    except (MalformedInput, _Untold):
        return None
    return Look((left, bottom, right, top), fonts, tuple(artist.shown), tuple(artist.painted))


def read_letters(document: Document, text: Value) -> Shown | None:
    """The letters by which readers draw a value themselves (DA: ISO 32000-2, 12.7.4.3); None if odd."""
    artist = _Artist()
    try:
        for name, operands in _operations(document, text if type(text) is bytes else b"!"):
            if name not in {"Tf", *_FILLS}:
                return None
            if name == "Tf" and len(operands) == 2 and operands[1] == 0:
                operands = [operands[0], AUTOMATIC]  # noqa: PLW2901 - as large as fits
            artist.draw(name, operands)
    except (MalformedInput, _Untold):
        return None
    font, size, fill = artist.letters
    return Shown(b"", font, size, _lightness(fill), (0.0, 0.0), ())


class _Untold(Exception):
    """An operation of which it is not told here what it draws."""


def _operations(document: Document, data: bytes) -> Iterator[tuple[str, list[Value]]]:
    place, operands, left = 0, [], MAX_OPERATIONS
    while (place := skip_spaces(data, place, len(data))) < len(data):
        found = _OPERATOR.match(data, place)
        if found is None:
            value, place, _ = read_value(data, place, len(data), document.budget)
            operands.append(value)
            continue
        left -= 1
        document.budget.spend(WORK)
        if not left:
            raise _Untold
        yield found[0].decode(), operands
        place, operands = found.end(), []


@dataclass(frozen=True, slots=True)
class _State:
    """What `q` saves and `Q` brings back."""

    fill: tuple[object, ...] = ("g", 0)
    stroke: tuple[object, ...] = ("G", 0)
    lines: tuple[tuple[str, str], ...] = ()
    shift: tuple[float, float] = (0.0, 0.0)
    clips: tuple[Clip, ...] = ()
    font: str = ""
    size: float = 0.0
    leading: float = 0.0


class _Artist:
    """Goes through a look as a reader does that draws it."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.painted: list[Painted] = []
        self._state, self._saved = _State(), []
        self._way: list[tuple[Any, ...]] = []
        self._is_clip = self._is_text = False
        self._line, self._last, self._scale = (0.0, 0.0), None, 1.0

    @property
    def letters(self) -> tuple[str, float, tuple[object, ...]]:
        """Font, size and colour of what is written next."""
        return self._state.font, self._state.size, self._state.fill

    _saved: list[_State]
    _last: tuple[float, float] | None

    def draw(self, name: str, given: list[Value]) -> None:  # noqa: C901 - one row for each operator
        """One operation. Raises `_Untold`."""
        state = self._state
        if name in _UNSEEN and not (given and given[0] == "OC"):
            return
        if name in _WAY:
            self._way.append((name, *_given(given)))
        elif name in {"W", "W*"}:
            self._is_clip = True
        elif name in _PAINT:
            self._paint(name)
        elif name in _LINES:
            kept = tuple(item for item in state.lines if item[0] != name)
            self._state = replace(state, lines=tuple(sorted((*kept, (name, repr(given))), key=repr)))
        elif name in _FILLS:
            self._state = replace(state, fill=(name.removesuffix("n"), *_given(given)))
        elif name in _STROKES:
            self._state = replace(state, stroke=(name.removesuffix("N"), *_given(given)))
        elif name in {"cs", "CS"} and given and given[-1] in _DEVICES:
            black = (0, 0, 0, 1) if given[-1] == "DeviceCMYK" else (0,)
            colour = ("sc", *black)
            self._state = replace(state, fill=colour) if name == "cs" else replace(state, stroke=colour)
        elif name == "q" and len(self._saved) < MAX_SAVED:
            self._saved.append(state)
        elif name == "Q" and self._saved:
            self._state = self._saved.pop()
        elif name == "cm":
            x, y = _moved(given)
            self._state = replace(state, shift=(state.shift[0] + x, state.shift[1] + y))
        else:
            self._write(name, given)

    def _paint(self, operator: str) -> None:
        state, way = self._state, tuple(self._way)
        if operator != "n" and way:
            colours = [state.stroke] * (operator in "SsB*b*") + [state.fill] * (operator not in "Ss")
            light = max(map(_lightness, colours))
            mark = Painted(operator, way, state.shift, tuple(colours), state.lines, state.clips, light)
            self.painted.append(mark)
        if self._is_clip:
            self._state = replace(state, clips=(*state.clips, (way, state.shift)))
        self._way, self._is_clip = [], False

    def _write(self, name: str, given: list[Value]) -> None:
        """An operation on text."""
        if name == "BT" and not self._is_text:
            self._is_text, self._line, self._scale = True, (0.0, 0.0), 1.0
        elif name == "ET" and self._is_text:
            self._is_text = False
        elif name == "Tf" and len(given) == 2 and isinstance(given[0], str):
            size = float(_given(given[1:])[0])
            if size <= 0:
                raise _Untold
            self._state = replace(self._state, font=str(given[0]), size=size)
        elif name == "TL":
            self._state = replace(self._state, leading=float(_given(given)[0]))
        elif _is_ordinary(name, given):
            return
        elif self._is_text:
            self._line_of(name, given)
        else:
            raise _Untold

    def _line_of(self, name: str, given: list[Value]) -> None:
        if name in {"Td", "TD"} and len(given) == 2:
            x, y = _given(given)
            self._line = (self._line[0] + x * self._scale, self._line[1] + y * self._scale)
            if name == "TD":
                self._state = replace(self._state, leading=-float(y))
        elif name == "Tm" and len(given) == 6:
            a, b, c, d, x, y = _given(given)
            if b or c or a != d or not 0 < d <= MAX_SIDE:
                raise _Untold
            self._scale, self._line = float(d), (float(x), float(y))
        elif name in {"T*", "'"}:
            self._line = (self._line[0], self._line[1] - self._state.leading * self._scale)
            if name == "'":
                self._show(given)
        elif name in {"Tj", "TJ"}:
            self._show(given)
        else:
            raise _Untold

    def _show(self, given: list[Value]) -> None:
        """Letters: what is read first stands first, on the same line further right, or on a lower one."""
        pieces = given[0] if len(given) == 1 and type(given[0]) is list else given
        if any(
            type(one) is not bytes and (not _is_number(one) or not -MAX_RIGHT_KERN <= one <= MAX_LEFT_KERN)
            for one in pieces
        ):
            raise _Untold
        here = self._line[0] + self._state.shift[0], self._line[1] + self._state.shift[1]
        if self._last is not None:
            lower = here[1] < self._last[1] - _SAME_LINE
            if not lower and (abs(here[1] - self._last[1]) > _SAME_LINE or here[0] < self._last[0]):
                raise _Untold
        self._last = here
        text = b"".join(one for one in pieces if type(one) is bytes)
        size = self._state.size * self._scale
        light = _lightness(self._state.fill)
        self.shown.append(Shown(text, self._state.font, size, light, here, self._state.clips))


def _given(given: list[Value]) -> tuple[Any, ...]:
    """The numbers of an operation, bounded."""
    if not all(_is_number(one) and abs(one) <= MAX_SIDE for one in given) or not len(given) <= 6:
        raise _Untold
    return tuple(given) or (0,)


def _box_of(clip: Clip) -> tuple[float, float, float, float]:
    """The rectangle that is cut to, an empty one for any other shape."""
    way, shift = clip
    if len(way) != 1 or way[0][0] != "re" or len(way[0]) != 5:
        return 1.0, 1.0, 0.0, 0.0
    _, x, y, width, height = way[0]
    left, bottom = x + shift[0], y + shift[1]
    return (
        min(left, left + width),
        min(bottom, bottom + height),
        max(left, left + width),
        max(bottom, bottom + height),
    )


def _is_within(place: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] - _BELOW <= place[1] <= box[3]


def _is_ordinary(name: str, given: list[Value]) -> bool:
    """Whether letters stay in their order, at their height and are seen."""
    if name in {"Tc", "Tw"}:
        return bool(-MAX_LEFT_KERN / 1000 <= _given(given)[0] <= MAX_APART[name])
    if name == "Tz":
        return bool(50 <= _given(given)[0] <= 150)
    return name in {"Tr", "Ts"} and _given(given) == (0,)


def _is_number(value: Value) -> bool:
    return type(value) in {int, float}


def _moved(given: list[Value]) -> tuple[float, float]:
    """How far a matrix moves what follows; one that does more is not told."""
    numbers = _given(given)
    if len(numbers) != 6 or numbers[:4] != (1, 0, 0, 1):
        raise _Untold
    return float(numbers[4]), float(numbers[5])


def _lightness(colour: tuple[Any, ...]) -> float:
    """How light a colour of a device is (ISO 32000-2, 10.4.2), 1 for one that is not known."""
    parts = colour[1:]
    if len(parts) == 1:
        return float(parts[0])
    if len(parts) == 3:
        return float(0.3 * parts[0] + 0.59 * parts[1] + 0.11 * parts[2])
    if len(parts) == 4:
        return float(1 - min(1, 0.3 * parts[0] + 0.59 * parts[1] + 0.11 * parts[2] + parts[3]))
    return 1.0


def _numbers(document: Document, value: Value, count: int) -> tuple[float, ...] | None:
    found = [document.resolve(item) for item in value] if type(value) is list else []
    if len(found) != count or not all(_is_number(item) and abs(item) <= MAX_SIDE for item in found):
        return None
    return tuple(float(item) for item in found)

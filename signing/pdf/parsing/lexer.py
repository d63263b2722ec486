"""From bytes to values (ISO 32000-2, 7.2 and 7.3), without recursion and with a budget."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from signing.pdf.parsing.values import Name, Ref
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from signing.pdf.parsing.values import Source, Value

MAX_WORK = 2_500_000  # values and cross-reference entries of one file: seconds, and some 200 MB at most
MAX_DEPTH = 64
MAX_NUMBER_CHARACTERS = 1000
MAX_NAMES, MAX_SHORT_NAME = 4096, 32
SPACE = rb"\0\t\n\x0c\r "
_REGULAR = rb"[^\0\t\n\x0c\r ()<>\[\]{}/%]"
_SKIP = rb"[" + SPACE + rb"]*+(?:%[^\r\n]*+[" + SPACE + rb"]*+)*+"
_TOKEN = re.compile(
    _SKIP + rb"(?:"
    rb"/(" + _REGULAR + rb"*+)"  # 1 name
    rb"|([0-9]{1,10})[" + SPACE + rb"]++([0-9]{1,5})[" + SPACE + rb"]++R(?!" + _REGULAR + rb")"  # 2, 3
    rb"|([+-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++))(?!" + _REGULAR + rb")"  # 4 number
    rb"|(<<)|(>>)|(\[)|(\])|(\()"  # 5 to 9
    rb"|<([0-9A-Fa-f" + SPACE + rb"]*+)>"  # 10 hexadecimal string
    rb"|([A-Za-z]++)(?!" + _REGULAR + rb"))"  # 11 keyword
)
# References in a row up to the end of their list, as nearly all files write them: lists have thousands.
_REFERENCES = re.compile(rb"(?:[ \n]?[0-9]{1,10} [0-9]{1,5} R(?=[ \n\]]))++[ \n]?(?=\])")
_REFERENCE = re.compile(rb"([0-9]++) ([0-9]++)")
_SPACES = re.compile(_SKIP)
_TEXT = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*+", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|[^0-7])|\r\n?", re.DOTALL)
_ESCAPED = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAMES: dict[bytes, Name] = {}  # short names that were met, the first ones
_WORDS = {b"true": True, b"false": False, b"null": None}


class Budget:
    """How much work may still be done for one file: the same for the same file everywhere."""

    __slots__ = ("left",)

    def __init__(self, left: int | None = None) -> None:
        """Start with so many values; the usual bound when nothing is said."""
        self.left = MAX_WORK if left is None else left

    def spend(self, steps: int) -> None:
        """Count work; `TooLarge` when it is too much."""
        self.left -= steps
        if self.left < 0:
            raise TooLarge("pdf", "reading it takes too much work")


def skip_spaces(source: Source, place: int, end: int) -> int:
    """The place behind white space and comments."""
    found = _SPACES.match(source, place, end)
    return found.end() if found else place


def read_value(source: Source, place: int, end: int, budget: Budget) -> tuple[Value, int, bool]:
    """One value, the place behind it, and whether a dictionary in it names something twice.

    Of what is named twice the last counts here; other readers may take the first.
    """
    reader = _Reader(source, end, budget)
    return reader.read(place)


class _Reader:
    __slots__ = ("_budget", "_end", "_source", "_twice")

    def __init__(self, source: Source, end: int, budget: Budget) -> None:
        self._source, self._end, self._budget, self._twice = source, end, budget, False

    def read(self, place: int) -> tuple[Value, int, bool]:
        stack: list[list[Value]] = []
        kinds: list[int] = []
        left, token = self._budget.left, _TOKEN.match
        while True:
            left -= 1
            found = token(self._source, place, self._end)
            if left < 0 or found is None:
                self._give_up(left, place)
            kind, place = found.lastindex or 0, found.end()
            if kind in {5, 7}:
                if len(stack) >= MAX_DEPTH:
                    raise TooLarge("pdf", "values are nested too deep")
                items, place = self._references(place) if kind == 7 else ([], place)
                left -= len(items)
                stack.append(items)
                kinds.append(kind)
                continue
            if kind in {6, 8}:
                if not kinds or kinds.pop() != kind - 1:
                    raise MalformedInput("pdf", f"a bracket that closes nothing at byte {place}")
                value: Value = stack.pop()
                if kind == 6:
                    value = self._dictionary(value, place)
            elif kind == 9:
                value, place, steps = self._text(place, left)
                left -= steps
            else:
                value = _plain(kind, found)
            if not stack:
                self._budget.left = left
                return value, place, self._twice
            stack[-1].append(value)

    def _references(self, place: int) -> tuple[list[Value], int]:
        """All of a list that holds nothing else, and the place behind them; nothing of any other list."""
        run = _REFERENCES.match(self._source, place, self._end)
        if run is None:
            return [], place
        return [Ref(int(one), int(other)) for one, other in _REFERENCE.findall(run[0])], run.end()

    def _give_up(self, left: int, place: int) -> NoReturn:
        self._budget.left = left  # what was done is done, whoever goes on
        if left < 0:
            raise TooLarge("pdf", "reading it takes too much work")
        raise MalformedInput("pdf", f"no value at byte {place}")

    def _dictionary(self, flat: list[Value], place: int) -> dict[str, Value]:
        keys, values = flat[::2], flat[1::2]
        if len(keys) != len(values) or not all(type(key) is Name for key in keys):
            raise MalformedInput("pdf", f"a dictionary without pairs before byte {place}")
        answer = dict(zip(keys, values, strict=True))
        if len(answer) != len(keys):
            self._twice = True
        if None in values:  # ISO 32000-2, 7.3.7: an entry that is null is no entry
            answer = {key: value for key, value in answer.items() if value is not None}
        return answer

    def _text(self, place: int, left: int) -> tuple[bytes, int, int]:
        """A string, the place behind it, and how many parentheses were met in it."""
        start, depth, steps = place, 1, 0
        while depth:
            if steps > left:
                self._give_up(-1, place)
            found = _TEXT.match(self._source, place, self._end)
            place = found.end() if found else place
            if place >= self._end:
                raise MalformedInput("pdf", "a string without end")
            depth += 1 if self._source[place] == 0x28 else -1
            place += 1
            steps += 1
        text = self._source[start : place - 1]
        text = _ESCAPE.sub(_unescaped, text) if b"\\" in text or b"\r" in text else text
        return text, place, steps


def _plain(kind: int, found: re.Match[bytes]) -> Value:
    if kind == 1:
        return _name(found[1])
    if kind == 3:
        return Ref(int(found[2]), int(found[3]))
    if kind == 4:
        text = found[4]
        if len(text) > MAX_NUMBER_CHARACTERS:
            raise TooLarge("pdf", f"a number of more than {MAX_NUMBER_CHARACTERS} characters")
        return float(text) if b"." in text else int(text)
    if kind == 10:
        digits = found[10].translate(None, b"\0\t\n\x0c\r ")
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    word = found[11]
    if word not in _WORDS:
        raise MalformedInput("pdf", f"{word[:20]!r} where a value belongs")
    return _WORDS[word]


def _name(raw: bytes) -> Name:
    found = _NAMES.get(raw)
    if found is not None:
        return found
    meant = _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), raw) if b"#" in raw else raw
    name = Name(meant.decode("latin-1"))
    if len(_NAMES) < MAX_NAMES and len(raw) <= MAX_SHORT_NAME:
        _NAMES[raw] = name
    return name


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if what is None:
        return b"\n"
    if what[0] in b"01234567" and what.isdigit():
        return bytes([int(what, 8) & 0xFF])
    return _ESCAPED.get(what, what)

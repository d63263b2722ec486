"""Read an older register's export row by row: CSV of any length, in the memory of one row.

What a row means is `credentials.legacy.judging`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from credentials.legacy.repairs import plain_heading
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credentials.legacy.mapping import LegacyMapping

MAX_LINE_CHARACTERS = 64 * 1024
MAX_COLUMNS = 300
_CODECS = {"utf-8": "utf-8-sig", "gb18030": "gb18030"}


@dataclass(frozen=True, slots=True)
class RawRow:
    """The cells that a mapping asks for, by heading; `row` as a spreadsheet counts, the header is row 1.

    `cells` is None where the row has not as many cells as there are headings.
    """

    row: int
    cells: Mapping[str, str] | None


class Sheet:
    """An open export; `rows` can be walked once."""

    def __init__(self, stream: BinaryIO, mapping: LegacyMapping) -> None:
        """Read the headings; `MalformedInput` names every column that is missing, or there twice."""
        codec = _CODECS[mapping.encoding]
        # Bytes that are no text come out as surrogates: their row is refused, not the file.
        text = io.TextIOWrapper(stream, codec, errors="surrogateescape", newline="")
        self._reader = csv.reader(_lines(text), delimiter=mapping.separator, strict=True)
        self._text = text  # closed with the wrapper, so it stays until the last row
        headings = [plain_heading(one) for one in next(self._records(), (0, []))[1]]
        self._width = len(headings)
        self._wanted = _places(headings, mapping.headings)

    def rows(self) -> Iterator[RawRow]:
        """Every row that is not empty."""
        wanted, width = self._wanted, self._width
        for number, cells in self._records(start=2):
            if len(cells) == width:
                if any(cells):
                    yield RawRow(number, {name: cells[place] for name, place in wanted})
            elif any(cell.strip() for cell in cells):
                yield RawRow(number, None)

    def release(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()

    def _records(self, *, start: int = 1) -> Iterator[tuple[int, list[str]]]:
        try:
            yield from enumerate(self._reader, start=start)
        except csv.Error as exc:
            raise MalformedInput("csv", f"line {self._reader.line_num}: {exc}") from exc
        except UnicodeError as exc:
            raise MalformedInput("csv", f"near line {self._reader.line_num}: not text") from exc
        except OSError as exc:
            raise MalformedInput("csv", "the file cannot be read to its end") from exc


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE_CHARACTERS):
        if len(line) == MAX_LINE_CHARACTERS and not line.endswith("\n"):
            raise TooLarge("csv", f"a line has over {MAX_LINE_CHARACTERS} characters")
        yield line


def _places(headings: list[str], wanted: tuple[str, ...]) -> list[tuple[str, int]]:
    if len(headings) > MAX_COLUMNS:
        raise TooLarge("csv", f"over {MAX_COLUMNS} columns")
    missing = [one for one in wanted if one not in headings]
    twice = [one for one in wanted if headings.count(one) > 1]
    if missing or twice:
        said = [f"no column {one}" for one in missing] + [f"two columns {one}" for one in twice]
        raise MalformedInput("csv", "; ".join(said))
    return [(one, headings.index(one)) for one in wanted]

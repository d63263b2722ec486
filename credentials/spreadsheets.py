"""Read a table from a workbook (XLSX, ECMA-376), as the records that `credentials.applications` reads.

A workbook is a zip of XML that a stranger made: what it unpacks to is bounded before anything is parsed, its
XML may define no entities (openpyxl uses defusedxml where that is installed, and it is), nothing is
calculated and nothing is fetched. A formula is no text, whatever result is stored beside it; nor is a number
of more digits than a spreadsheet keeps.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.xml import DEFUSEDXML

from credentials.applications import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, UnusableCell
from yinxin.base.errors import MalformedInput, TooLarge, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_UNPACKED_BYTES, MAX_PARTS = 16 << 20, 500
LAST_ROW = 2 * MAX_ROWS  # empty rows may lie between, but not a million of them
_DIGITS = 15  # ECMA-376, 18.3.1.4: numbers are IEEE 754 doubles
_FORMULA = Text("单元格是公式，请改为数值或文字", "the cell is a formula; put its text there")
_FAULTY = Text("单元格是错误值", "the cell holds an error value")
_DIGITS_LOST = Text(
    f"数字超过 {_DIGITS} 位，请将单元格设为文本格式后重新填写",
    f"a number of over {_DIGITS} digits: make the cell a text and type it again",
)
_NO_TEXT = Text("请填写文字", "write a text here")
_UNUSABLE = {"f": _FORMULA, "e": _FAULTY, "b": _NO_TEXT}  # by the kind that a cell has


def is_workbook(data: bytes) -> bool:
    """Whether this looks like a zip, which a workbook is."""
    return data.startswith(b"PK\x03\x04")


def read_workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Row numbers and cells of the one sheet that has any.

    `MalformedInput` or `TooLarge` for what is no workbook, or has cells in several sheets.
    """
    if not DEFUSEDXML:
        raise UsageError("workbooks are read with defusedxml only: it is not installed")
    _check_parts(data)
    rows = list(_rows(data))
    width = max((len(cells) for _, cells in rows), default=0)
    return ((number, [*cells, *[""] * (width - len(cells))]) for number, cells in rows)


def _check_parts(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TooLarge("xlsx", f"over {MAX_BYTES} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise MalformedInput("xlsx", "not a workbook") from exc
    # zipfile gives out no more of a part than its entry declares, so the sum of these is what can come.
    if len(parts) > MAX_PARTS or sum(one.file_size for one in parts) > MAX_UNPACKED_BYTES:
        raise TooLarge("xlsx", f"over {MAX_PARTS} parts, or over {MAX_UNPACKED_BYTES} bytes unpacked")
    if any(one.flag_bits & 1 for one in parts):
        raise MalformedInput("xlsx", "a workbook with a password cannot be read")


def _rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        found = [one for one in (list(_cells(sheet)) for sheet in book.worksheets) if one]
    except (MalformedInput, TooLarge):
        raise
    # What a parser of somebody else's XML raises is not a list that anybody keeps.
    except Exception as exc:
        raise MalformedInput("xlsx", "not a workbook that can be read") from exc
    if len(found) != 1:
        raise MalformedInput("xlsx", f"{len(found)} sheets have cells; one must")
    return iter(found[0])


def _cells(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # what a sheet says of its size may hide rows
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > LAST_ROW:
            raise TooLarge("xlsx", f"it goes on after row {LAST_ROW}")
        if len(row) > MAX_COLUMNS:
            raise TooLarge("xlsx", f"over {MAX_COLUMNS} columns")
        cells = [_text(cell) for cell in row]
        if any(cell or isinstance(cell, UnusableCell) for cell in cells):
            yield number, cells


def _text(cell: Any) -> str:
    value, why = cell.value, _UNUSABLE.get(cell.data_type)
    if value is None or isinstance(value, str) or why:
        return UnusableCell(why) if why else value or ""
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, int | float):
        return _number(value)
    return UnusableCell(_NO_TEXT)


def _day(value: date) -> str:
    if isinstance(value, datetime) and value.time() != time():
        return value.isoformat(sep=" ")
    return f"{value:%Y-%m-%d}"


def _number(value: float) -> str:
    """A number as people typed it; a whole one without a point."""
    if abs(value) >= 10**_DIGITS:
        return UnusableCell(_DIGITS_LOST)
    return str(int(value)) if value == int(value) else repr(value)

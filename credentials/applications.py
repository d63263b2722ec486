"""Read applications for licences from a CSV file, or from the records of another kind of table.

UTF-8 (with or without a byte order mark) and GB18030 are recognised; the first row names the columns by
their machine names or by their Chinese or English labels. Every fault is reported by row (as a spreadsheet
counts, the header is row 1), column and reason; the rows without a fault come out checked. Workbooks and
JSON lines are read by `credentials.spreadsheets` and `credentials.application_lines`; issuing is
`credentials.issuer`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credentials.catalogue import Catalogue, LicenceType
    from credentials.fields import Claim
    from signing.keys import PublicKey

MAX_BYTES = 8 << 20
MAX_ROWS = 5000
MAX_COLUMNS = 200
MAX_CELL_CHARACTERS = 4000
TYPE_COLUMN = frozenset({"type", "licence type", "license type", "证照类型"})
CASE_COLUMN = frozenset({"case", "case number", "办件编号", "办件流水号"})
_FORMULA = re.compile(r"[=@\t\r]|\+(?![0-9 ()-]+\Z)|-(?=[^\s\d])")


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row; `column` is the heading as the file has it, empty for the whole row."""

    row: int
    column: str
    reason: Text


class UnusableCell(str):
    """A cell that holds no text, and why."""

    __slots__ = ("why",)
    why: Text

    def __new__(cls, why: Text) -> Self:
        """An empty text with its reason."""
        made = super().__new__(cls, "")
        made.why = why
        return made


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One application without a fault: its row, the licence type and its claims in canonical form.

    `case` is the number that the agency filed it under, empty where the file has no such column; `holder`
    is the key that the credential will be bound to, where the file says one.
    """

    row: int
    kind: LicenceType
    claims: Mapping[str, Claim]
    headings: Mapping[str, str]
    case: str = ""
    holder: PublicKey | None = None

    @property
    def content(self) -> str:
        """What tells it from other applications: its case number, or else all that it says."""
        if self.case:
            return f"case {self.case}"
        return json.dumps([self.kind.code, self.claims], ensure_ascii=False, sort_keys=True)

    def fault(self, field: str, reason: Text) -> RowFault:
        """A fault found later, by the heading that the field has in the file."""
        return RowFault(self.row, self.headings.get(field, field), reason)


@dataclass(frozen=True, slots=True)
class Applications:
    """What a file holds: rows that can be issued, and what is wrong with the others."""

    rows: tuple[ApplicationRow, ...]
    faults: tuple[RowFault, ...]
    total: int


def read_applications(data: bytes, catalogue: Catalogue, *, type_code: str | None = None) -> Applications:
    """The applications of a CSV file.

    `type_code` is the type of all rows; without it the column `type` (证照类型) says it for each row. A
    column `case` (办件编号) tells applications apart; without it two rows that say the same are one.
    `MalformedInput` or `TooLarge` when the file as a whole cannot be read.
    """
    return read_records(_records(_decode(data)), catalogue, type_code=type_code)


def read_records(
    records: Iterator[tuple[int, list[str]]], catalogue: Catalogue, *, type_code: str | None = None
) -> Applications:
    """The applications of a table whose first record is its heading; each record has its row's number.

    A cell that cannot be taken as a text is an `UnusableCell`.
    """
    heading = next(records, (0, []))[1]
    sheet = _Sheet([_plain(one) for one in heading], catalogue, catalogue[type_code] if type_code else None)
    faults = sheet.faults()
    rows: list[ApplicationRow] = []
    seen: dict[str, int] = {}
    total = 0
    for number, cells in records:
        if not any(cell.strip() or isinstance(cell, UnusableCell) for cell in cells):
            continue
        total += 1
        if total > MAX_ROWS:
            raise TooLarge("applications", f"over {MAX_ROWS} rows")
        found = sheet.read(number, cells)
        if isinstance(found, ApplicationRow):
            found = unless_seen(found, seen)
        if isinstance(found, ApplicationRow):
            rows.append(found)
        else:
            faults += found
    return Applications(tuple(rows), tuple(faults), total)


class _Sheet:
    """The headings, and how a row is read under them."""

    def __init__(self, headings: list[str], catalogue: Catalogue, kind: LicenceType | None) -> None:
        self._headings = headings
        self._catalogue = catalogue
        self._kind = kind
        self._type_index = _index_of(TYPE_COLUMN, headings)
        self._case_index = _index_of(CASE_COLUMN, headings)
        self._columns: dict[str, dict[int, str]] = {}
        if not any(headings):
            raise MalformedInput("csv", "the first row must name the columns")
        if len(headings) > MAX_COLUMNS:
            raise TooLarge("csv", f"over {MAX_COLUMNS} columns")
        if kind is None and self._type_index is None:
            raise MalformedInput("csv", "no column 'type' (证照类型) says which licence each row asks for")
        if twice := sorted({one for one in headings if one and headings.count(one) > 1}):
            raise MalformedInput("csv", f"two columns have the same heading: {twice[0][:60]}")

    def faults(self) -> list[RowFault]:
        """Columns that no type knows, and required ones that the one type of all rows lacks."""
        kinds = [self._kind] if self._kind else list(self._catalogue)
        fields = [index for kind in kinds for index in self._fields(kind)]
        known = {self._type_index, self._case_index, *fields}
        strange = Text("没有对应的字段，已忽略此列", "no field has this name; the column is ignored")
        faults = [
            RowFault(1, one[:80], strange) for i, one in enumerate(self._headings) if one and i not in known
        ]
        if self._kind:
            there = set(self._fields(self._kind).values())
            missing = [one for one in self._kind.fields if one.required and one.name not in there]
            absent = Text("缺少必填的列", "a required column is missing")
            faults += [RowFault(1, one.label.zh, absent) for one in missing]
        return faults

    def read(self, row: int, cells: list[str]) -> ApplicationRow | list[RowFault]:
        """A row's application, or its faults."""
        if len(cells) != len(self._headings):
            have, need = len(cells), len(self._headings)
            return [
                RowFault(
                    row, "", Text(f"有 {have} 格，应为 {need} 格", f"has {have} cells instead of {need}")
                )
            ]
        if faults := list(self._cell_faults(row, cells)):
            return faults
        kind = self._kind or self._type_of(cells)
        if kind is None:
            column = self._headings[self._type_index or 0]
            return [
                RowFault(row, column, Text("证照目录中没有该类型", "the catalogue has no such licence type"))
            ]
        fields = self._fields(kind)
        headings = {name: self._headings[index] for index, name in fields.items()}
        try:
            claims = kind.check({name: cells[index] for index, name in fields.items()})
        except InvalidClaims as exc:
            labels = {one.name: one.label.zh for one in kind.fields}
            return [
                RowFault(row, headings.get(name, labels.get(name, name)), why) for name, why in exc.faults
            ]
        case = cells[self._case_index].strip() if self._case_index is not None else ""
        return ApplicationRow(row, kind, claims, headings, case)

    def _type_of(self, cells: list[str]) -> LicenceType | None:
        wanted = cells[self._type_index or 0].strip()
        for kind in self._catalogue:
            if wanted in {kind.code, kind.name.zh} or wanted.casefold() == kind.name.en.casefold():
                return kind
        return None

    def _fields(self, kind: LicenceType) -> dict[int, str]:
        """Which column holds which field of a type."""
        if kind.code not in self._columns:
            names = {one.label.en.casefold(): one.name for one in kind.fields}
            names |= {one.label.zh: one.name for one in kind.fields}
            names |= {one.name: one.name for one in kind.fields}
            found: dict[int, str] = {}
            for index, heading in enumerate(self._headings):
                name = names.get(heading) or names.get(heading.casefold())
                taken = index in {self._type_index, self._case_index}
                if name and name not in found.values() and not taken:
                    found[index] = name
            self._columns[kind.code] = found
        return self._columns[kind.code]

    def _cell_faults(self, row: int, cells: list[str]) -> Iterator[RowFault]:
        for heading, cell in zip(self._headings, cells, strict=True):
            if isinstance(cell, UnusableCell):
                yield RowFault(row, heading, cell.why)
            elif len(cell) > MAX_CELL_CHARACTERS:
                most = MAX_CELL_CHARACTERS
                yield RowFault(row, heading, Text(f"超过 {most} 个字符", f"is longer than {most} characters"))
            elif bad := next(
                (c for c in cell if unicodedata.category(c) == "Cc" and c not in "\r\n\t"), None
            ):
                code = f"U+{ord(bad):04X}"
                yield RowFault(
                    row, heading, Text(f"含有控制字符 {code}", f"holds the control character {code}")
                )
            elif _FORMULA.match(cell):
                yield RowFault(
                    row,
                    heading,
                    Text("以公式符号开头，请改为普通文字", "begins like a formula; write plain text"),
                )


def unless_seen(found: ApplicationRow, seen: dict[str, int]) -> ApplicationRow | list[RowFault]:
    """The row, or that an earlier one of this file is the same; `seen` is kept by the caller."""
    first = seen.setdefault(found.content, found.row)
    if first == found.row:
        return found
    if found.case:
        same = Text(f"办件编号与第 {first} 行相同", f"has the case number of row {first}")
        return [RowFault(found.row, "", same)]
    return [RowFault(found.row, "", Text(f"与第 {first} 行完全相同", f"is the same as row {first}"))]


def _index_of(names: frozenset[str], headings: list[str]) -> int | None:
    return next((i for i, one in enumerate(headings) if one.casefold() in names), None)


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise TooLarge("csv", f"over {MAX_BYTES} bytes")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MalformedInput("csv", "neither UTF-8 nor GB18030")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text[: text.find("\n") + 1] or text
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            yield from enumerate(reader, start=1)
        except csv.Error as exc:
            raise MalformedInput("csv", f"line {reader.line_num}: {exc}") from exc

    return rows()


def _plain(heading: str) -> str:
    """A heading without spaces around it and without the star that marks a required column."""
    return unicodedata.normalize("NFC", heading).strip().rstrip("*＊").strip()

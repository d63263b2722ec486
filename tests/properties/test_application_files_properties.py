"""Workbooks and JSON lines of strangers: whatever comes, only our own errors come out, and no row is lost."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.bundles import as_lines, as_workbook, bomb, rows_of
from world.desks import FOOD

from credentials.application_lines import read_lines
from credentials.applications import MAX_COLUMNS, UnusableCell
from credentials.catalogue import Catalogue
from credentials.office.bundles.service import read_file_of_applications
from credentials.spreadsheets import LAST_ROW, read_workbook
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

CATALOGUE = Catalogue.load()
WORKBOOK, LINES = as_workbook(rows_of(2)), as_lines(2)
SHEET = "xl/worksheets/sheet1.xml"


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(WORKBOOK)), data=st.binary(max_size=20))
def test_a_damaged_workbook_is_refused_or_read(place: int, data: bytes) -> None:
    try:
        found = read_file_of_applications(
            WORKBOOK[:place] + data + WORKBOOK[place + len(data) :], CATALOGUE, type_code=FOOD
        )
    except YinxinError:
        return
    assert found.total >= len(found.rows)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, len(LINES)), st.binary(max_size=8)).map(
            lambda change: LINES[: change[0]] + change[1] + LINES[change[0] :]
        ),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5).map(
            lambda value: repr({"claims": value}).encode("utf-8", "replace")
        ),
    )
)
def test_each_line_is_a_row_or_has_its_reason(data: bytes) -> None:
    found = read_lines(data, CATALOGUE, type_code=FOOD)
    told = {one.row for one in found.faults} | {one.row for one in found.rows}
    assert found.total == len(told)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"{"]))
def test_any_bytes_are_some_kind_of_file(data: bytes, head: bytes) -> None:
    try:
        read_file_of_applications(head + data, CATALOGUE, type_code=FOOD)
    except YinxinError:
        return


def changed(what: bytes, to: bytes) -> bytes:
    """The workbook with something else in its sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == SHEET:
                assert what in part
                part = part.replace(what, to, 1)
            new.writestr(name, part)
    return out.getvalue()


def test_entities_are_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet'
    with pytest.raises(MalformedInput):
        read_workbook(changed(b"<worksheet", laughs))
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet'
    with pytest.raises(MalformedInput):
        read_workbook(changed(b"<worksheet", outside))


def test_a_sheet_of_one_far_cell_and_a_bomb_are_too_large() -> None:
    for reference in (f"A{LAST_ROW + 5}", "XFD1048576"):
        row = reference.lstrip("AXFD")
        far = f'<row r="{row}"><c r="{reference}" t="n"><v>1</v></c></row></sheetData>'.encode()
        with pytest.raises(TooLarge):
            list(read_workbook(changed(b"</sheetData>", far)))
    wide = f'<row r="9"><c r="ZZ9" t="n"><v>{MAX_COLUMNS}</v></c></row></sheetData>'.encode()
    with pytest.raises(TooLarge):
        read_workbook(changed(b"</sheetData>", wide))
    with pytest.raises(TooLarge):
        read_workbook(bomb())


def test_a_size_that_a_sheet_claims_hides_no_row() -> None:
    rows = list(read_workbook(changed(b"<dimension ", b'<dimension ref="A1:A1"/><other ')))
    assert [number for number, _ in rows] == [1, 2, 3]


def test_formulas_and_long_numbers_are_told() -> None:
    odd = [{"a": "=1+1", "b": 12345678901234567890, "c": True, "d": 12.0, "e": 0.5, "f": "=HYPERLINK(1)"}]
    (_, _), (_, cells) = read_workbook(as_workbook(odd))
    assert [isinstance(cell, UnusableCell) for cell in cells] == [True, True, True, False, False, True]
    assert cells[3:5] == ["12", "0.5"]


def test_two_sheets_with_cells_are_one_too_many() -> None:
    with pytest.raises(MalformedInput, match="2 sheets"):
        read_workbook(as_workbook(rows_of(1), sheets=2))

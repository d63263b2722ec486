"""Whatever a type file holds: a type, or faults that name file and key."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.catalogue import BUILT_IN, Catalogue, InvalidCatalogue
from credentials.licence_type import Validity, ValidityRule
from credentials.type_files import read_type

FILES = [path.read_bytes() for path in sorted(BUILT_IN.glob("*.toml"))]
LINES = [file.decode().splitlines() for file in FILES]
TEXTS = st.sampled_from(['"x"', "[]", "{}", '"{a"', '["a", "a"]'])
NUMBERS = st.sampled_from(["0", "-1", "99999999999999999999", "true", "1.5", "2026-01-01"])


def read(data: bytes) -> None:
    faults = None
    try:
        read_type(data, "x.toml")
    except InvalidCatalogue as exc:
        faults = exc.faults
    assert faults is None or faults
    assert all(place.startswith("x.toml") and what.zh and what.en for place, what in faults or ())


@given(st.binary(max_size=500))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes(data: bytes) -> None:
    read(data)


@given(st.sampled_from(LINES), st.data())
@settings(max_examples=300, deadline=None)
def test_a_good_file_with_a_line_lost_doubled_or_changed(lines: list[str], data: Any) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["lose", "double", "text", "number"]))
    key = lines[place].split("=")[0]
    changed = {
        "lose": [],
        "double": [lines[place]] * 2,
        "text": [f"{key}= {data.draw(TEXTS)}"],
        "number": [f"{key}= {data.draw(NUMBERS)}"],
    }[how]
    read("\n".join([*lines[:place], *changed, *lines[place + 1 :]]).encode())


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 30), st.integers(0, 24), st.integers(1, 400)
)
def test_a_term_never_ends_before_it_begins(on: date, years: int, months: int, days: int) -> None:
    validity = Validity(ValidityRule.TERM, years=years, months=months, days=days)
    first, last = validity.period({}, issued_on=on)
    assert first == on
    assert last is not None
    assert last >= first


def test_there_is_something_to_change() -> None:
    assert len(FILES) == len(Catalogue.load())

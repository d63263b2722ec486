"""Whatever bytes a file holds: applications, faults or a clear refusal, and never anything else."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import samples
from credentials.applications import read_applications
from credentials.catalogue import Catalogue
from credentials.printed_code import read
from yinxin.base.errors import MalformedInput, YinxinError

CATALOGUE = Catalogue.load()
SAMPLE = samples.applications_csv()


@given(st.binary(max_size=2000))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes(data: bytes) -> None:
    with contextlib.suppress(YinxinError):
        read_applications(data, CATALOGUE, type_code="food-business-licence")


@given(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_sample_with_bytes_put_in(place: int, bytes_in: bytes) -> None:
    try:
        found = read_applications(SAMPLE[:place] + bytes_in + SAMPLE[place:], CATALOGUE)
    except YinxinError:
        return
    rows = {row.row for row in found.rows}
    assert rows.isdisjoint(fault.row for fault in found.faults), "a row is issued or faulty, never both"
    assert len(rows) + len({fault.row for fault in found.faults} - {1}) == found.total


@given(st.lists(st.text(max_size=30), min_size=9, max_size=9))
@settings(max_examples=200, deadline=None)
def test_arbitrary_cells(cells: list[str]) -> None:
    kind = CATALOGUE["food-business-licence"]
    claims = {one.name: cell for one, cell in zip(kind.fields, cells, strict=True)}
    try:
        kept = kind.check(claims)
    except YinxinError:
        return
    assert kind.check(kept) == kept


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_arbitrary_codes(text: str) -> None:
    for one in (text, "https://a/q#" + text):
        try:
            read(one)
        except MalformedInput:
            continue

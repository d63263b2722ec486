"""A status list remembers what was set, and arbitrary bytes are none."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import CredentialWorld
from world.pki import NOON, Pki

from credentials.status_list import StatusList
from credentials.status_snapshot import verify_status_token
from yinxin.base.errors import NotFound, YinxinError


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 300), st.data())
def test_a_list_is_like_a_dictionary(bits: int, size: int, data: st.DataObject) -> None:
    statuses, model = StatusList(size, bits=bits), {}
    entries = st.tuples(st.integers(0, size - 1), st.integers(0, (1 << bits) - 1))
    for index, value in data.draw(st.lists(entries, max_size=40)):
        statuses.set(index, value)
        model[index] = value
    again = StatusList.from_claim(statuses.to_claim())
    assert again == statuses
    assert [again.get(index) for index in range(size)] == [model.get(index, 0) for index in range(size)]


@given(st.sampled_from([1, 2, 4, 8]), st.binary(min_size=1, max_size=400), st.data())
def test_many_are_asked_as_one(bits: int, values: bytes, data: st.DataObject) -> None:
    found = StatusList.from_bytes(values, bits=bits)
    indexes = data.draw(st.lists(st.integers(0, len(found) - 1), max_size=60))
    assert list(found.get_many(indexes)) == [found.get(index) for index in indexes]
    for outside in (-1, len(found)):
        with pytest.raises(NotFound):
            found.get_many([*indexes, outside])


@pytest.mark.parametrize("size", [1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("noise", [False, True])
def test_lists_of_any_length_come_back_whole(size: int, *, noise: bool) -> None:
    """They are inflated by pieces of a mebibyte."""
    values = random.Random(size).randbytes(size) if noise else bytes(size)  # noqa: S311 - a test
    claim = StatusList.from_bytes(values, bits=8).to_claim()
    assert StatusList.from_claim(claim).to_bytes() == values
    with pytest.raises(YinxinError):
        StatusList.from_claim({**claim, "lst": claim["lst"][: len(claim["lst"]) // 8 * 4]})


@given(st.binary(max_size=200) | st.text(max_size=200) | st.none() | st.dictionaries(st.text(), st.text()))
def test_arbitrary_values_are_no_list(value: Any) -> None:
    for claim in (value, {"bits": 2, "lst": value}, {"bits": value, "lst": "eNpjYAAAAAEAAQ"}):
        with pytest.raises(YinxinError):
            StatusList.from_claim(claim)


@given(st.text(max_size=300))
def test_arbitrary_tokens_get_a_report(world: CredentialWorld, text: str) -> None:
    report = verify_status_token(text, world.trust, uri="https://x.example", at=NOON)
    assert not report.passed

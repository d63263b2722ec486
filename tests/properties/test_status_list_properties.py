"""A status list remembers what was set, and arbitrary bytes are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import CredentialWorld
from world.pki import NOON, Pki

from credentials.status_list import StatusList
from credentials.status_snapshot import verify_status_token
from yinxin.base.errors import YinxinError


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


@given(st.binary(max_size=200) | st.text(max_size=200) | st.none() | st.dictionaries(st.text(), st.text()))
def test_arbitrary_values_are_no_list(value: Any) -> None:
    for claim in (value, {"bits": 2, "lst": value}, {"bits": value, "lst": "eNpjYAAAAAEAAQ"}):
        with pytest.raises(YinxinError):
            StatusList.from_claim(claim)


@given(st.text(max_size=300))
def test_arbitrary_tokens_get_a_report(world: CredentialWorld, text: str) -> None:
    report = verify_status_token(text, world.trust, uri="https://x.example", at=NOON)
    assert not report.passed

"""Requests that try to take the service away from others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from verify_api.http.schemas import read_question
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    "values",
    [
        {str(number): 1 for number in range(200_000)},
        {"licence": "x", **{str(number): None for number in range(200_000)}},
    ],
    ids=["names", "nothings"],
)
def test_a_request_with_very_many_names_is_refused_before_each_is_looked_at(
    values: Mapping[str, Any],
) -> None:
    """It stood in the way of everybody for a second and more: a report of a hundred thousand faults."""
    began = time.perf_counter()
    with pytest.raises(MalformedInput):
        read_question(dict(values))
    assert time.perf_counter() - began < 0.2

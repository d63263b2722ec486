"""The two forms of an elliptic-curve signature, beside the library's own encoder."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from signing.algorithms import Algorithm, algorithm
from signing.raw_signatures import from_raw, to_raw

ROWS = st.sampled_from([algorithm("ES256"), algorithm("ES384"), algorithm("ES512")])
NUMBERS = st.integers(0, (1 << 256) - 1) | st.integers(0, 300) | st.sampled_from([1 << 255, (1 << 255) - 1])


@given(ROWS, NUMBERS, NUMBERS)
@example(algorithm("ES256"), 0, 0)
@example(algorithm("ES384"), (1 << 384) - 1, (1 << 384) - 1)
@example(algorithm("ES512"), 0, 0)
@example(algorithm("ES512"), (1 << 521) - 1, 1)
@example(algorithm("ES512"), (1 << 521) - 1, 1 << 455)
@example(algorithm("ES512"), (1 << 520) - 1, (1 << 521) - 1)
@example(algorithm("ES512"), (1 << 528) - 1, (1 << 528) - 1)
def test_from_raw_writes_der(row: Algorithm, r: int, s: int) -> None:
    size = row.coordinate_bytes or 0
    raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    encoded = from_raw(raw, row)
    assert encoded == encode_dss_signature(r, s)
    assert to_raw(encoded, row) == raw


@pytest.mark.parametrize("size", [0, 63, 65, 96])
def test_another_length_is_no_signature(size: int) -> None:
    assert from_raw(bytes(size), algorithm("ES256")) is None

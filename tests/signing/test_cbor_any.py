"""CBOR in any encoding: the values of the strict reader, whichever way they are written."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from world.cbor_forms import Writer

from signing.cbor import ANY_TAG, Tag, decode
from signing.cbor_any import decode_any
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=40)
    | st.text(max_size=40)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(Tag, st.integers(0, 2**64 - 1), inner)
    ),
    max_leaves=12,
)


@given(VALUES, st.data())
def test_however_it_is_written_it_is_the_same_value(value: Any, data: st.DataObject) -> None:
    assert decode_any(Writer(lambda most: data.draw(st.integers(0, most))).write(value)) == value


@given(st.binary(max_size=60))
@example(b"\x5f")
@example(b"\xbf\x01\xff")
@example(b"\xc1" * 50)
@example(b"\x9f" * 50)
def test_only_our_errors_come_out_and_what_the_strict_reader_takes_is_taken(data: bytes) -> None:
    strict = suppress(YinxinError)
    with strict:
        value = decode(data, tags=ANY_TAG)
        assert decode_any(data) == value
        return
    with suppress(YinxinError):
        decode_any(data)


REFUSED = {
    "nothing": b"",
    "a break alone": b"\xff",
    "a number without length": b"\x1f",
    "a tag without number": b"\xdf\x01",
    "a reserved length": b"\x1c",
    "no break": b"\x9f\x01",
    "half a pair": b"\xbf\x01\xff",
    "a break for a value": b"\xbf\x01\x02\x03\xff",
    "a break in an array that is counted": b"\x82\x01\xff",
    "bytes in a text": b"\x7f\x41a\xff",
    "pieces in pieces": b"\x5f\x5f\x41a\xff\xff",
    "half a character in a piece": b"\x7f\x61\xc3\x61\xa4\xff",
    "a number among pieces": b"\x5f\x01\xff",
    "a name twice, written in two ways": b"\xa2\x01\x02\x18\x01\x03",
    "a name twice, a text in pieces": b"\xbf\x61a\x01\x7f\x61a\xff\x02\xff",
    "a name that is bytes": b"\xa1\x41a\x01",
    "a name that is true": b"\xa1\xf5\x01",
    "NaN": b"\xf9\x7e\x00",
    "infinity": b"\xfa\x7f\x80\x00\x00",
    "undefined": b"\xf7",
    "bytes after the end": b"\x01\x01",
    "a length over the end": b"\x5b" + b"\xff" * 8,
    "a count over the end": b"\x9b" + b"\xff" * 8,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode_any(data)


def test_a_range_of_tags_is_never_spread() -> None:
    wide = range(1, 1 << 62)
    assert decode(b"\xc1\x01", tags=wide) == Tag(1, 1)
    with pytest.raises(MalformedInput):
        decode(b"\xc0\x01", tags=wide)


def test_limits() -> None:
    with pytest.raises(TooLarge):
        decode_any(b"\x9f" * 30 + b"\xff" * 30)
    with pytest.raises(TooLarge):
        decode_any(b"\x9f" + b"\x01" * 60_000 + b"\xff")
    with pytest.raises(TooLarge):
        decode_any(bytes(11), max_bytes=10)
    with pytest.raises(MalformedInput):
        decode_any("01")  # type: ignore[arg-type]

"""CBOR: one encoding for each value, everything else refused, and cbor2 of the same opinion."""

from __future__ import annotations

import math
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signing.cbor import MAX_DEPTH, Tag, decode, encode
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError

NUMBERS = st.integers(-(1 << 64), (1 << 64) - 1)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.binary(max_size=40), TEXTS,
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
KEYS = st.one_of(NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=25,
)

# RFC 8949, appendix A: value and encoding, those that have a place here.
PUBLISHED: tuple[tuple[Any, str], ...] = (
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (1000, "1903e8"),
    (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"), (-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7"),
    (0.0, "f90000"), (-0.0, "f98000"), (1.0, "f93c00"), (1.1, "fb3ff199999999999a"), (1.5, "f93e00"),
    (65504.0, "f97bff"), (100000.0, "fa47c35000"), (3.4028234663852886e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"), (5.960464477539063e-8, "f90001"), (0.00006103515625, "f90400"),
    (-4.0, "f9c400"), (-4.1, "fbc010666666666666"), (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"), ("", "60"), ("a", "6161"), ("IETF", "6449455446"), ('"\\', "62225c"),
    ("ü", "62c3bc"), ("水", "63e6b0b4"), ("𐅑", "64f0908591"), ([], "80"), ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"), ({}, "a0"), ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"), (["a", {"b": "c"}], "826161a161626163"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
)  # fmt: skip


@pytest.mark.parametrize(("value", "encoding"), PUBLISHED)
def test_the_examples_of_the_rfc(value: object, encoding: str) -> None:
    assert encode(value).hex() == encoding
    read = decode(bytes.fromhex(encoding), deterministic=True)
    assert read == value
    assert type(read) is type(value)
    if value == 0.0 and isinstance(value, float):
        assert math.copysign(1, read) == math.copysign(1, value)


@given(VALUES)
def test_what_is_written_is_read_again_and_has_one_encoding(value: Any) -> None:
    assert encode(decode(encode(value), deterministic=True)) == encode(value)
    assert decode(encode(value)) == value


@given(VALUES)
def test_cbor2_writes_the_same_and_reads_the_same(value: Any) -> None:
    assert cbor2.loads(encode(value)) == value
    # Its canonical order is the older one, shorter keys first (RFC 8949, 4.2.3), and equal without maps.
    theirs = cbor2.dumps(value, canonical=True)
    assert len(theirs) == len(encode(value))
    assert decode(theirs) == value


@given(st.binary(max_size=60))
@example(bytes.fromhex("a201000101"))
@example(bytes.fromhex("fb3ff0000000000000"))
def test_whatever_is_read_is_what_cbor2_reads_and_nothing_but_our_errors_come_out(data: bytes) -> None:
    try:
        value = decode(data, tags=[18, 24, 61])
    except YinxinError:
        return
    if not holds(value, float):
        assert encode_in_order(value) == data, "one encoding for each value, apart from the order of keys"
    if not holds(value, Tag):
        assert cbor2.loads(data) == value


def encode_in_order(value: Any) -> bytes:
    """As it was sent: keys in the order read."""
    if isinstance(value, dict):
        inner = b"".join(encode(key) + encode_in_order(item) for key, item in value.items())
        return head(0xA0, len(value)) + inner
    if isinstance(value, list):
        return head(0x80, len(value)) + b"".join(map(encode_in_order, value))
    if isinstance(value, Tag):
        return head(0xC0, value.number) + encode_in_order(value.value)
    return encode(value)


def head(major: int, number: int) -> bytes:
    raw = encode(number)
    return bytes([raw[0] | major]) + raw[1:]


def holds(value: Any, kind: type) -> bool:
    """Whether a value of this kind stands in it."""
    if isinstance(value, kind):
        return True
    if isinstance(value, Tag):
        return holds(value.value, kind)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds(one, kind) for one in inner)


@given(st.binary(max_size=40))
def test_a_deterministic_reading_is_the_one_encoding(data: bytes) -> None:
    try:
        value = decode(data, deterministic=True)
    except YinxinError:
        return
    assert encode(value) == data


REFUSED = {
    "nothing": "",
    "a number cut off": "19ff",
    "a text cut off": "6261",
    "an array cut off": "8201",
    "a map cut off": "a101",
    "a length of everything": "5bffffffffffffffff",
    "an array of everything": "9bffffffffffffffff",
    "a map of everything": "bbffffffffffffffff",
    "bytes after the end": "0000",
    "a number in two bytes that fits one": "1817",
    "a number in three bytes that fits two": "1900ff",
    "a number in five bytes that fits three": "1a0000ffff",
    "a number in nine bytes that fits five": "1b00000000ffffffff",
    "a negative number in a longer form": "3800",
    "a length in a longer form": "5801aa",
    "an array's length in a longer form": "980101",
    "a map's length in a longer form": "b8010101",
    "a tag in a longer form": "d81201",
    "a float cut off": "fb3ff1",
    "NaN": "f97e00",
    "NaN as single": "fa7fc00000",
    "NaN as double": "fb7ff8000000000000",
    "infinity": "f97c00",
    "infinity below": "f9fc00",
    "undefined": "f7",
    "an unassigned simple value": "f0",
    "a simple value in two bytes": "f8ff",
    "false in two bytes": "f814",
    "reserved lengths": "1c",
    "an indefinite byte string": "5f4101ff",
    "an indefinite text": "7f6161ff",
    "an indefinite array": "9f01ff",
    "an indefinite map": "bf0101ff",
    "a break alone": "ff",
    "a repeated key": "a201000101",
    "a repeated text key": "a2616101616102",
    "a key of bytes": "a14100f5",
    "a key of true": "a1f501",
    "a key of one as float": "a1f93c0001",
    "a key of null": "a1f601",
    "a key that is an array": "a18001",
    "a tag that is not expected": "c074323031332d30332d32315432303a30343a30305a",
    "a bignum": "c249010000000000000000",
    "text that is not UTF-8": "61ff",
    "an overlong letter": "62c1a1",
    "half a surrogate pair": "63eda080",
    "a letter cut in half": "61e6",
}


@pytest.mark.parametrize("encoding", REFUSED.values(), ids=REFUSED)
def test_what_has_no_place_is_refused(encoding: str) -> None:
    with pytest.raises(MalformedInput):
        decode(bytes.fromhex(encoding))


@pytest.mark.parametrize(
    ("encoding", "value"), [("fb3ff0000000000000", 1.0), ("fa3f800000", 1.0), ("fb40f86a0000000000", 1e5)]
)
def test_a_longer_form_of_a_fraction_is_refused_where_one_encoding_is_demanded(
    encoding: str, value: float
) -> None:
    """RFC 8949, 4.1: a preference of writers; ISO/IEC 18013-5 asks for short whole numbers and lengths."""
    assert decode(bytes.fromhex(encoding)) == value
    with pytest.raises(MalformedInput, match="shortest"):
        decode(bytes.fromhex(encoding), deterministic=True)


def test_keys_out_of_order_are_refused_where_one_encoding_is_demanded() -> None:
    data = bytes.fromhex("a203040102")
    assert decode(data) == {3: 4, 1: 2}
    with pytest.raises(MalformedInput, match="order"):
        decode(data, deterministic=True)


def test_order_is_by_bytes_not_by_length() -> None:
    # RFC 8949, 4.2.1, the example's keys.
    value = {10: 0, 100: 0, -1: 0, "z": 0, "aa": 0}
    assert encode(value).hex() == "a50a001864002000617a00626161" + "00"


def test_tags_stand_only_where_they_were_asked_for() -> None:
    data = encode(Tag(61, Tag(18, [1])))
    assert decode(data, tags=[18, 61]) == Tag(61, Tag(18, [1]))
    for fewer in ((), (18,), (61,)):
        with pytest.raises(MalformedInput, match="tag"):
            decode(data, tags=fewer)


def test_limits_hold() -> None:
    nested = b"\x81" * MAX_DEPTH + b"\x00"
    decode(nested)
    for kept, limit in (
        (b"\x81" + nested, {}),
        (b"\xa1\x00" * MAX_DEPTH + b"\xa0", {}),
        (b"\xd8\x3d" * (MAX_DEPTH + 1) + b"\x00", {}),
        (encode(bytes(101)), {"max_bytes": 100}),
        (encode([0] * 11), {"max_items": 10}),
        (encode(dict.fromkeys(range(6), 0)), {"max_items": 10}),
        (encode([[0] * 4] * 3), {"max_items": 10}),
    ):
        with pytest.raises(TooLarge):
            decode(kept, tags=[61], **limit)  # type: ignore[arg-type]
    deep: Any = 0
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(UsageError):
        encode(deep)


def test_what_cannot_be_read_is_not_written() -> None:
    for value in (
        math.nan, math.inf, 1 << 64, -(1 << 64) - 1, "\ud800", {1.5: 0}, {True: 0}, {b"a": 0}, {1, 2},
        object(), Tag(-1, 0), {None: 0},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            encode(value)


def test_bytes_like_values_are_written_as_bytes() -> None:
    assert encode(bytearray(b"ab")) == encode(b"ab") == b"\x42ab"
    assert encode((1, 2)) == encode([1, 2])


@given(
    st.dictionaries(st.integers(0, 30), st.binary(min_size=20, max_size=30), min_size=1, max_size=6),
    st.sampled_from([24, 32, 48, None]),
    st.integers(0, 400),
    st.integers(0, 255),
    st.sampled_from([None, 0, 1]),
)
@example({1: b"a", 2: b"b", 3: b"c"}, 32, 2, 1, 1)
def test_maps_of_digests_are_read_as_others_are(
    digests: dict[int, bytes], size: int | None, place: int, byte: int, change: int | None
) -> None:
    """Rows of one length are read side by side; what is odd in one of them is seen as ever."""
    if size is not None:
        digests = {number: digest.ljust(size, b".")[:size] for number, digest in digests.items()}
    data = bytearray(encode(digests))
    if change is not None:
        place %= len(data)
        data[place : place + change] = bytes([byte])
    try:
        value = decode(bytes(data))
    except YinxinError:
        assert change is not None
        return
    assert holds(value, float) or encode_in_order(value) == data
    assert cbor2.loads(bytes(data)) == value
    assert change is not None or value == digests


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_encoded_cbor_in_arrays_counts_as_a_tag_elsewhere(depth: int) -> None:
    """Lists of encoded CBOR are read at once, under the same limits and from the same bytes."""
    rows = [Tag(24, bytes(size)) for size in (23, 24, 255, 256, 24)]
    data = encode(rows)
    if depth < 2:
        with pytest.raises(TooLarge):
            decode(data, tags=[24], max_depth=depth)
        return
    assert decode(data, tags=[24], max_depth=depth) == rows
    assert encode(decode(encode(rows[1:3]), tags=[24])) == encode(rows[1:3])
    with pytest.raises(MalformedInput, match="tag 24"):
        decode(data, tags=[18])
    for end in range(1, len(data)):
        with pytest.raises(MalformedInput):
            decode(data[:end], tags=[24])

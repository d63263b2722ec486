"""Items read along their bytes, beside the general reader: the same elements, and no other refusals."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credentials.mdoc.items import Item, usual_item
from credentials.mdoc.limits import MAX_DEPTH, TAGS
from credentials.mdoc.structures import read_item
from signing.cbor import Encoded, Tag, decode, encode
from yinxin.base.errors import MalformedInput

SORTED = ("random", "digestID", "elementValue", "elementIdentifier")
LISTED = ("digestID", "random", "elementIdentifier", "elementValue")
VALUES = st.recursive(
    st.one_of(
        st.text(max_size=300),
        st.binary(max_size=300),
        st.integers(-(1 << 64), (1 << 64) - 1),
        st.booleans(),
        st.none(),
        st.builds(Tag, st.sampled_from([0, 1, 2, 3, 24, 32, 1004, 55799]), st.text(max_size=30)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def written(order: tuple[str, ...], members: dict[str, object]) -> bytes:
    """A map with its members in this order."""
    return bytes([0xA0 | len(order)]) + b"".join(encode(name) + encode(members[name]) for name in order)


def members(
    number: int = 3, random: bytes = bytes(16), name: str = "name", value: object = "a text"
) -> dict[str, object]:
    return {"digestID": number, "random": random, "elementIdentifier": name, "elementValue": value}


def generally(content: bytes) -> Item | None:
    """What the general reader says; None where it refuses."""
    try:
        return read_item(Tag(24, content), usual=False)
    except MalformedInput:
        return None


@pytest.mark.parametrize("order", [SORTED, LISTED])
@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize(
    "value", ["a text", "字" * 80, b"bytes", 7, Tag(1004, "2026-11-20"), ["a", {"b": 1}]]
)
def test_both_usual_orders_are_read(order: tuple[str, ...], size: int, value: object) -> None:
    content = written(order, members(200, bytes(size), "an element", value))
    found = usual_item(content)
    assert found == generally(content) == Item(200, "an element", value, encode(Tag(24, content)))


@given(
    st.permutations(LISTED) | st.sampled_from([SORTED, LISTED]),
    st.sampled_from([0, 7, 23, 24, 255, 256, 1 << 31]),
    st.sampled_from([15, 16, 17, 24, 32, 33]),
    st.text(max_size=300),
    VALUES,
)
@example(SORTED, 1, 16, "qelementIdentifierdname", ["qelementIdentifierdname"])
@example(SORTED, 1, 16, "", "qelementIdentifier")
def test_whatever_is_read_is_what_the_general_reader_reads(
    order: tuple[str, ...], number: int, size: int, name: str, value: object
) -> None:
    content = written(order, members(number, bytes(size), name, value))
    found = usual_item(content)
    assert found is None or found == generally(content)


@given(
    st.sampled_from([SORTED, LISTED]),
    VALUES,
    st.integers(0, 400),
    st.integers(0, 255),
    st.sampled_from(["change", "cut", "add"]),
)
def test_a_changed_item_is_read_by_both_alike(
    order: tuple[str, ...], value: object, place: int, byte: int, how: str
) -> None:
    content = bytearray(written(order, members(value=value)))
    place %= len(content)
    if how == "change":
        content[place] = byte
    elif how == "cut":
        del content[place:]
    else:
        content.insert(place, byte)
    found = usual_item(bytes(content))
    assert found is None or found == generally(bytes(content))


def test_limits_are_those_of_the_general_reader() -> None:
    """Depth counts the map of the item too."""
    for depth in (MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1):
        content = written(LISTED, members(value=Encoded(b"\x81" * depth + b"\x00")))
        found = usual_item(content)
        assert (found is None) == (generally(content) is None)
        assert found is None or decode(content, tags=TAGS, max_depth=MAX_DEPTH)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing(content: bytes) -> None:
    assert usual_item(content) is None or generally(content) is not None

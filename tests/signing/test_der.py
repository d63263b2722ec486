"""DER by hand: what we write reads back, what DER forbids is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import der
from yinxin.base.errors import MalformedInput

ARCS = st.tuples(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**70), max_size=5))


@given(st.integers())
def test_integers_read_back(value: int) -> None:
    assert der.read_integer(der.read_exactly(der.integer(value), der.INTEGER)) == value


@given(ARCS)
def test_object_identifiers_read_back(arcs: tuple[int, int, list[int]]) -> None:
    dotted = ".".join(map(str, (arcs[0], arcs[1], *arcs[2])))
    assert der.read_oid(der.read_exactly(der.oid(dotted), der.OID)) == dotted


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - made aware below
def test_times_read_back(when: datetime) -> None:
    aware = when.replace(microsecond=0, tzinfo=UTC)
    for encoded in (der.time(aware), der.generalized_time(aware)):
        assert der.read_time(der.read(encoded)[0]) == aware


@given(st.binary(max_size=300), st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F))
def test_any_content_reads_back(content: bytes, tag: int) -> None:
    element, end = der.read(der.tlv(tag, content))
    assert (element.tag, element.content, end) == (tag, content, len(element.encoded))


def test_lengths_of_every_size() -> None:
    for size in (0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24):
        encoded = der.octet_string(bytes(size))
        assert len(der.read_exactly(encoded, der.OCTET_STRING).content) == size


def test_a_set_is_sorted() -> None:
    assert der.set_of(der.integer(2), der.integer(1)) == der.set_of(der.integer(1), der.integer(2))


FORBIDDEN = {
    "nothing": b"",
    "no length": b"\x30",
    "indefinite length": b"\x30\x80\x00\x00",
    "long form of a short length": b"\x04\x81\x01\x00",
    "leading zero of the length": b"\x04\x82\x00\x80" + bytes(128),
    "length of five octets": b"\x04\x85\x01\x00\x00\x00\x00",
    "length that ends early": b"\x04\x82\x01",
    "past its end": b"\x04\x02\x00",
    "high tag number": b"\x1f\x20\x00",
}


@pytest.mark.parametrize("data", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_der_forbids_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        der.read(data)


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0\x7f", b"\xff\xff", b"\xff\x80"])
def test_integers_are_minimal(content: bytes) -> None:
    with pytest.raises(MalformedInput):
        der.read_integer(der.Element(der.INTEGER, content, b""))


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2a\x80\x01", b"\x2a\x86", b"\x2a" * 65])
def test_object_identifiers_are_whole_and_minimal(content: bytes) -> None:
    with pytest.raises(MalformedInput):
        der.read_oid(der.Element(der.OID, content, b""))


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (der.UTC_TIME, b"2611200000Z"),
        (der.UTC_TIME, b"261120000000+0800"),
        (der.UTC_TIME, b"261320000000Z"),
        (der.UTC_TIME, b"26112000000 Z"),
        (der.GENERALIZED_TIME, b"20261120000000.5Z"),
        (der.GENERALIZED_TIME, b"20261120000000"),
        (der.GENERALIZED_TIME, b"20260230000000Z"),
        (der.GENERALIZED_TIME, b"2026 120000000Z"),
        (der.GENERALIZED_TIME, b"+0261120000000Z"),
        (der.GENERALIZED_TIME, b"\xd9\xa2" * 7 + b"Z"),
        (der.OCTET_STRING, b"20261120000000Z"),
    ],
)
def test_times_are_as_certificates_write_them(tag: int, text: bytes) -> None:
    with pytest.raises(MalformedInput):
        der.read_time(der.Element(tag, text, b""))


def test_two_digit_years_turn_in_1950() -> None:
    assert der.read_time(der.Element(der.UTC_TIME, b"500101000000Z", b"")).year == 1950
    assert der.read_time(der.Element(der.UTC_TIME, b"491231235959Z", b"")).year == 2049
    assert der.time(datetime(2050, 1, 1, tzinfo=UTC))[0] == der.GENERALIZED_TIME
    assert der.time(datetime(2049, 12, 31, tzinfo=UTC) + timedelta(hours=1))[0] == der.UTC_TIME


def test_bit_strings_of_whole_octets() -> None:
    assert der.read_bit_string(der.read(der.bit_string(b"ab"))[0]) == b"ab"
    for content in (b"", b"\x01a", b"\x08a"):
        with pytest.raises(MalformedInput):
            der.read_bit_string(der.Element(der.BIT_STRING, content, b""))


def _walk(data: bytes, depth: int) -> None:
    element, _ = der.read(data)
    for reader in (der.read_integer, der.read_oid, der.read_time, der.read_bit_string):
        try:
            reader(element)
        except MalformedInput:
            continue
    if depth:
        for child in der.children(element):
            _walk(child.encoded, depth - 1)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_let_only_our_errors_out(data: bytes) -> None:
    for candidate in (data, der.sequence(data)):
        try:
            _walk(candidate, 6)
        except MalformedInput:
            continue

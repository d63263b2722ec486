"""BER becomes the DER that was meant; what is no BER is told as ours, within bounds."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.asn1_open import opened
from world.desk import Desk

from signing import ber, cms, der
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

DESK = Desk()
SIGNED = cms.sign(DESK.agency, hashlib.sha256(b"x").digest(), stamp=DESK.tsa.stamp)


def test_a_signature_with_open_lengths_is_the_one_that_was_meant() -> None:
    given = opened(SIGNED)
    assert given[:2] == b"\x30\x80"
    assert ber.to_der(given + bytes(9)) == (SIGNED, len(given))
    assert cms.parse(given + bytes(9), padded=True) == cms.parse(SIGNED)
    with pytest.raises(MalformedInput):
        cms.parse(given)  # a file beside a document is DER


def test_open_lengths_inside_of_a_closed_one() -> None:
    _, wrapped = der.children(der.read_whole(SIGNED))
    given = der.sequence(der.oid(cms.SIGNED_DATA), opened(wrapped.encoded))
    assert ber.to_der(given)[0] == SIGNED
    assert cms.parse(given, padded=True) == cms.parse(SIGNED)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (b"\x30\x80\x00\x00", b"\x30\x00"),
        (b"\x30\x81\x02\x05\x00", b"\x30\x02\x05\x00"),
        (b"\x24\x80\x04\x01a\x04\x02bc\x00\x00", b"\x04\x03abc"),
        (b"\x24\x80\x24\x04\x04\x02ab\x04\x01c\x00\x00", b"\x04\x03abc"),
        (b"\x24\x00", b"\x04\x00"),
    ],
)
def test_what_is_meant(given: bytes, meant: bytes) -> None:
    assert ber.to_der(given) == (meant, len(given))


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80\x00",
        b"\x04\x80\x00\x00",
        b"\x24\x80\x02\x01\x00\x00\x00",
        b"\x30\x05\x30\x80\x00\x00",
        b"\x30\x02\x30\x80\x00\x00",
        b"\x1f\x80\x00\x00",
        b"\x00\x00",
        b"\x30\xff" + b"\xff" * 127,
    ],
)
def test_what_is_no_ber(given: bytes) -> None:
    with pytest.raises(MalformedInput):
        ber.to_der(given)


def test_bounds() -> None:
    with pytest.raises(TooLarge):
        ber.to_der(b"\x30\x80" * 100)
    with pytest.raises(TooLarge):
        ber.to_der(b"\x30\x80" + b"\x05\x00" * ber.MAX_ELEMENTS)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.lists(st.sampled_from([b"\x30\x80", b"\0\0", b"\x24", b"\x04\x01a"])).map(b"".join),
    )
)
def test_whatever_is_read_only_our_errors_come_out(data: bytes) -> None:
    try:
        encoded, end = ber.to_der(data)
    except YinxinError:
        return
    assert ber.to_der(encoded) == (encoded, len(encoded))
    assert end <= len(data)

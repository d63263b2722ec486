"""Entries of revocation lists: runs of one shape, odd ones between them, and hostile ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, TestAuthority
from world.work import counted_calls

from signing import Crl, der
from signing.revocation.crl import MAX_REMEMBERED_KEYS
from signing.revocation.entries import FEW_BYTES, MAX_SHAPES, Entries
from yinxin.base.errors import MalformedInput, YinxinError

REASON = der.sequence(der.sequence(der.oid("2.5.29.21"), der.octet_string(b"\x0a\x01\x02")))
INVALID = der.sequence(
    der.sequence(der.oid("2.5.29.24"), der.octet_string(der.generalized_time(NOON - timedelta(days=9))))
)
BOTH = der.sequence(REASON[2:], INVALID[2:])
# Looks like the serial number 7, and is none.
DECOY = der.sequence(der.sequence(der.oid("1.2.3"), der.octet_string(der.integer(7) * 3)))
MANY = FEW_BYTES // 16


def entry(serial: int, extensions: bytes = b"", when: bytes = der.time(NOON)) -> bytes:
    return der.sequence(der.integer(serial), when, extensions)


def read(*parts: bytes) -> Entries:
    content = b"".join(parts)
    return Entries(content, 0, len(content))


def filler(extensions: bytes = b"") -> bytes:
    """So many entries of one shape that patterns are used."""
    return b"".join(entry(0x10000 + number, extensions) for number in range(MANY))


@pytest.mark.parametrize(
    "extensions", [b"", REASON, INVALID, BOTH, DECOY], ids=["none", "reason", "date", "both", "odd"]
)
def test_each_entry_is_found_and_no_other(extensions: bytes) -> None:
    entries = read(filler(extensions))
    assert len(entries) == MANY
    for number in range(MANY):
        found = entries.find(0x10000 + number)
        assert found is not None
        assert (found.serial, found.extensions) == ((0x10000 + number).to_bytes(3, "big"), extensions)
    assert all(entries.find(number) is None for number in (0, -1, 7, 0x10000 - 1, 0x10000 + MANY, 2**600))
    assert entries.unusual == {*filter(None, [extensions])}


@st.composite
def lists(draw: st.DrawFn) -> list[tuple[int, bytes, bytes]]:
    """Serial numbers of several lengths, with extensions and times of every kind, in no order."""
    serials = st.integers(-(2**159), 2**159) | st.integers(-300, 300) | st.integers(2**126, 2**128)
    rest = st.sampled_from([b"", b"", REASON, INVALID, BOTH, DECOY])
    time = st.sampled_from([der.time(NOON), der.time(NOON), der.generalized_time(NOON)])
    return draw(st.lists(st.tuples(serials, rest, time), max_size=30))


@settings(max_examples=60, deadline=None)
@given(rows=lists(), times=st.integers(1, 40), is_long=st.booleans())
def test_any_list_is_read_as_one_by_one(
    rows: list[tuple[int, bytes, bytes]], times: int, *, is_long: bool
) -> None:
    """The same entries again and again, so that shapes are learnt; the first of equals counts."""
    encoded = [entry(serial, rest, when) for serial, rest, when in rows] * times
    more = [filler()] if is_long else []
    entries = read(*more, *encoded, *more)
    expected: dict[int, tuple[bytes, bytes]] = {}
    for serial, rest, when in rows:
        expected.setdefault(serial, (when, rest))
    for serial, parts in expected.items():
        found = entries.find(serial)
        if is_long and 0x10000 <= serial < 0x10000 + MANY:
            continue
        assert found is not None
        assert (found.time, found.extensions) == parts
    assert len(list(entries)) == len(encoded) + (2 * MANY if is_long else 0)


def test_the_same_as_cryptography_reads() -> None:
    authority = TestAuthority("Root")
    for number in range(600):
        serial, reason = (
            3 ** (number % 100) + number,
            (x509.ReasonFlags.superseded, x509.ReasonFlags.unspecified),
        )
        authority.revoked[serial] = (NOON - timedelta(minutes=number), reason[number % 2])
    encoded = authority.crl()
    theirs = {one.serial_number: one for one in x509.load_der_x509_crl(encoded)}
    ours = Crl(encoded)
    assert set(ours.serials) == theirs.keys()
    for serial, one in theirs.items():
        found = ours.lookup(serial)
        assert found is not None
        assert found.revoked_at == one.revocation_date_utc


@pytest.mark.parametrize(
    "broken",
    [
        der.sequence(b"\x02\x02\x00\x07", der.time(NOON)),
        der.sequence(b"\x02\x02\xff\x80", der.time(NOON)),
        entry(7, when=der.tlv(der.UTC_TIME, b"26112012000aZ")),
        entry(7, when=der.tlv(der.UTC_TIME, b"2611201200000")),
        entry(7, when=der.tlv(der.GENERALIZED_TIME, b"261120120000Z")),
        entry(7, when=der.tlv(der.PRINTABLE_STRING, b"261120120000Z")),
        entry(7)[:-1],
        b"\x30",
        b"\x31" + entry(7)[1:],
    ],
    ids=["padded", "padded, negative", "digits", "no zone", "short time", "no time", "cut", "a tag", "a set"],
)
@pytest.mark.parametrize("is_long", [False, True])
def test_a_damaged_entry_anywhere_is_malformed(broken: bytes, *, is_long: bool) -> None:
    before = filler() if is_long else b""
    for after in (b"", entry(9), filler()):
        with pytest.raises(MalformedInput):
            read(before, broken, after)


def test_many_shapes_are_bounded_work() -> None:
    """Each entry of another length: patterns are learnt for some, the others are read one by one."""
    rows = [entry(1 << (8 * (number % 60)), REASON if number % 2 else b"") for number in range(4000)]
    with counted_calls() as work:
        entries = read(*rows)
    assert len(entries._shapes) <= MAX_SHAPES
    assert work.calls < 300_000
    assert len(entries) == 4000


def test_decoys_of_a_serial_number_are_walked_over_once() -> None:
    rows = [entry(0x10000 + number, DECOY) for number in range(2000)]
    entries = read(*rows, entry(7))
    with counted_calls() as work:
        found = entries.find(7)
    assert found is not None
    assert found.extensions == b""
    assert work.calls < 80_000


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=4))
def test_mutated_runs_let_only_our_errors_out(changes: list[tuple[int, int]]) -> None:
    data = bytearray(RUNS)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        entries = Entries(bytes(data), 0, len(data))
    except YinxinError:
        return
    listed = {int.from_bytes(one.serial, "big", signed=True) for one in entries}
    assert len(entries) == len(list(entries))
    assert all(entries.find(serial) for serial in sorted(listed)[:50])


RUNS = filler(REASON) + entry(7, DECOY) + filler()


def test_a_list_of_two_hundred_thousand_is_indexed_without_a_call_for_each() -> None:
    content = b"".join(entry((1 << 100) + number, REASON) for number in range(200_000))
    entries_of = read(content)
    with counted_calls() as work:
        again = read(content)
        assert again.find(1 << 100)
    assert len(entries_of) == 200_000
    assert work.calls < 20_000


def test_a_lists_signature_is_checked_once_for_each_key() -> None:
    """Snapshots are made anew for each document that carries evidence; the lists in them are the same."""
    authority, other = TestAuthority("Root"), TestAuthority("Root")
    crl = Crl(authority.crl())
    for _ in range(2):
        assert crl.is_signed_by(authority.certificate)
        assert not crl.is_signed_by(other.certificate)
        assert not crl.is_signed_by(
            TestAuthority("Elsewhere", signer=authority.signer.with_chain(())).certificate
        )
    with counted_calls() as work:
        assert crl.is_signed_by(authority.certificate)
    assert work.calls < 20
    for _ in range(30):
        assert not crl.is_signed_by(TestAuthority("Root").certificate)
    assert len(crl._signed_by) <= MAX_REMEMBERED_KEYS

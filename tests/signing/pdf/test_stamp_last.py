"""A seal is put on at once and its time-stamp follows, into the room that was left for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk, append_revision, plain_pdf
from world.pki import NOON
from world.tsa import MemoryTsa

from signing.pdf import Seal, archive, stamp_last
from yinxin.base.errors import Conflict, MalformedInput, Unreachable, YinxinError

LATER = NOON + timedelta(minutes=7)
FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> >>"


@pytest.fixture(scope="module", params=["plain", "with a form"])
def waiting(request: pytest.FixtureRequest, desk: Desk) -> bytes:
    """Sealed by either writer, with room for a time-stamp."""
    pdf = plain_pdf() if request.param == "plain" else append_revision(plain_pdf(), {1: FORM})
    return Seal(desk.agency, room_for_timestamp=True).apply(pdf, now=NOON)


def test_the_time_stamp_follows(desk: Desk, waiting: bytes) -> None:
    assert desk.verify(waiting).require().signatures[0].proved_at is None
    stamped = stamp_last(waiting, MemoryTsa(desk.tsa.signer, LATER))
    assert len(stamped) == len(waiting)
    (signature,) = desk.verify(stamped, now=LATER).require().signatures
    assert (signature.proved_at, signature.covers_whole_file) == (LATER, True)


def test_a_seal_is_stamped_once(desk: Desk, waiting: bytes) -> None:
    stamped = stamp_last(waiting, desk.tsa)
    for done in (stamped, desk.seal(plain_pdf())):
        with pytest.raises(Conflict, match="already"):
            stamp_last(done, desk.tsa)


def test_a_seal_without_room_and_a_seal_that_is_not_the_last(desk: Desk, waiting: bytes) -> None:
    with pytest.raises(Conflict, match="room"):
        stamp_last(desk.seal(plain_pdf(), stamped=False), desk.tsa)
    kept = archive(waiting, desk.trust, revocation=desk.revocation(), timestamper=desk.tsa, now=NOON)
    for pdf in (kept, waiting + b"\n", plain_pdf(), b""):
        with pytest.raises(MalformedInput):
            stamp_last(pdf, desk.tsa)


def test_who_cannot_be_reached_changes_nothing(waiting: bytes) -> None:
    class Down:
        def stamp(self, *_: object, **__: object) -> bytes:
            raise Unreachable("down")

    with pytest.raises(Unreachable):
        stamp_last(waiting, Down())


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_whatever_is_stamped_only_our_errors_come_out(data: st.DataObject) -> None:
    desk = DESK
    place = data.draw(st.integers(0, len(WAITING) - 1))
    change = data.draw(st.binary(max_size=4))
    pdf = WAITING[:place] + change + WAITING[place + data.draw(st.integers(0, 8)) :]
    try:
        made = stamp_last(pdf, desk.tsa)
    except YinxinError:
        return
    assert len(made) == len(pdf)


DESK = Desk()
WAITING = Seal(DESK.agency, room_for_timestamp=True).apply(plain_pdf(), now=NOON)

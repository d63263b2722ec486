"""Sessions: how long they last, what they are worth to a thief of the database, and several workers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from world.access import AccessWorld
from world.databases import with_tables
from world.passkeys import enrolled

from yinxin.access.records import ENROLMENTS, PASSKEYS, SESSIONS
from yinxin.base.errors import Unauthenticated, UsageError

if TYPE_CHECKING:
    from yinxin.access.accounts import SignedIn
    from yinxin.base.database import Database


def enter(counter: AccessWorld) -> tuple[SignedIn, str]:
    return enrolled(counter.access, counter.enrol(registrar=counter.registrar()))


def test_a_session_is_over_after_thirty_idle_minutes(counter: AccessWorld) -> None:
    _, token = enter(counter)
    counter.clock.advance(timedelta(minutes=29, seconds=59))
    assert counter.access.signed_in(token) is not None
    counter.clock.advance(timedelta(minutes=29, seconds=59))
    assert counter.access.signed_in(token) is not None, "it was used meanwhile"
    counter.clock.advance(timedelta(minutes=30))
    assert counter.access.signed_in(token) is None


def test_a_session_is_over_after_twelve_hours_however_busy(counter: AccessWorld) -> None:
    _, token = enter(counter)
    for _ in range(35):
        counter.clock.advance(timedelta(minutes=20))
        assert counter.access.signed_in(token) is not None
    counter.clock.advance(timedelta(minutes=20))
    assert counter.access.signed_in(token) is None


def test_a_clock_set_back_makes_no_session(counter: AccessWorld) -> None:
    _, token = enter(counter)
    counter.clock.advance(timedelta(minutes=-1))
    assert counter.access.signed_in(token) is None


def test_a_session_of_one_origin_is_nothing_at_another(counter: AccessWorld) -> None:
    _, token = enter(counter)
    office = AccessWorld(counter.database, origin="https://office.example", clock=counter.clock)
    assert office.access.signed_in(token) is None
    office.access.sign_out(token)
    assert counter.access.signed_in(token) is not None


def test_signing_out_ends_it_and_twice_is_no_error(counter: AccessWorld) -> None:
    _, token = enter(counter)
    counter.access.sign_out(token)
    counter.access.sign_out(token)
    counter.access.sign_out(None)
    assert counter.access.signed_in(token) is None


def test_the_tables_let_nobody_in(counter: AccessWorld) -> None:
    """Neither cookie nor code stands in them, and what stands there is neither."""
    enrolment = counter.enrol(registrar=counter.registrar())
    signed_in, token = enrolled(counter.access, enrolment)
    with counter.database.reading() as session:
        rows = [session.execute(select(table)).all() for table in (SESSIONS, ENROLMENTS, PASSKEYS)]
    assert token not in str(rows)
    assert enrolment.code.replace("-", "") not in str(rows)
    digest = rows[0][0].digest
    for stolen in (digest.hex(), signed_in.session_id, digest.hex()[:43]):
        assert counter.access.signed_in(stolen) is None


def test_what_is_over_is_forgotten(counter: AccessWorld) -> None:
    registrar = counter.registrar()
    enrolled(counter.access, counter.enrol(registrar=registrar))
    counter.enrol("clerk-18", registrar=registrar)
    assert counter.access.purge() == 0
    counter.clock.advance(timedelta(hours=25))
    assert counter.access.purge() >= 4  # a session, a challenge, and the codes
    with counter.database.reading() as session:
        assert session.execute(select(SESSIONS)).all() == []
        assert session.execute(select(ENROLMENTS)).all() == []


@given(st.text(max_size=60) | st.from_regex(r"\A[A-Za-z0-9_-]{43}\Z"))
def test_any_other_text_is_nobodys_session(text: str) -> None:
    assert _EMPTY.access.signed_in(text) is None
    _EMPTY.access.sign_out(text)


def test_workers_with_one_secret_know_each_others_challenges(database: Database) -> None:
    secret = b"s" * 32
    one, other = (AccessWorld(database, secret=secret) for _ in range(2))
    stranger = AccessWorld(database)
    browser, device = one.clerk()
    asked = one.access.begin_sign_in()["options"]
    answer = device.get(asked)
    with pytest.raises(Unauthenticated, match="not ours"):
        stranger.access.finish_sign_in(answer)
    entered = other.access.finish_sign_in(answer)
    assert one.access.signed_in(entered.token) is not None
    with pytest.raises(Unauthenticated, match="used before"):
        one.access.finish_sign_in(answer)
    assert browser.get("/account").status_code == 200


def test_a_short_secret_is_none(light: Database) -> None:
    with pytest.raises(UsageError):
        AccessWorld(light, secret=b"short")


def _empty() -> AccessWorld:
    database = with_tables()
    return AccessWorld(database)


_EMPTY = _empty()

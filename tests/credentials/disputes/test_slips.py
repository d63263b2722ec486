"""A slip's number says all that is on it, and nobody else can make one up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.disputes import PHRASES

from credentials.office.disputes import Contact, Contacts, Slip, SlipKind, Slips
from signing.reasons import Reason
from yinxin.base.clock import FixedClock
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from yinxin.base.clock import Clock

SEVEN, OPERATOR = "11120000000000007A", "1112000000000000XX"


def contact(code: str) -> Contact:
    return Contact(code, Text(f"机关 {code}", f"agency {code}"), Text("窗口", "a window"))


def slips(secret: bytes = b"s" * 32, clock: Clock | None = None) -> Slips:
    contacts = Contacts(contact(OPERATOR), [contact(SEVEN)])
    return Slips(secret, phrases=PHRASES, contacts=contacts, clock=clock or FixedClock(2026, 11, 20, 8))


def made(**more: str) -> Slip:
    return slips().make(SlipKind.VERIFICATION, "licence_unknown", agency=SEVEN, **more)


def test_it_says_what_was_refused_why_and_whom_to_ask() -> None:
    slip = made()
    assert slips().read(slip.number) == slip
    told = slip.to_dict()
    assert told["reason"]["en"] == "reason licence_unknown"
    assert told["ask"]["name"]["en"] == f"agency {SEVEN}"
    assert (told["kind"], told["at"]) == ("verification", "2026-11-20T08:00:00+00:00")


def test_nobody_asked_for_is_the_operator() -> None:
    slip = slips().make(SlipKind.USE, "not_permitted", agency="unknown")
    assert slip.ask.code == OPERATOR


@pytest.mark.parametrize("typed", ["{}", " {} ", "{}\u2013", "–{}"])
def test_it_is_read_as_people_type_it(typed: str) -> None:
    slip = made()
    misread = slip.number.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert slips().read(typed.format(misread).replace("\n", "")) == slip


@given(st.integers(0, 31), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_changed_number_is_nobodys(place: int, other: str) -> None:
    plain = made(about="x").number.replace("-", "")
    changed = plain[:place] + other + plain[place + 1 :]
    if changed != plain:
        with pytest.raises(NotFound):
            slips().read(changed)


@given(st.text(max_size=60))
def test_no_text_brings_anything_else(number: str) -> None:
    with pytest.raises(NotFound):
        slips().read(number)


def test_another_installation_made_nothing_here() -> None:
    with pytest.raises(NotFound):
        slips(b"t" * 32).read(made().number)


def test_it_is_kept_for_the_stated_time() -> None:
    slip, clock = made(), FixedClock(2026, 11, 20, 8)
    clock.advance(timedelta(days=730))
    assert slips(clock=clock).read(slip.number) == slip
    clock.advance(timedelta(minutes=1))
    with pytest.raises(NotFound):
        slips(clock=clock).read(slip.number)


def test_the_same_answer_has_the_same_slip_and_others_have_others() -> None:
    assert made(about="verification 1") == made(about="verification 1")
    numbers = {made().number for _ in range(200)} | {made(about="a").number, made(about="b").number}
    assert len(numbers) == 202


def test_every_reason_has_a_place_of_its_own() -> None:
    phrases = {reason.name.lower(): PHRASES["not_permitted"] for reason in Reason}
    contacts = Contacts(contact(OPERATOR))
    everything = Slips(b"s" * 32, phrases=phrases, contacts=contacts)
    for code in phrases:
        assert everything.read(everything.make(SlipKind.VERIFICATION, code).number).code == code
    with pytest.raises(UsageError):
        everything.make(SlipKind.VERIFICATION, "no_such_code")


@pytest.mark.parametrize(
    "text",
    [
        "[agencies.X]\nzh = '局'\n",
        "[agencies.X]\nzh='a'\nen='b'\nwhere_zh='c'\nwhere_en=''\n",
        "[agencies.X]\nzh='a'\nen='b'\nwhere_zh='c'\nwhere_en='d'\nelsewhere='yes'\n",
        "[agencies.X]\nzh='a'\nen='b'\nwhere_zh='c'\nwhere_en='d'\nother=1\n",
        "agencies = 3",
        "[[",
    ],
)
def test_a_wrong_file_of_contacts_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        Contacts.read(text, operator=contact(OPERATOR))

"""Identifiers: any text is parsed or refused, one wrong character is noticed, python-stdnum agrees."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_37_36

from yinxin.base.errors import YinxinError
from yinxin.base.identifiers import (
    CitizenNumber,
    CreditCode,
    LicenceIdentifier,
    citizen_check_character,
    credit_check_character,
    licence_check_character,
)

BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS = st.text("0123456789", min_size=6, max_size=6)

credit_codes = st.builds(
    lambda kind, region, rest: (body := kind + region + rest) + credit_check_character(body),
    st.text(CREDIT, min_size=2, max_size=2),
    DIGITS,
    st.text(CREDIT, min_size=9, max_size=9),
)
citizen_numbers = st.builds(
    lambda region, born, order: (body := f"{region}{born:%Y%m%d}{order:03d}") + citizen_check_character(body),
    DIGITS.filter(lambda text: text[0] != "0"),
    st.dates(date(1800, 1, 1), date(2199, 12, 31)),
    st.integers(0, 999),
)
identifiers = st.builds(
    LicenceIdentifier.make,
    st.text(BASE36, min_size=21, max_size=21),
    credit_codes | DIGITS,
    st.text(BASE36, min_size=1, max_size=64),
    st.integers(0, 999).map("{:03d}".format),
)


@given(st.text() | st.binary() | st.integers() | st.none())
def test_anything_is_parsed_or_refused(text: Any) -> None:
    for kind in (CreditCode, CitizenNumber, LicenceIdentifier):
        try:
            parsed = kind.parse(text)
        except YinxinError:
            continue
        assert kind.parse(getattr(parsed, "reveal", parsed.__str__)()) == parsed


@given(credit_codes)
def test_another_implementation_agrees_about_credit_codes(code: str) -> None:
    assert CreditCode.parse(code).value == code
    assert uscc.calc_check_digit(code[:17]) == code[17]


@given(citizen_numbers)
def test_another_implementation_agrees_about_citizen_numbers(number: str) -> None:
    assert CitizenNumber.parse(number).reveal() == number
    assert ric.calc_check_digit(number) == number[17]


@given(st.text(BASE36, min_size=1, max_size=120))
def test_another_implementation_agrees_about_licence_identifiers(body: str) -> None:
    assert mod_37_36.calc_check_digit(body) == licence_check_character(body)


@given(identifiers)
def test_a_licence_identifier_is_read_back(identifier: LicenceIdentifier) -> None:
    assert LicenceIdentifier.parse(str(identifier)) == identifier


@given(credit_codes, st.integers(0, 17), st.sampled_from(CREDIT))
def test_one_wrong_character_in_a_credit_code_is_noticed(code: str, at: int, other: str) -> None:
    _refused_unless_same(CreditCode.parse, code, at, other)


@given(citizen_numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_in_a_citizen_number_is_noticed(number: str, at: int, other: str) -> None:
    _refused_unless_same(CitizenNumber.parse, number, at, other)


@given(identifiers, st.data())
def test_one_wrong_character_in_a_licence_identifier_is_noticed(
    identifier: LicenceIdentifier, data: st.DataObject
) -> None:
    text = str(identifier)
    places = [i for i, c in enumerate(text) if c != "." and i > len("1.2.156.3005.2")]
    at, other = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(BASE36))
    _refused_unless_same(LicenceIdentifier.parse, text, at, other)


def _refused_unless_same(parse: Any, text: str, at: int, other: str) -> None:
    changed = text[:at] + other + text[at + 1 :]
    try:
        parse(changed)
    except YinxinError:
        return
    assert changed == text

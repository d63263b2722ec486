"""Fixes change how a value is written and never what it says."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import samples
from credentials.fields import FieldKind
from credentials.legacy.mapping import DateForm, Fix
from credentials.legacy.numbers import SeenNumbers
from credentials.legacy.repairs import longer_citizen_number, plain_date, repaired
from yinxin.base.identifiers import CitizenNumber

DAYS = st.dates(date(1949, 10, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        *("2015.3.1", "2015/03/01", "2015-3-1", "2015年3月1日", "20150301", "2015年03月01日", "2015、3、1"),
        *("2015-03-01 00:00:00", "2015/3/1 0:00", "2015-03-01T00:00:00.0"),
    ],
)
def test_dates_of_many_hands(text: str) -> None:
    assert plain_date(text, DateForm.YEAR_FIRST) == "2015-03-01"


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("1/3/2015", DateForm.DAY_FIRST, "2015-03-01"),
        ("3/1/2015", DateForm.MONTH_FIRST, "2015-03-01"),
        ("42064", DateForm.SPREADSHEET, "2015-03-01"),
        # What nobody said how to read stays, and is refused as a date later.
        ("1/3/2015", DateForm.YEAR_FIRST, "1/3/2015"),
        ("15.3.1", DateForm.YEAR_FIRST, "15.3.1"),
        ("42064", DateForm.YEAR_FIRST, "42064"),
        ("2015-13-01", DateForm.YEAR_FIRST, "2015-13-01"),
        ("2015-03-01 08:30", DateForm.YEAR_FIRST, "2015-03-01 08:30"),
        ("二〇一五年三月一日", DateForm.YEAR_FIRST, "二〇一五年三月一日"),
    ],
)
def test_dates_are_read_as_the_mapping_says_or_not_at_all(text: str, form: DateForm, day: str) -> None:
    assert plain_date(text, form) == day


@given(DAYS, st.sampled_from(["{0:%Y%m%d}", "{0.year}.{0.month}.{0.day}", "{0.year}年{0.month}月{0.day}日"]))
def test_every_day_survives_every_way_of_writing_it(day: date, form: str) -> None:
    assert plain_date(form.format(day), DateForm.YEAR_FIRST) == day.isoformat()


@given(st.text(max_size=40), st.sampled_from(list(FieldKind)), st.sampled_from(list(DateForm)))
def test_a_second_fix_finds_nothing_to_do(text: str, kind: FieldKind, form: DateForm) -> None:
    once, _ = repaired(kind, text, frozenset(Fix), dates=form)
    again, done = repaired(kind, once, frozenset(Fix), dates=form)
    assert (again, done) == (once, [])
    assert repaired(kind, text, frozenset(), dates=form) == (text, [])


@given(st.integers(0, 20_000), st.booleans())
def test_an_old_citizen_number_gets_its_century_and_check(index: int, female: bool) -> None:  # noqa: FBT001 - drawn
    born = date.fromordinal(date(1930, 1, 1).toordinal() + index)
    whole = samples.citizen_number(index, born=born, female=female)
    assert longer_citizen_number(whole[:6] + whole[8:17]) == whole
    assert CitizenNumber.parse(whole).birthday == born
    assert longer_citizen_number(whole) == whole


@pytest.mark.parametrize("text", ["120199991332001", "120199a50612001", "12019985061200", "02019985061200１"])
def test_what_is_no_old_citizen_number_stays(text: str) -> None:
    assert longer_citizen_number(text) == text


def test_look_alikes_only_where_the_check_character_then_fits() -> None:
    code = next(found for found in map(samples.credit_code, range(99)) if "0" in found[8:])
    place = code.index("0", 8)
    wrong = f"{code[:place]}O{code[place + 1 :]}"
    every = frozenset(Fix)
    assert repaired(FieldKind.CREDIT_CODE, wrong, every, dates=DateForm.YEAR_FIRST)[0] == code
    worse = wrong[:-1] + ("A" if wrong[-1] != "A" else "B")
    assert repaired(FieldKind.CREDIT_CODE, worse, every, dates=DateForm.YEAR_FIRST)[0] == worse


def test_brackets_of_a_name_stay_full_width() -> None:
    text, done = repaired(FieldKind.TEXT, "津城糕点（和平Ａ１店）", frozenset(Fix), dates=DateForm.YEAR_FIRST)
    assert (text, done) == ("津城糕点（和平A1店）", [Fix.FULL_WIDTH])


def test_numbers_are_told_apart_however_many() -> None:
    seen = SeenNumbers()
    keys = [hashlib.sha256(str(index).encode()).digest() for index in range(20_000)]
    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)
